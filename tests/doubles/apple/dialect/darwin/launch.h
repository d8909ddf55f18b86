// Types only, as Apple documents them: see ../CMakeLists.txt.
#ifndef ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_LAUNCH_H_
#define ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_LAUNCH_H_

#include <stddef.h>

extern "C" int launch_activate_socket(const char* name, int** descriptors, size_t* count);

#endif  // ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_LAUNCH_H_
