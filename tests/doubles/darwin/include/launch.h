// Of macOS's <launch.h> what server/door uses. Defined by launch_double.cc.
#pragma once
#include <stddef.h>

extern "C" int launch_activate_socket(const char* name, int** fds, size_t* cnt);
