// Types only, as Apple documents them: see ../../CMakeLists.txt.
#ifndef ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_SYS_SYSCTL_H_
#define ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_SYS_SYSCTL_H_

#include <stddef.h>

extern "C" int sysctlbyname(const char* name, void* old_value, size_t* old_size, void* new_value,
                            size_t new_size);

#endif  // ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_SYS_SYSCTL_H_
