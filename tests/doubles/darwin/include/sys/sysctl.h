// Of macOS's <sys/sysctl.h> what server/engine and tests/system use, as there.
#pragma once
#include <stddef.h>

#define CTL_KERN 1
#define KERN_PROCARGS2 49

extern "C" {
int sysctl(int* name, unsigned int namelen, void* oldp, size_t* oldlenp, void* newp, size_t newlen);
int sysctlbyname(const char* name, void* oldp, size_t* oldlenp, void* newp, size_t newlen);
}
