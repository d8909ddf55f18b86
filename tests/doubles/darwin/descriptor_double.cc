// Calls that Linux has too but answers otherwise, reached through the linker (--wrap): peers of
// sockets by macOS's options, and the size of shared memory, which macOS lets one say once.
#include <errno.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/ucred.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <string>

extern "C" {
int __real_getsockopt(int socket, int level, int option, void* value, socklen_t* size);
int __real_ftruncate(int fd, off_t length);
int __wrap_getsockopt(int socket, int level, int option, void* value, socklen_t* size);
int __wrap_ftruncate(int fd, off_t length);
}

namespace {

int Refuse(int error) {
  errno = error;
  return -1;
}

template <typename T>
int Answer(const T& answer, void* value, socklen_t* size) {
  if (*size < sizeof(answer)) return Refuse(EINVAL);
  std::memcpy(value, &answer, sizeof(answer));
  *size = sizeof(answer);
  return 0;
}

bool IsSharedMemoryWithSize(int fd) {
  char path[PATH_MAX] = {};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  struct stat st;
  return ::readlink(link.c_str(), path, sizeof(path) - 1) > 0 &&
         std::strncmp(path, "/dev/shm/", 9) == 0 && ::fstat(fd, &st) == 0 && st.st_size != 0;
}

}  // namespace

int __wrap_getsockopt(int socket, int level, int option, void* value, socklen_t* size) {
  if (level != SOL_LOCAL) return __real_getsockopt(socket, level, option, value, size);
  ucred peer{};
  socklen_t length = sizeof(peer);
  if (__real_getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return -1;
  if (peer.pid <= 0) return Refuse(ENOTCONN);
  if (option == LOCAL_PEERPID) return Answer(peer.pid, value, size);
  if (option != LOCAL_PEERCRED) return Refuse(ENOPROTOOPT);
  xucred credentials{};
  credentials.cr_version = XUCRED_VERSION;
  credentials.cr_uid = peer.uid;
  credentials.cr_ngroups = 1;
  credentials.cr_groups[0] = peer.gid;
  return Answer(credentials, value, size);
}

int __wrap_ftruncate(int fd, off_t length) {
  if (IsSharedMemoryWithSize(fd)) return Refuse(EINVAL);
  return __real_ftruncate(fd, length);
}
