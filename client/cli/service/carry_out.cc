#include "client/cli/service/carry_out.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/cli/child_output.h"
#include "client/cli/exit_code.h"
#include "client/cli/output/text.h"
#include "proto/shm/owned_descriptor.h"

namespace anex::cli {
namespace {

absl::Status SystemError(const std::string& what) {
  const int error = errno;
  return LocalProblem(absl::ErrnoToStatus(error, what));
}

absl::Status SetMode(const std::string& path, uint32_t mode) {
  if (::chmod(path.c_str(), mode) == 0) return absl::OkStatus();
  return SystemError(absl::StrCat("cannot set the mode of ", path));
}

absl::Status MakeFolder(const std::string& path, uint32_t mode) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  std::error_code error;
  std::filesystem::create_directories(parent, error);
  if (error) {
    errno = error.value();
    return SystemError(absl::StrCat("cannot make folder ", parent));
  }
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) {
    return SystemError(absl::StrCat("cannot make folder ", path));
  }
  return SetMode(path, mode);  // whatever the umask took
}

absl::Status WriteAll(const std::string& path, uint32_t mode, const std::string& content) {
  ::unlink(path.c_str());  // of one that did not come to its end
  const shm::OwnedDescriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.valid()) return SystemError(absl::StrCat("cannot write ", path));
  size_t done = 0;
  while (done < content.size()) {
    const ssize_t put = ::write(file.get(), content.data() + done, content.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return SystemError(absl::StrCat("cannot write ", path));
    done += static_cast<size_t>(put);
  }
  if (::fchmod(file.get(), mode) != 0 || ::fsync(file.get()) != 0) {
    return SystemError(absl::StrCat("cannot write ", path));
  }
  return absl::OkStatus();
}

absl::Status WriteFile(const Step& step) {
  const std::string beside = step.path + ".new";
  absl::Status written = WriteAll(beside, step.mode, step.content);
  if (written.ok() && ::rename(beside.c_str(), step.path.c_str()) != 0) {
    written = SystemError(absl::StrCat("cannot replace ", step.path));
  }
  if (!written.ok()) ::unlink(beside.c_str());
  return written;
}

absl::Status Remove(const Step& step) {
  const bool folder = step.kind == Step::Kind::kRemoveFolder;
  if ((folder ? ::rmdir(step.path.c_str()) : ::unlink(step.path.c_str())) == 0 || errno == ENOENT) {
    return absl::OkStatus();
  }
  if (folder && (errno == ENOTEMPTY || errno == EEXIST)) return absl::OkStatus();
  return SystemError(absl::StrCat("cannot remove ", step.path));
}

absl::Status Failed(const Step& step, const ChildOutput& said) {
  std::string text = HarmlessLines(said.text);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return absl::InternalError(absl::StrCat(ShellWords(step.command), " ended with code ",
                                          said.exit_code, text.empty() ? "" : ": ", text,
                                          step.if_it_fails.empty() ? "" : "\n", step.if_it_fails));
}

absl::Status Run(const Step& step) {
  const absl::StatusOr<ChildOutput> said = RunChild(step.command);
  if (!said.ok()) return LocalProblem(said.status());
  return said->exit_code == 0 ? absl::OkStatus() : Failed(step, *said);
}

absl::Status Show(const Step& step) {
  const absl::StatusOr<int> code = RunChildHere(step.command);
  if (!code.ok()) return LocalProblem(code.status());
  constexpr int kInterrupted = 128 + 2;  // by Ctrl-C, which is how following ends
  return *code == 0 || *code == kInterrupted ? absl::OkStatus() : Failed(step, {*code, ""});
}

absl::Status Wait(const Step& step) {
  const absl::Time end = absl::Now() + absl::Seconds(step.seconds);
  for (;;) {
    const absl::StatusOr<ChildOutput> said = RunChild(step.command);
    if (!said.ok()) return LocalProblem(said.status());
    if (said->exit_code != 0) return absl::OkStatus();
    if (!step.until_not_said.empty() && said->text.find(step.until_not_said) == std::string::npos) {
      return absl::OkStatus();
    }
    if (absl::Now() >= end) {
      return absl::DeadlineExceededError(
          absl::StrCat("after ", step.seconds, " s ", ShellWords(step.command),
                       " still says that the service is there; anectl logs may say why"));
    }
    absl::SleepFor(absl::Milliseconds(100));
  }
}

}  // namespace

absl::Status CarryOut(const Step& step) {
  switch (step.kind) {
    case Step::Kind::kMakeFolder:
      return MakeFolder(step.path, step.mode);
    case Step::Kind::kSetMode:
      return SetMode(step.path, step.mode);
    case Step::Kind::kWriteFile:
      return WriteFile(step);
    case Step::Kind::kRemoveFile:
    case Step::Kind::kRemoveFolder:
      return Remove(step);
    case Step::Kind::kRun:
      return Run(step);
    case Step::Kind::kShow:
      return Show(step);
    case Step::Kind::kWait:
      return Wait(step);
  }
  return absl::InternalError("no such step");
}

}  // namespace anex::cli
