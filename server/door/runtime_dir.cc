#include "server/door/runtime_dir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "proto/shm/owned_descriptor.h"

namespace anex::door {

absl::Status PrepareRuntimeDir(const std::string& path_with_slashes) {
  // A final slash would make the system follow a symbolic link, O_NOFOLLOW or not.
  std::string path = path_with_slashes;
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (path.empty()) return absl::InvalidArgumentError("the runtime folder has no name");
  // mkdir takes away bits of the umask but adds none, so 0700 never becomes wider.
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    const std::string text =
        absl::StrCat("cannot create runtime folder ", path, ": ", strerror(errno));
    if (errno == ENOENT)
      return absl::NotFoundError(absl::StrCat(text, " (create its parent first)"));
    return absl::PermissionDeniedError(text);
  }
  const shm::OwnedDescriptor dir(
      ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!dir.valid()) {
    if (errno == ENOTDIR || errno == ELOOP || errno == EMLINK) {
      return absl::FailedPreconditionError(absl::StrCat(
          "runtime folder ", path, " is a file or a symbolic link; name a real folder"));
    }
    return absl::PermissionDeniedError(
        absl::StrCat("cannot open runtime folder ", path, ": ", strerror(errno)));
  }
  struct stat st;
  if (::fstat(dir.get(), &st) != 0) {
    return absl::InternalError(absl::StrCat("fstat of ", path, ": ", strerror(errno)));
  }
  if (st.st_uid != ::geteuid()) {
    return absl::PermissionDeniedError(absl::StrCat("runtime folder ", path, " belongs to uid ",
                                                    st.st_uid, ", not to ", ::geteuid(),
                                                    "; name another one"));
  }
  if ((st.st_mode & 077) != 0) {
    return absl::PermissionDeniedError(absl::StrCat(
        "runtime folder ", path, " is open to other users (mode ", absl::Hex(st.st_mode >> 6 & 7),
        absl::Hex(st.st_mode >> 3 & 7), absl::Hex(st.st_mode & 7), "); run: chmod 700 ", path));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> SocketPath(const std::string& dir, const std::string& name) {
  std::string path = absl::StrCat(dir, "/", name);
  if (path.size() + 1 > kMaxSocketPath) {
    return absl::InvalidArgumentError(absl::StrCat(
        "socket path ", path, " has ", path.size() + 1, " bytes with its final NUL, the bound is ",
        kMaxSocketPath, "; choose a shorter runtime folder"));
  }
  return path;
}

}  // namespace anex::door
