// Runs a program to its end, and keeps what it wrote. Threads: any; waits for the program.
#ifndef ANEX_CLIENT_CLI_CHILD_OUTPUT_H_
#define ANEX_CLIENT_CLI_CHILD_OUTPUT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace anex::cli {

struct ChildOutput {
  int exit_code = 0;  // 128 + N if signal N ended it
  std::string text;   // of its standard output and error together, 1 MiB at most
};

// `words` are the program, looked for in $PATH if it has no slash, and its arguments. NOT_FOUND if
// there is no such program.
absl::StatusOr<ChildOutput> RunChild(const std::vector<std::string>& words);
// The same with this program's own input and outputs; the exit code.
absl::StatusOr<int> RunChildHere(const std::vector<std::string>& words);

}  // namespace anex::cli

#endif  // ANEX_CLIENT_CLI_CHILD_OUTPUT_H_
