// Types only, as Apple documents them: see ../../CMakeLists.txt.
#ifndef ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_OS_CLOCK_H_
#define ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_OS_CLOCK_H_

#include <stdint.h>

typedef enum : uint32_t { OS_CLOCK_MACH_ABSOLUTE_TIME = 32 } os_clockid_t;

#endif  // ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_OS_CLOCK_H_
