#include "server/door/listen_sockets.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "absl/strings/str_cat.h"

namespace anex::door {
namespace {

constexpr ListenerRole kRoles[] = {ListenerRole::kOwner, ListenerRole::kObserver,
                                   ListenerRole::kSideChannel};

absl::Status NotOurs(std::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat("the service manager passed ",
                                                    std::string(what),
                                                    "; see launchd/README.md for its settings"));
}

// Where the socket is bound; nullopt if it is no listening unix stream socket.
std::optional<std::string> PathOf(int socket) {
  int type = 0, listening = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM) {
    return std::nullopt;
  }
  size = sizeof listening;
  if (::getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0) {
    return std::nullopt;
  }
  sockaddr_un address{};
  size = sizeof address;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
      address.sun_family != AF_UNIX) {
    return std::nullopt;
  }
  return std::string(address.sun_path);
}

std::optional<ListenerRole> RoleOf(std::string_view name) {
  for (const ListenerRole role : kRoles) {
    if (SocketNameOf(role) == name) return role;
  }
  return std::nullopt;
}

}  // namespace

std::string_view ListenerRoleName(ListenerRole role) {
  switch (role) {
    case ListenerRole::kOwner:
      return "owner";
    case ListenerRole::kObserver:
      return "observer";
    case ListenerRole::kSideChannel:
      return "side channel";
  }
  return "?";
}

std::string_view SocketNameOf(ListenerRole role) {
  switch (role) {
    case ListenerRole::kOwner:
      return kOwnerSocketName;
    case ListenerRole::kObserver:
      return kObserverSocketName;
    case ListenerRole::kSideChannel:
      return kSideSocketName;
  }
  return "?";
}

absl::StatusOr<ListenSocket> AdoptPassed(shm::OwnedDescriptor socket, const std::string& dir) {
  const std::optional<std::string> path = PathOf(socket.get());
  if (!path.has_value()) return NotOurs("something that is no listening unix socket");
  const size_t slash = path->rfind('/');
  const std::optional<ListenerRole> role =
      RoleOf(slash == path->npos ? *path : path->substr(slash + 1));
  if (!role.has_value()) {
    return NotOurs(
        absl::StrCat("a socket at ", *path, "; it should be called ", std::string(kOwnerSocketName),
                     ", ", std::string(kObserverSocketName), " or ", std::string(kSideSocketName)));
  }
  struct stat of_folder, of_dir, of_file;
  if (slash == path->npos || ::stat(path->substr(0, slash).c_str(), &of_folder) != 0 ||
      ::stat(dir.c_str(), &of_dir) != 0 || of_folder.st_dev != of_dir.st_dev ||
      of_folder.st_ino != of_dir.st_ino) {
    return NotOurs(absl::StrCat("a socket at ", *path, ", but the runtime folder is ", dir,
                                "; clients would look for it there"));
  }
  if (::lstat(path->c_str(), &of_file) != 0) {
    return NotOurs(absl::StrCat("a socket whose file ", *path, " is gone"));
  }
  if ((of_file.st_mode & 077) != 0) {
    return NotOurs(absl::StrCat("a socket at ", *path, " that others may connect to (mode ",
                                absl::Hex(of_file.st_mode >> 6 & 7),
                                absl::Hex(of_file.st_mode >> 3 & 7), absl::Hex(of_file.st_mode & 7),
                                "); it should be 0600"));
  }
  if (::fcntl(socket.get(), F_SETFD, FD_CLOEXEC) != 0 ||
      ::fcntl(socket.get(), F_SETFL, O_NONBLOCK) != 0) {
    return absl::InternalError(absl::StrCat("fcntl of a passed socket: ", strerror(errno)));
  }
  ListenSocket adopted(std::move(socket), *role, *path, of_file.st_dev, of_file.st_ino);
  adopted.passed_ = true;
  return adopted;
}

}  // namespace anex::door
