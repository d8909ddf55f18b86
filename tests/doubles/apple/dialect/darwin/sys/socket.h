// Types only, as Apple documents them: see ../../CMakeLists.txt.
#ifndef ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_SYS_SOCKET_H_
#define ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_SYS_SOCKET_H_

#include_next <sys/socket.h>

#undef SO_PEERCRED  // Linux
#undef MSG_NOSIGNAL
#undef MSG_CMSG_CLOEXEC
#define SO_NOSIGPIPE 0x1022

#endif  // ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_SYS_SOCKET_H_
