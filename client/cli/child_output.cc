#include "client/cli/child_output.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "absl/strings/str_cat.h"

extern char** environ;

namespace anex::cli {
namespace {

constexpr size_t kMostText = 1u << 20;

// All that comes until the other end is closed; what is too much is read and dropped.
std::string ReadAll(int descriptor) {
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t got = ::read(descriptor, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    if (text.size() < kMostText) text.append(buffer, static_cast<size_t>(got));
  }
}

int ExitCode(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// The error of the start, or 0.
int Start(const std::vector<std::string>& words, const posix_spawn_file_actions_t* actions,
          pid_t& child) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  // What this program ignores, others are to die of.
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t usual;
  ::sigemptyset(&usual);
  ::sigaddset(&usual, SIGPIPE);
  ::posix_spawnattr_setsigdefault(&attributes, &usual);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  const int error =
      ::posix_spawnp(&child, arguments[0], actions, &attributes, arguments.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  return error;
}

absl::Status CannotRun(const std::string& program, int error) {
  return absl::NotFoundError(absl::StrCat("cannot run ", program, ": ", strerror(error)));
}

}  // namespace

absl::StatusOr<ChildOutput> RunChild(const std::vector<std::string>& words) {
  int ends[2];
  if (::pipe(ends) != 0) return absl::InternalError(strerror(errno));
  for (const int end : ends) ::fcntl(end, F_SETFD, FD_CLOEXEC);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  pid_t child = 0;
  const int error = Start(words, &actions, child);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  ChildOutput output;
  if (error == 0) {
    output.text = ReadAll(ends[0]);
    output.exit_code = ExitCode(child);
  }
  ::close(ends[0]);
  if (error == 0) return output;
  return CannotRun(words[0], error);
}

absl::StatusOr<int> RunChildHere(const std::vector<std::string>& words) {
  pid_t child = 0;
  const int error = Start(words, nullptr, child);
  if (error != 0) return CannotRun(words[0], error);
  return ExitCode(child);
}

}  // namespace anex::cli
