// What `anectl run` found, as a screen and as JSON. Pure functions, any thread.
#ifndef ANEX_CLIENT_CLI_OUTPUT_RUN_VIEW_H_
#define ANEX_CLIENT_CLI_OUTPUT_RUN_VIEW_H_

#include <string>

#include "client/cli/output/json.h"
#include "client/cli/output/style.h"
#include "client/cli/program_run.h"

namespace anex::cli {

std::string RenderRun(const RunReport& report, const Style& style);
Json ToJson(const RunReport& report);

}  // namespace anex::cli

#endif  // ANEX_CLIENT_CLI_OUTPUT_RUN_VIEW_H_
