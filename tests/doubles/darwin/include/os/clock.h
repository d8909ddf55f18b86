// Of macOS's <os/clock.h> what proto/shm uses: names, types and values as there.
#pragma once
#include <stdint.h>

typedef enum os_clockid : uint32_t { OS_CLOCK_MACH_ABSOLUTE_TIME = 32 } os_clockid_t;
