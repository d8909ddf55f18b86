// What is wrong with a LaunchAgent's property list, by launchd.plist(5) and by what anexd needs of
// it. launchd itself says next to nothing: an unknown key is ignored, a wrong mode is taken.
#ifndef ANEX_TESTS_LAUNCHD_AGENT_LINT_H_
#define ANEX_TESTS_LAUNCHD_AGENT_LINT_H_

#include <string>
#include <vector>

#include "client/cli/output/json.h"

namespace anex::test {

// A sentence for each finding.
std::vector<std::string> LintAgent(const cli::Json& agent);

}  // namespace anex::test

#endif  // ANEX_TESTS_LAUNCHD_AGENT_LINT_H_
