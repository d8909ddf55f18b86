// anectl: looks at, controls and uses anexd. A thin user of the SDK: every command is a file in
// commands/, every screen a function in output/.
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "client/anex/connect.h"
#include "client/cli/command.h"
#include "client/cli/output/descriptor_stream.h"
#include "client/inproc/inproc_transport.h"

namespace {

absl::StatusOr<std::shared_ptr<anex::Transport>> ConnectToDaemon(
    const anex::cli::Globals& globals) {
  return anex::ConnectTransport({.endpoint = globals.socket,
                                 .client_name = "anectl",
                                 .call_deadline = absl::Seconds(globals.timeout_s)});
}

absl::StatusOr<std::shared_ptr<anex::Transport>> StartInProcess() {
  auto engine = anex::StartInprocEngine({});
  if (!engine.ok()) return engine.status();
  return anex::MakeInprocTransport(*std::move(engine));
}

absl::StatusOr<anex::cli::TransportSource> ShareInProcess() {
  auto engine = anex::StartInprocEngine({});
  if (!engine.ok()) return engine.status();
  return anex::cli::TransportSource(
      [engine = *std::move(engine)]() -> absl::StatusOr<std::shared_ptr<anex::Transport>> {
        return anex::MakeInprocTransport(engine);
      });
}

// 80 if it is no terminal, or one that does not say.
int ColumnsOf(int descriptor) {
  winsize size{};
  const bool known = ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

}  // namespace

int main(int argc, char** argv) {
  // As in anexd: see client/inproc/inproc_transport.h.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  // A reader that goes away (| head) ends us by a failed write, quietly, not by a signal in gRPC.
  std::signal(SIGPIPE, SIG_IGN);
  anex::cli::DescriptorBuffer output(STDOUT_FILENO);
  std::ostream out(&output);
  anex::cli::Context context{.out = out,
                             .write_error = [&output] { return output.error(); },
                             .err = std::cerr,
                             .style = anex::cli::Style::For(STDOUT_FILENO),
                             .err_style = anex::cli::Style::For(STDERR_FILENO),
                             .terminal = ::isatty(STDOUT_FILENO) == 1,
                             .columns = ColumnsOf(STDOUT_FILENO),
                             .err_terminal = ::isatty(STDERR_FILENO) == 1,
                             .program = argc > 0 ? argv[0] : "anectl",
                             .connect = ConnectToDaemon,
                             .in_process = StartInProcess,
                             .share_in_process = ShareInProcess};
  return anex::cli::RunAnectl(std::vector<std::string>(argv + 1, argv + argc), context);
}
