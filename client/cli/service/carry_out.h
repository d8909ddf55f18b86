// Does what a plan says, step by step, and stops at the first that fails. Threads: one; waits for
// the programs that it runs.
#ifndef ANEX_CLIENT_CLI_SERVICE_CARRY_OUT_H_
#define ANEX_CLIENT_CLI_SERVICE_CARRY_OUT_H_

#include "absl/status/status.h"
#include "client/cli/service/step.h"

namespace anex::cli {

// OK, or what went wrong, what a program said about it, and what the user can do. A file is
// replaced as a whole: what reads it sees the old or the new one. Only empty folders are removed;
// one that is not stays, which is no failure.
absl::Status CarryOut(const Step& step);

}  // namespace anex::cli

#endif  // ANEX_CLIENT_CLI_SERVICE_CARRY_OUT_H_
