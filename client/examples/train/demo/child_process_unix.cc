#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/examples/train/demo/child_process.h"

extern char** environ;

namespace anex::train {
namespace {

constexpr size_t kTailBytes = 4000;

// Both ends close on exec: another child must not hold the pipe open.
absl::Status MakePipe(std::array<int, 2>& ends) {
  if (::pipe(ends.data()) != 0) return absl::ErrnoToStatus(errno, "pipe");
  for (const int end : ends) ::fcntl(end, F_SETFD, FD_CLOEXEC);
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return absl::OkStatus();
}

// The child starts with the default handling of signals, whatever this process ignores.
void SetAttributes(posix_spawnattr_t& attributes) {
  sigset_t none, defaults;
  sigemptyset(&none);
  sigemptyset(&defaults);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) sigaddset(&defaults, signal);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

int Spawn(const std::vector<std::string>& command, int output, pid_t& pid) {
  std::vector<std::string> arguments = command;
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
  posix_spawnattr_t attributes;
  SetAttributes(attributes);
  const int error = ::posix_spawn(&pid, pointers[0], &files, &attributes, pointers.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return error;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ChildProcess>> ChildProcess::Start(
    const std::vector<std::string>& command) {
  std::array<int, 2> ends;
  if (absl::Status made = MakePipe(ends); !made.ok()) return made;
  pid_t pid = -1;
  const int error = Spawn(command, ends[1], pid);
  ::close(ends[1]);
  if (error != 0) {
    ::close(ends[0]);
    return absl::ErrnoToStatus(error, absl::StrCat("cannot start ", command[0]));
  }
  return std::unique_ptr<ChildProcess>(new ChildProcess(pid, ends[0]));
}

ChildProcess::~ChildProcess() {
  Stop(absl::ZeroDuration());
  if (output_ >= 0) ::close(output_);
}

std::vector<std::string> ChildProcess::TakeLines() {
  std::vector<std::string> lines;
  std::array<char, 4096> bytes;
  while (output_ >= 0) {
    const ssize_t got = ::read(output_, bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (got <= 0) {
      ::close(output_);
      output_ = -1;
      break;
    }
    partial_.append(bytes.data(), static_cast<size_t>(got));
    tail_.append(bytes.data(), static_cast<size_t>(got));
  }
  if (tail_.size() > kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);
  for (size_t end; (end = partial_.find('\n')) != std::string::npos; partial_.erase(0, end + 1)) {
    lines.push_back(partial_.substr(0, end));
  }
  return lines;
}

std::optional<int> ChildProcess::ExitCode() {
  int status = 0;
  if (!exit_code_ && ::waitpid(pid_, &status, WNOHANG) == pid_) {
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return exit_code_;
}

void ChildProcess::Stop(absl::Duration grace) {
  if (ExitCode()) return;
  ::kill(-pid_, SIGTERM);
  for (const absl::Time end = absl::Now() + grace; absl::Now() < end && !ExitCode();) {
    TakeLines();  // so that a full pipe does not hold it up
    absl::SleepFor(absl::Milliseconds(10));
  }
  if (ExitCode()) return;
  ::kill(-pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  exit_code_ = 128 + SIGKILL;
}

}  // namespace anex::train
