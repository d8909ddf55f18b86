#include "server/device/apple/work_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace anex::device::apple {
namespace {

namespace fs = std::filesystem;

absl::Status SystemError(int error, std::string_view what, const std::string& path) {
  const std::string text = absl::StrCat(std::string(what), " ", path, ": ", std::strerror(error));
  if (error == ENOSPC || error == EDQUOT || error == EMFILE || error == ENFILE) {
    return absl::ResourceExhaustedError(text);
  }
  return absl::FailedPreconditionError(text);
}

// Ours, a folder, and nobody else's business.
absl::Status CheckOurs(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return SystemError(errno, "cannot look at", path);
  if (!S_ISDIR(found.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(path, " is not a folder; remove it"));
  }
  if (found.st_uid != ::geteuid()) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " belongs to user ", found.st_uid, "; programs are not put there"));
  }
  if ((found.st_mode & 077) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is open to others; make it 0700 or remove it"));
  }
  return absl::OkStatus();
}

// A name that stays within its folder.
bool IsPlain(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == name.npos &&
         name.find('\0') == name.npos;
}

absl::Status MakeFolder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0) return SystemError(errno, "cannot make", path);
  return absl::OkStatus();
}

absl::Status WriteAll(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError(errno, "cannot write", path);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status WriteFile(const std::string& path, std::string_view bytes) {
  shm::OwnedDescriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid()) return SystemError(errno, "cannot make", path);
  return WriteAll(file.get(), bytes, path);
}

// `relative` below `folder`, with the folders on its way.
absl::Status WriteBelow(const std::string& folder, const std::string& relative,
                        std::string_view bytes) {
  std::string path = folder;
  const std::vector<std::string> parts = absl::StrSplit(relative, '/');
  for (size_t i = 0; i < parts.size(); ++i) {
    if (!IsPlain(parts[i])) {
      return absl::InvalidArgumentError(
          absl::StrCat("the weight file \"", relative, "\" has no place below a model's folder"));
    }
    absl::StrAppend(&path, "/", parts[i]);
    if (i + 1 == parts.size()) return WriteFile(path, bytes);
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
      return SystemError(errno, "cannot make", path);
    }
  }
  return absl::OkStatus();
}

absl::Status WriteProgram(const std::string& folder, const ProgramSource& source) {
  if (absl::Status made = MakeFolder(folder); !made.ok()) return made;
  if (absl::Status put = WriteFile(folder + "/model.mil", source.text); !put.ok()) return put;
  for (const auto& [name, bytes] : source.weights) {
    if (absl::Status put = WriteBelow(folder, name, *bytes); !put.ok()) return put;
  }
  return absl::OkStatus();
}

std::string LockPathOf(const std::string& folder) { return folder + ".lock"; }

// A descriptor of the lock file with a lock of `mode`; not valid if it cannot be had at once and
// `mode` says LOCK_NB. A file that was removed meanwhile locks nothing: another try then.
absl::StatusOr<shm::OwnedDescriptor> Lock(const std::string& path, int mode) {
  for (;;) {
    shm::OwnedDescriptor file(
        ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.valid()) return SystemError(errno, "cannot make", path);
    while (::flock(file.get(), mode) != 0) {
      if (errno == EWOULDBLOCK) return shm::OwnedDescriptor();
      if (errno != EINTR) return SystemError(errno, "cannot lock", path);
    }
    struct stat locked {
    }, named{};
    if (::fstat(file.get(), &locked) == 0 && ::lstat(path.c_str(), &named) == 0 &&
        locked.st_ino == named.st_ino && locked.st_dev == named.st_dev) {
      return file;
    }
  }
}

// REQUIRES: the exclusive lock.
absl::Status MakeAnew(const std::string& folder, const ProgramSource& source) {
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  absl::Status made = WriteProgram(folder, source);
  if (!made.ok()) fs::remove_all(folder, ignored);
  return made;
}

// The folder with its lock held shared.
absl::StatusOr<shm::OwnedDescriptor> MakeOrShare(const std::string& folder,
                                                 const ProgramSource& source) {
  const std::string lock_path = LockPathOf(folder);
  for (;;) {
    absl::StatusOr<shm::OwnedDescriptor> lock = Lock(lock_path, LOCK_EX | LOCK_NB);
    if (!lock.ok()) return lock.status();
    if (lock->valid()) {  // nobody uses it
      if (absl::Status made = MakeAnew(folder, source); !made.ok()) {
        ::unlink(lock_path.c_str());
        return made;
      }
      ::flock(lock->get(), LOCK_SH);  // ours: it cannot fail
      return lock;
    }
    lock = Lock(lock_path, LOCK_SH);  // waits for who makes or removes it
    if (!lock.ok()) return lock.status();
    if (::access((folder + "/model.mil").c_str(), R_OK) == 0) return lock;
  }
}

}  // namespace

WorkFolder::~WorkFolder() {
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) return;  // another process goes on with it
  std::error_code ignored;  // what cannot be removed now is replaced when its name comes again
  fs::remove_all(path_, ignored);
  ::unlink(LockPathOf(path_).c_str());
}

absl::StatusOr<std::shared_ptr<WorkFolders>> WorkFolders::Open(std::string root) {
  while (root.size() > 1 && root.back() == '/') root.pop_back();
  if (::mkdir(root.c_str(), 0700) != 0 && errno != EEXIST) {
    return SystemError(errno, "cannot make", root);
  }
  if (absl::Status ours = CheckOurs(root); !ours.ok()) return ours;
  return std::shared_ptr<WorkFolders>(new WorkFolders(std::move(root)));
}

absl::StatusOr<std::shared_ptr<WorkFolder>> WorkFolders::Put(const std::string& name,
                                                             const ProgramSource& source) {
  if (!IsPlain(name)) {
    return absl::InvalidArgumentError(absl::StrCat("\"", name, "\" is no name for a folder"));
  }
  absl::MutexLock lock(&mutex_);
  if (auto shared = folders_[name].lock()) return shared;
  const std::string path = absl::StrCat(root_, "/", name);
  absl::StatusOr<shm::OwnedDescriptor> held = MakeOrShare(path, source);
  if (!held.ok()) return held.status();
  auto folder = std::make_shared<WorkFolder>(path, *std::move(held));
  std::erase_if(folders_, [](const auto& entry) { return entry.second.expired(); });
  folders_[name] = folder;
  return folder;
}

}  // namespace anex::device::apple
