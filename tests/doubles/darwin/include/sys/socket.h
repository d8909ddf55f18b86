// Linux's <sys/socket.h> and the names that macOS's has besides, with their values there.
#pragma once
#include_next <sys/socket.h>

#define SO_NOSIGPIPE 0x1022
