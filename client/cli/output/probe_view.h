// What a probe found: as a table for people, as JSON, and as a Markdown report to attach to an
// issue. Pure functions, any thread. Answers hold what a system's own libraries said: nothing in
// them can move a cursor, end a table's cell or address somebody.
#ifndef ANEX_CLIENT_CLI_OUTPUT_PROBE_VIEW_H_
#define ANEX_CLIENT_CLI_OUTPUT_PROBE_VIEW_H_

#include <optional>
#include <string>

#include "client/cli/output/json.h"
#include "client/cli/output/style.h"
#include "proto/values/probe_values.h"
#include "proto/values/status_values.h"

namespace anex::cli {

// How a report came about.
struct ProbeOrigin {
  std::string anectl;                // its version
  std::optional<DaemonInfo> daemon;  // that probed; none: this process
  std::string system;                // "Darwin 25.0.0 arm64"
  bool thorough = false;
};

// In `columns` columns.
std::string RenderProbe(const ProbeReport& report, int columns, const Style& style);
Json ToJson(const ProbeReport& report);
std::string RenderProbeMarkdown(const ProbeReport& report, const ProbeOrigin& origin);

}  // namespace anex::cli

#endif  // ANEX_CLIENT_CLI_OUTPUT_PROBE_VIEW_H_
