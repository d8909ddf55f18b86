// Of macOS's <mach-o/dyld.h> what tests/system uses.
#pragma once
#include <stdint.h>

extern "C" int _NSGetExecutablePath(char* buf, uint32_t* bufsize);
