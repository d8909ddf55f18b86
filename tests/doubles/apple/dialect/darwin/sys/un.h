// Types only, as Apple documents them: see ../../CMakeLists.txt.
#ifndef ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_SYS_UN_H_
#define ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_SYS_UN_H_

#include <sys/socket.h>

#define SOL_LOCAL 0
#define LOCAL_PEERCRED 0x001
#define LOCAL_PEERPID 0x002

struct sockaddr_un {
  unsigned char sun_len;
  sa_family_t sun_family;
  char sun_path[104];
};

#endif  // ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_SYS_UN_H_
