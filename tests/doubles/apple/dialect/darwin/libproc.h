// Types only, as Apple documents them: see ../CMakeLists.txt.
#ifndef ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_LIBPROC_H_
#define ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_LIBPROC_H_

#include <stdint.h>

struct proc_bsdinfo {
  uint32_t pbi_flags, pbi_pid;
  uint64_t pbi_start_tvsec, pbi_start_tvusec;
};
enum { PROC_PIDTBSDINFO = 3 };

extern "C" int proc_pidinfo(int pid, int flavor, uint64_t argument, void* buffer, int size);

#endif  // ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_LIBPROC_H_
