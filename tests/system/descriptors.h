// Descriptors for tests, close-on-exec, made by calls that every unix has. Between the call and the
// flag another thread may start a process that inherits one: tests can live with that.
#ifndef ANEX_TESTS_SYSTEM_DESCRIPTORS_H_
#define ANEX_TESTS_SYSTEM_DESCRIPTORS_H_

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

namespace anex::test {

inline int CloseOnExec(int fd) {
  if (fd >= 0) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return fd;
}

// A unix stream socket; -1 when descriptors are short.
inline int NewSocket() { return CloseOnExec(::socket(AF_UNIX, SOCK_STREAM, 0)); }

// As pipe and socketpair: 0, or -1 with errno.
inline int NewPipe(int ends[2]) {
  const int result = ::pipe(ends);
  for (int i = 0; result == 0 && i < 2; ++i) CloseOnExec(ends[i]);
  return result;
}
inline int NewSocketPair(int ends[2]) {
  const int result = ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
  for (int i = 0; result == 0 && i < 2; ++i) CloseOnExec(ends[i]);
  return result;
}

// A file of `size` bytes without a name: to be mapped by everybody, and cut short by everybody.
inline int NewLooseFile(off_t size) {
  char path[] = "/tmp/anex-loose.XXXXXX";
  const int fd = CloseOnExec(::mkstemp(path));
  if (fd >= 0) ::unlink(path);
  if (fd >= 0 && ::ftruncate(fd, size) == 0) return fd;
  ::close(fd);
  return -1;
}

}  // namespace anex::test

#endif  // ANEX_TESTS_SYSTEM_DESCRIPTORS_H_
