// Types only, as Apple documents them: see ../../CMakeLists.txt.
#ifndef ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_SYS_UCRED_H_
#define ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_SYS_UCRED_H_

#include <sys/types.h>

struct xucred {
  unsigned int cr_version;
  uid_t cr_uid;
  short cr_ngroups;
  gid_t cr_groups[16];
};

#endif  // ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_SYS_UCRED_H_
