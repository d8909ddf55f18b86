#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/door/peer.h"
#include "server/door/process_linux.h"

namespace anex::door {
namespace {

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77  // Linux 6.5; newer than the headers of Debian 12
#endif

absl::Status Gone() { return absl::UnavailableError("the peer's process has exited"); }

absl::Status SystemError(int error, const char* call) {
  const std::string text = absl::StrCat(call, ": ", strerror(error));
  if (error == ESRCH || error == ENOENT) return Gone();
  if (error == EMFILE || error == ENFILE) return absl::ResourceExhaustedError(text);
  return absl::InternalError(text);
}

}  // namespace

absl::StatusOr<shm::OwnedDescriptor> PidfdOfPeer(int socket, int64_t pid) {
  int fd = -1;
  socklen_t size = sizeof(fd);
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &fd, &size) == 0) {
    return shm::OwnedDescriptor(fd);  // close-on-exec already
  }
  if (errno == ESRCH || errno == EMFILE || errno == ENFILE) {
    return SystemError(errno, "getsockopt(SO_PEERPIDFD)");
  }
  fd = static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0));
  if (fd < 0) return SystemError(errno, "pidfd_open");
  return shm::OwnedDescriptor(fd);
}

absl::StatusOr<uint64_t> StartTimeOf(int64_t pid) {
  const shm::OwnedDescriptor file(
      ::open(absl::StrCat("/proc/", pid, "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return SystemError(errno, "open of the peer's stat");
  char text[1024];
  const ssize_t size = ::read(file.get(), text, sizeof(text));
  if (size <= 0) return size < 0 ? SystemError(errno, "read of the peer's stat") : Gone();
  // The second field is the name in parentheses and may hold anything, parentheses and spaces too;
  // it ends with the last ')'. After it come fields 3, 4, ...
  const std::string_view all(text, static_cast<size_t>(size));
  const size_t end_of_name = all.rfind(')');
  if (end_of_name == std::string_view::npos) return absl::InternalError("/proc/PID/stat: no name");
  const std::string rest(all.substr(end_of_name + 1));
  const std::vector<std::string> fields = absl::StrSplit(rest, ' ', absl::SkipEmpty());
  uint64_t ticks = 0;
  constexpr size_t kStartTime = 22 - 3;
  if (fields.size() <= kStartTime || !absl::SimpleAtoi(fields[kStartTime], &ticks)) {
    return absl::InternalError("/proc/PID/stat: no start time");
  }
  return ticks;
}

bool IsAlive(const shm::OwnedDescriptor& pidfd) {
  pollfd entry{pidfd.get(), POLLIN, 0};
  return ::poll(&entry, 1, 0) == 0;
}

absl::StatusOr<Peer> PeerOf(int socket) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return SystemError(errno, "getsockopt(SO_PEERCRED)");
  }
  if (credentials.pid <= 0) {
    return absl::FailedPreconditionError(
        "the peer's process is in a pid namespace that this process cannot see: run both in one");
  }
  // The pidfd first: if it is still alive after the start time was read, the number did not change
  // hands in between.
  absl::StatusOr<shm::OwnedDescriptor> pidfd = PidfdOfPeer(socket, credentials.pid);
  if (!pidfd.ok()) return pidfd.status();
  absl::StatusOr<uint64_t> start_time = StartTimeOf(credentials.pid);
  if (!start_time.ok()) return start_time.status();
  if (!IsAlive(*pidfd)) return Gone();
  return Peer{.uid = credentials.uid,
              .gid = credentials.gid,
              .pid = credentials.pid,
              .start_time = *start_time};
}

}  // namespace anex::door
