// What a probe found: as a table for people, as JSON, and as a Markdown report to attach to an
// issue. Pure functions, any thread.
#ifndef ANEX_CLIENT_CLI_OUTPUT_PROBE_VIEW_H_
#define ANEX_CLIENT_CLI_OUTPUT_PROBE_VIEW_H_

#include <string>

#include "client/cli/output/json.h"
#include "client/cli/output/style.h"
#include "proto/values/probe_values.h"
#include "proto/values/status_values.h"

namespace anex::cli {

std::string RenderProbe(const ProbeReport& report, const Style& style);
Json ToJson(const ProbeReport& report);
// `daemon` is who probed: null for this process.
std::string RenderProbeMarkdown(const ProbeReport& report, const DaemonInfo* daemon);

}  // namespace anex::cli

#endif  // ANEX_CLIENT_CLI_OUTPUT_PROBE_VIEW_H_
