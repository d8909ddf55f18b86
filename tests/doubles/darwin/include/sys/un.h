// Linux's <sys/un.h> and the names that macOS's has besides, with their values there.
#pragma once
#include_next <sys/un.h>

#define SOL_LOCAL 0
#define LOCAL_PEERCRED 0x001
#define LOCAL_PEERPID 0x002
