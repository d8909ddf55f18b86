// Child processes for tests: started without a shell, told apart by pid, always reaped.
//
// Threads: one test thread. The destructor kills and reaps whatever still runs.
#ifndef ANEX_TESTS_E2E_PROCESS_H_
#define ANEX_TESTS_E2E_PROCESS_H_

#include <sys/resource.h>
#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace anex::test {

// A child whose standard output and error are read through one pipe.
class ChildProcess {
 public:
  // `environment` entries "NAME=value" are added to this process's own.
  static absl::StatusOr<std::unique_ptr<ChildProcess>> Start(
      const std::vector<std::string>& command, const std::vector<std::string>& environment = {});
  ~ChildProcess();

  pid_t pid() const { return pid_; }
  // Waits for a line of output that contains `part`; the line, or an error that quotes all output.
  absl::StatusOr<std::string> WaitForLine(const std::string& part,
                                          absl::Duration timeout = absl::Seconds(20));
  void Signal(int signal);
  // Waits for the end. Exit code, or 128 + signal. DEADLINE_EXCEEDED if it does not end.
  absl::StatusOr<int> Wait(absl::Duration timeout = absl::Seconds(20));
  bool running();
  const std::string& output();  // all so far

 private:
  ChildProcess(pid_t pid, int out) : pid_(pid), out_(out) {}
  bool ReadSome(absl::Duration timeout);  // false at end of file or timeout
  bool Reap(bool block);

  pid_t pid_;
  int out_;
  std::string output_;
  size_t searched_ = 0;  // start of the first line not yet given to WaitForLine
  std::optional<int> exit_code_;
};

// A scratch folder under /tmp, 0700, removed with all in it at the end.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  const std::string& path() const { return path_; }
  std::string Join(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// The daemon under test: that of this build, or the one that ANEX_TEST_ANEXD names, by which suites
// run again over another platform (tests/doubles/apple).
std::string AnexdBinary();
// Why a test does not hold on the default device of that daemon; "" where it does. `lacks` says
// what the ane device does not have.
std::string SkipOnAne(const std::string& lacks);

// A real anexd in a private runtime folder.
class DaemonProcess {
 public:
  struct Options {
    std::vector<std::string> flags;  // added to --runtime-dir and --cache-dir
    std::vector<std::string> environment;
    std::string runtime_dir;   // "" = a scratch folder of its own
    std::string cache_dir;     // "" = inside the runtime folder's scratch
    std::string binary;        // "" = AnexdBinary()
    rlim_t descriptors = 0;    // RLIMIT_NOFILE of the daemon; 0 = inherited
    rlim_t address_bytes = 0;  // RLIMIT_AS of the daemon; 0 = inherited
  };
  // Starts it and waits until its socket answers.
  static absl::StatusOr<std::unique_ptr<DaemonProcess>> Start(const Options& options);
  static absl::StatusOr<std::unique_ptr<DaemonProcess>> Start() { return Start(Options{}); }

  const std::string& socket() const { return socket_; }
  const std::string& observer_socket() const { return observer_socket_; }
  const std::string& runtime_dir() const { return runtime_dir_; }
  ChildProcess& process() { return *process_; }
  absl::StatusOr<int> Stop(absl::Duration timeout = absl::Seconds(20));  // SIGTERM and wait
  // Number of open descriptors and resident bytes, from /proc.
  int descriptors() const;
  uint64_t resident_bytes() const;

 private:
  std::unique_ptr<ScratchFolder> scratch_;
  std::string runtime_dir_, socket_, observer_socket_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace anex::test

#endif  // ANEX_TESTS_E2E_PROCESS_H_
