#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "server/door/listen_sockets.h"
#include "server/door/peer.h"
#include "server/door/runtime_dir.h"

namespace anex::door {
namespace {

// REQUIRES: `path` fits, which SocketPath checked.
sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

absl::StatusOr<shm::OwnedDescriptor> NewSocket() {
  shm::OwnedDescriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  if (!socket.valid() || ::fcntl(socket.get(), F_SETFD, FD_CLOEXEC) != 0 ||
      ::fcntl(socket.get(), F_SETFL, O_NONBLOCK) != 0) {
    return absl::ResourceExhaustedError(absl::StrCat("socket: ", strerror(errno)));
  }
  return socket;
}

// OK if nobody answers at `path`. A full queue of connections (EAGAIN) is an answer too.
absl::Status CheckNobodyListens(const std::string& path) {
  absl::StatusOr<shm::OwnedDescriptor> probe = NewSocket();
  if (!probe.ok()) return probe.status();
  const sockaddr_un address = AddressOf(path);
  if (::connect(probe->get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 &&
      (errno == ECONNREFUSED || errno == ENOENT)) {
    return absl::OkStatus();
  }
  absl::StatusOr<Peer> peer = PeerOf(probe->get());  // of a listener: whoever called listen
  const std::string who = peer.ok() ? absl::StrCat("process ", peer->pid) : "another process";
  return absl::AlreadyExistsError(
      absl::StrCat(who, " listens on ", path, "; stop it, or choose another runtime folder"));
}

absl::Status RemoveLeftOver(const std::string& path) {
  struct stat st;
  if (::lstat(path.c_str(), &st) != 0) {
    if (errno == ENOENT) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat("lstat of ", path, ": ", strerror(errno)));
  }
  if (!S_ISSOCK(st.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is in the way and is no socket; move it away"));
  }
  if (absl::Status s = CheckNobodyListens(path); !s.ok()) return s;
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return absl::PermissionDeniedError(absl::StrCat("unlink of ", path, ": ", strerror(errno)));
  }
  return absl::OkStatus();
}

}  // namespace

ListenSocket::ListenSocket(ListenSocket&& other) noexcept
    : socket_(std::move(other.socket_)),
      role_(other.role_),
      path_(std::exchange(other.path_, {})),
      device_(other.device_),
      inode_(other.inode_),
      passed_(other.passed_) {}

ListenSocket& ListenSocket::operator=(ListenSocket&& other) noexcept {
  if (this == &other) return *this;
  RemoveFile();
  socket_ = std::move(other.socket_);
  role_ = other.role_;
  path_ = std::exchange(other.path_, {});
  device_ = other.device_;
  inode_ = other.inode_;
  passed_ = other.passed_;
  return *this;
}

ListenSocket::~ListenSocket() { RemoveFile(); }

void ListenSocket::RemoveFile() {
  if (!path_.empty() && !passed_ && StillOurs()) ::unlink(path_.c_str());
}

bool ListenSocket::StillOurs() const {
  if (passed_) return true;
  struct stat st;
  return ::lstat(path_.c_str(), &st) == 0 && static_cast<uint64_t>(st.st_ino) == inode_ &&
         static_cast<uint64_t>(st.st_dev) == device_;
}

absl::Status ListenSocket::Rebind() {
  absl::StatusOr<ListenSocket> fresh = Bind(role_, path_);
  if (!fresh.ok()) return fresh.status();
  path_.clear();  // the file at the path is the fresh socket's now
  *this = *std::move(fresh);
  return absl::OkStatus();
}

absl::StatusOr<ListenSocket> ListenSocket::Bind(ListenerRole role, const std::string& path) {
  if (absl::Status s = RemoveLeftOver(path); !s.ok()) return s;
  absl::StatusOr<shm::OwnedDescriptor> socket = NewSocket();
  if (!socket.ok()) return socket.status();
  const sockaddr_un address = AddressOf(path);
  // Linux makes the file with the mode of the unbound socket. Not by umask, which belongs to the
  // whole process: a folder that another thread makes at this moment would lose its x bit.
  ::fchmod(socket->get(), 0600);
  if (::bind(socket->get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return absl::FailedPreconditionError(absl::StrCat("bind to ", path, ": ", strerror(errno)));
  }
  // Elsewhere the mode is put right here; until then the folder's 0700 keeps everybody out, and
  // nothing listens yet.
  ::chmod(path.c_str(), 0600);
  struct stat st;
  if (::lstat(path.c_str(), &st) != 0) {
    return absl::AbortedError(absl::StrCat(path, " was removed while it was made"));
  }
  ListenSocket made(*std::move(socket), role, path, st.st_dev, st.st_ino);
  if (::listen(made.descriptor(), SOMAXCONN) != 0) {
    return absl::InternalError(absl::StrCat("listen on ", path, ": ", strerror(errno)));
  }
  return made;
}

absl::StatusOr<ListenSocket> ListenOwn(const InstanceLock& lock, ListenerRole role,
                                       const std::string& name) {
  absl::StatusOr<std::string> path = SocketPath(lock.dir(), name);
  if (!path.ok()) return path.status();
  return ListenSocket::Bind(role, *path);
}

}  // namespace anex::door
