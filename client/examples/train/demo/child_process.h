// A child process of the demonstration: started without a shell in a process group of its own, its
// output read line by line without blocking, always stopped and reaped.
//
// A group of its own means that Ctrl-C on the terminal reaches only the demonstration, which then
// stops its children in the right order. Threads: one owner at a time.
#ifndef ANEX_CLIENT_EXAMPLES_TRAIN_DEMO_CHILD_PROCESS_H_
#define ANEX_CLIENT_EXAMPLES_TRAIN_DEMO_CHILD_PROCESS_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace anex::train {

class ChildProcess {
 public:
  // `command[0]` is the program's path. Standard output and error go to one pipe; input is empty.
  static absl::StatusOr<std::unique_ptr<ChildProcess>> Start(
      const std::vector<std::string>& command);
  // Kills the whole group at once if it still runs, and reaps.
  ~ChildProcess();

  int pid() const { return pid_; }
  int output_descriptor() const { return output_; }  // for poll; -1 after its end
  // The whole lines that have come since the last call. Does not block.
  std::vector<std::string> TakeLines();
  // The exit code, or 128 + the signal; nothing while it runs. Does not block.
  std::optional<int> ExitCode();
  // Asks the group to end (SIGTERM), after `grace` kills it; reaps. Harmless when it has ended.
  void Stop(absl::Duration grace);
  // The last lines of output, for a message about a failure.
  const std::string& tail() const { return tail_; }

 private:
  ChildProcess(int pid, int output) : pid_(pid), output_(output) {}

  const int pid_;
  int output_;
  std::string partial_, tail_;
  std::optional<int> exit_code_;
};

}  // namespace anex::train

#endif  // ANEX_CLIENT_EXAMPLES_TRAIN_DEMO_CHILD_PROCESS_H_
