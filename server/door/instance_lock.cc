#include "server/door/instance_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace anex::door {
namespace {

// The pid in the file, 0 if there is none (yet): a holder writes it just after it got the lock.
int64_t ReadPid(int file) {
  char text[32] = {};
  const ssize_t size = ::pread(file, text, sizeof(text) - 1, 0);
  int64_t pid = 0;
  if (size <= 0 || !absl::SimpleAtoi(text, &pid)) return 0;
  return pid;
}

absl::Status WritePid(int file, const std::string& path) {
  const std::string text = absl::StrCat(::getpid(), "\n");
  if (::ftruncate(file, 0) != 0 ||
      ::pwrite(file, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return absl::InternalError(absl::StrCat("cannot write ", path, ": ", strerror(errno)));
  }
  return absl::OkStatus();
}

absl::Status HeldBySomebody(const shm::OwnedDescriptor& file, const std::string& dir) {
  int64_t pid = ReadPid(file.get());
  for (int tries = 0; pid == 0 && tries < 20; ++tries) {  // at most 100 ms for it to be written
    absl::SleepFor(absl::Milliseconds(5));
    pid = ReadPid(file.get());
  }
  const std::string holder = pid == 0 ? "of unknown pid" : absl::StrCat("with pid ", pid);
  return absl::AlreadyExistsError(absl::StrCat("another anexd ", holder, " runs in ", dir,
                                               "; stop it, or choose another runtime folder"));
}

// True if `path` still names the file that is open: somebody may have replaced it before we locked
// it.
bool StillNamed(int file, const std::string& path) {
  struct stat open_file, named;
  return ::fstat(file, &open_file) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         open_file.st_ino == named.st_ino && open_file.st_dev == named.st_dev;
}

}  // namespace

absl::StatusOr<InstanceLock> InstanceLock::Acquire(const std::string& dir) {
  const std::string path = absl::StrCat(dir, "/anexd.lock");
  for (int tries = 0; tries < 10; ++tries) {
    shm::OwnedDescriptor file(
        ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.valid()) {
      return absl::FailedPreconditionError(
          absl::StrCat("cannot open lock file ", path, ": ", strerror(errno)));
    }
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) return HeldBySomebody(file, dir);
      if (errno == EINTR) continue;
      return absl::InternalError(absl::StrCat("cannot lock ", path, ": ", strerror(errno)));
    }
    if (!StillNamed(file.get(), path)) continue;
    if (absl::Status s = WritePid(file.get(), path); !s.ok()) return s;
    return InstanceLock(dir, std::move(file));
  }
  return absl::AbortedError(absl::StrCat("lock file ", path, " is replaced again and again"));
}

}  // namespace anex::door
