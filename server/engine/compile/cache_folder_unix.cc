#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/engine/compile/cache_folder.h"

namespace anex::engine::cache_folder {
namespace {

absl::Status Error(int number, std::string_view doing, std::string_view name) {
  const std::string what = absl::StrCat(std::string(doing), " ", std::string(name));
  switch (number) {
    case ENOENT:
      return absl::NotFoundError(what);
    case EEXIST:
    case ENOTEMPTY:
      return absl::AlreadyExistsError(what);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
      return absl::ResourceExhaustedError(absl::StrCat(what, ": ", std::strerror(number)));
    case ELOOP:
    case ENOTDIR:
      return absl::FailedPreconditionError(absl::StrCat(what, ": a link or not a folder"));
    default:
      return absl::ErrnoToStatus(number, what);
  }
}

// A descriptor that is closed unless released.
class OpenFile {
 public:
  explicit OpenFile(int fd) : fd_(fd) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

int OpenAt(const Folder& folder, std::string_view name, int flags, mode_t mode = 0) {
  return ::openat(folder.fd(), std::string(name).c_str(), flags | O_CLOEXEC | O_NOFOLLOW, mode);
}

absl::Status CheckOurs(const struct stat& info, mode_t type, std::string_view name) {
  if ((info.st_mode & S_IFMT) != type || info.st_uid != ::geteuid()) {
    return absl::FailedPreconditionError(
        absl::StrCat(std::string(name), " is not what it should be, or somebody else's"));
  }
  return absl::OkStatus();
}

}  // namespace

Folder::Folder(Folder&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
Folder& Folder::operator=(Folder&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}
Folder::~Folder() {
  if (fd_ >= 0) ::close(fd_);
}

absl::StatusOr<Folder> OpenRoot(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  std::error_code ignored;  // mkdir says it better
  if (!parent.empty()) std::filesystem::create_directories(parent, ignored);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return Error(errno, "make", path);
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Error(errno, "open", path);
  Folder folder(fd);
  struct stat info;
  if (::fstat(fd, &info) != 0) return Error(errno, "look at", path);
  if (absl::Status ours = CheckOurs(info, S_IFDIR, path); !ours.ok()) return ours;
  if ((info.st_mode & 022) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": others may write to it; chmod 700 it or name another folder"));
  }
  if (::faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) != 0) return Error(errno, "write to", path);
  return folder;
}

bool IsAt(const std::string& path, const Folder& folder) {
  struct stat named, open;
  return ::stat(path.c_str(), &named) == 0 && ::fstat(folder.fd(), &open) == 0 &&
         named.st_ino == open.st_ino && named.st_dev == open.st_dev;
}

absl::StatusOr<Folder> Open(const Folder& parent, std::string_view name) {
  const int fd = OpenAt(parent, name, O_RDONLY | O_DIRECTORY);
  if (fd < 0) return Error(errno, "open", name);
  Folder folder(fd);
  struct stat info;
  if (::fstat(fd, &info) != 0) return Error(errno, "look at", name);
  if (absl::Status ours = CheckOurs(info, S_IFDIR, name); !ours.ok()) return ours;
  return folder;
}

absl::StatusOr<Folder> CreateLocked(const Folder& parent, std::string_view name) {
  if (::mkdirat(parent.fd(), std::string(name).c_str(), 0700) != 0) {
    return Error(errno, "make", name);
  }
  absl::StatusOr<Folder> folder = Open(parent, name);
  if (!folder.ok()) return folder.status();
  if (::flock(folder->fd(), LOCK_EX | LOCK_NB) != 0) return Error(errno, "lock", name);
  return folder;
}

bool Unlocked(const Folder& folder) { return ::flock(folder.fd(), LOCK_EX | LOCK_NB) == 0; }

bool IsStill(const Folder& parent, std::string_view name, const Folder& folder) {
  struct stat named, open;
  return ::fstatat(parent.fd(), std::string(name).c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         ::fstat(folder.fd(), &open) == 0 && named.st_ino == open.st_ino &&
         named.st_dev == open.st_dev;
}

absl::StatusOr<std::vector<std::string>> ListNames(const Folder& folder) {
  // A descriptor of its own: fdopendir takes it, and the position in it must start at the top.
  const int fd = OpenAt(folder, ".", O_RDONLY | O_DIRECTORY);
  if (fd < 0) return Error(errno, "list", "a folder");
  std::unique_ptr<DIR, int (*)(DIR*)> dir(::fdopendir(fd), ::closedir);
  if (dir == nullptr) {
    ::close(fd);
    return Error(errno, "list", "a folder");
  }
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<FileInfo> Stat(const Folder& folder, std::string_view name) {
  struct stat info;
  if (::fstatat(folder.fd(), std::string(name).c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return Error(errno, "look at", name);
  }
  if (absl::Status ours = CheckOurs(info, S_IFREG, name); !ours.ok()) return ours;
#ifdef __APPLE__
  const timespec modified = info.st_mtimespec;
#else
  const timespec modified = info.st_mtim;
#endif
  return FileInfo{static_cast<uint64_t>(info.st_size),
                  int64_t{modified.tv_sec} * 1'000'000'000 + modified.tv_nsec};
}

absl::StatusOr<std::string> Read(const Folder& folder, std::string_view name, uint64_t bytes) {
  // O_NONBLOCK: a named pipe in the file's place must not stop us.
  const OpenFile file(OpenAt(folder, name, O_RDONLY | O_NONBLOCK));
  if (file.get() < 0) return Error(errno, "open", name);
  struct stat info;
  if (::fstat(file.get(), &info) != 0) return Error(errno, "look at", name);
  if (absl::Status ours = CheckOurs(info, S_IFREG, name); !ours.ok()) return ours;
  if (static_cast<uint64_t>(info.st_size) != bytes) {
    return absl::DataLossError(
        absl::StrCat(std::string(name), " has ", info.st_size, " bytes, not ", bytes));
  }
  std::string content(bytes, '\0');
  for (uint64_t done = 0; done < bytes;) {
    const ssize_t got = ::read(file.get(), content.data() + done, bytes - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error(errno, "read", name);
    if (got == 0) return absl::DataLossError(absl::StrCat(std::string(name), " is truncated"));
    done += static_cast<uint64_t>(got);
  }
  return content;
}

absl::Status Write(const Folder& folder, std::string_view name, std::string_view bytes) {
  const OpenFile file(OpenAt(folder, name, O_WRONLY | O_CREAT | O_EXCL, 0600));
  if (file.get() < 0) return Error(errno, "make", name);
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t put = ::write(file.get(), bytes.data() + done, bytes.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return Error(errno, "write", name);
    done += static_cast<size_t>(put);
  }
  if (::fsync(file.get()) != 0) return Error(errno, "sync", name);
  return absl::OkStatus();
}

absl::Status Sync(const Folder& folder) {
  return ::fsync(folder.fd()) == 0 ? absl::OkStatus() : Error(errno, "sync", "a folder");
}

void Touch(const Folder& folder, std::string_view name) {
  ::utimensat(folder.fd(), std::string(name).c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
}

absl::Status Rename(const Folder& parent, std::string_view from, std::string_view to) {
  if (::renameat(parent.fd(), std::string(from).c_str(), parent.fd(), std::string(to).c_str()) !=
      0) {
    return Error(errno, "rename to", to);
  }
  return absl::OkStatus();
}

void RemoveTree(const Folder& parent, std::string_view name) {
  const std::string path(name);
  if (::unlinkat(parent.fd(), path.c_str(), 0) == 0) return;
  if (absl::StatusOr<Folder> folder = Open(parent, name); folder.ok()) {
    absl::StatusOr<std::vector<std::string>> names = ListNames(*folder);
    // An entry is flat; deeper folders are somebody's mischief and go the same way.
    if (names.ok()) {
      for (const std::string& inner : *names) RemoveTree(*folder, inner);
    }
  }
  ::unlinkat(parent.fd(), path.c_str(), AT_REMOVEDIR);
}

}  // namespace anex::engine::cache_folder
