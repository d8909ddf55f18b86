#include "tests/e2e/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/system/descriptors.h"
#include "tests/system/processes.h"

extern char** environ;

namespace anex::test {
namespace {

absl::Time Deadline(absl::Duration timeout) { return absl::Now() + timeout; }

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& string : strings) pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

bool Connects(const std::string& path) {
  const int fd = NewSocket();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  const bool ok = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  ::close(fd);
  return ok;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ChildProcess>> ChildProcess::Start(
    const std::vector<std::string>& command, const std::vector<std::string>& environment) {
  int pipe_ends[2];
  if (NewPipe(pipe_ends) != 0) return absl::ErrnoToStatus(errno, "pipe");
  std::vector<std::string> arguments = command, variables = environment;
  for (char** variable = environ; *variable != nullptr; ++variable) variables.push_back(*variable);
  const std::vector<char*> argv = Pointers(arguments), envp = Pointers(variables);
  const pid_t pid = ::fork();
  if (pid < 0) return absl::ErrnoToStatus(errno, "fork");
  if (pid == 0) {  // only async-signal-safe calls from here
    ::dup2(pipe_ends[1], STDOUT_FILENO);
    ::dup2(pipe_ends[1], STDERR_FILENO);
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  ::close(pipe_ends[1]);
  return std::unique_ptr<ChildProcess>(new ChildProcess(pid, pipe_ends[0]));
}

ChildProcess::~ChildProcess() {
  if (!exit_code_) {
    ::kill(pid_, SIGKILL);
    ::kill(pid_, SIGCONT);
    Reap(/*block=*/true);
  }
  ::close(out_);
}

bool ChildProcess::ReadSome(absl::Duration timeout) {
  pollfd poll_out{out_, POLLIN, 0};
  const int ready = ::poll(&poll_out, 1, static_cast<int>(absl::ToInt64Milliseconds(timeout)));
  if (ready <= 0) return false;
  char buffer[4096];
  const ssize_t got = ::read(out_, buffer, sizeof(buffer));
  if (got <= 0) return false;
  output_.append(buffer, static_cast<size_t>(got));
  return true;
}

absl::StatusOr<std::string> ChildProcess::WaitForLine(const std::string& part,
                                                      absl::Duration timeout) {
  const absl::Time deadline = Deadline(timeout);
  while (true) {
    for (size_t end; (end = output_.find('\n', searched_)) != std::string::npos;) {
      const std::string line = output_.substr(searched_, end - searched_);
      searched_ = end + 1;
      if (line.find(part) != std::string::npos) return line;
    }
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration() || (!ReadSome(left) && !running())) {
      while (ReadSome(absl::Milliseconds(50))) {
      }
      if (output_.find(part, searched_) != std::string::npos) continue;
      return absl::NotFoundError(absl::StrCat("no line with '", part, "' in:\n", output_));
    }
  }
}

void ChildProcess::Signal(int signal) {
  if (!exit_code_) ::kill(pid_, signal);
}

bool ChildProcess::Reap(bool block) {
  int status = 0;
  if (::waitpid(pid_, &status, block ? 0 : WNOHANG) != pid_) return false;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return true;
}

absl::StatusOr<int> ChildProcess::Wait(absl::Duration timeout) {
  const absl::Time deadline = Deadline(timeout);
  while (!exit_code_ && !Reap(/*block=*/false)) {
    if (absl::Now() > deadline) {
      return absl::DeadlineExceededError(
          absl::StrCat("still running after ", absl::FormatDuration(timeout), ":\n", output_));
    }
    if (!ReadSome(absl::Milliseconds(5))) absl::SleepFor(absl::Milliseconds(1));
  }
  while (ReadSome(absl::Milliseconds(20))) {
  }
  return *exit_code_;
}

bool ChildProcess::running() { return !exit_code_ && !Reap(/*block=*/false); }

const std::string& ChildProcess::output() {
  while (ReadSome(absl::ZeroDuration())) {
  }
  return output_;
}

ScratchFolder::ScratchFolder() {
  std::string pattern = "/tmp/anex-test.XXXXXX";
  if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

std::string AnexdBinary() {
  const char* other = std::getenv("ANEX_TEST_ANEXD");
  return other == nullptr ? ANEXD_BINARY : other;
}

std::string SkipOnAne(const std::string& lacks) {
  return std::getenv("ANEX_TEST_ANEXD") == nullptr ? "" : absl::StrCat("the ane device ", lacks);
}

absl::StatusOr<std::unique_ptr<DaemonProcess>> DaemonProcess::Start(const Options& options) {
  auto daemon = std::make_unique<DaemonProcess>();
  daemon->scratch_ = std::make_unique<ScratchFolder>();
  daemon->runtime_dir_ =
      options.runtime_dir.empty() ? daemon->scratch_->Join("run") : options.runtime_dir;
  daemon->socket_ = daemon->runtime_dir_ + "/anexd.sock";
  daemon->observer_socket_ = daemon->runtime_dir_ + "/observer.sock";
  std::vector<std::string> command;
  std::string limits;
  if (options.descriptors != 0) absl::StrAppend(&limits, "ulimit -n ", options.descriptors, "; ");
  if (options.address_bytes != 0) {
    absl::StrAppend(&limits, "ulimit -v ", options.address_bytes / 1024, "; ");
  }
  if (!limits.empty()) {
    command = {"/usr/bin/env", "bash", "-c", limits + "exec \"$@\"", "anexd"};
  }
  command.insert(command.end(),
                 {options.binary.empty() ? AnexdBinary() : options.binary, "--runtime-dir",
                  daemon->runtime_dir_, "--cache-dir",
                  options.cache_dir.empty() ? daemon->scratch_->Join("cache") : options.cache_dir});
  command.insert(command.end(), options.flags.begin(), options.flags.end());
  auto process = ChildProcess::Start(command, options.environment);
  if (!process.ok()) return process.status();
  daemon->process_ = *std::move(process);
  const absl::Time deadline = Deadline(absl::Seconds(30));
  while (!Connects(daemon->socket_) || !Connects(daemon->observer_socket_)) {
    if (!daemon->process_->running() || absl::Now() > deadline) {
      return absl::UnavailableError(
          absl::StrCat("anexd did not serve:\n", daemon->process_->output()));
    }
    absl::SleepFor(absl::Milliseconds(2));
  }
  return daemon;
}

absl::StatusOr<int> DaemonProcess::Stop(absl::Duration timeout) {
  process_->Signal(SIGTERM);
  return process_->Wait(timeout);
}

int DaemonProcess::descriptors() const { return OpenDescriptors(process_->pid()); }

uint64_t DaemonProcess::resident_bytes() const { return ResidentBytes(process_->pid()); }

}  // namespace anex::test
