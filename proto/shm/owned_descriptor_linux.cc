#include <unistd.h>

#include "proto/shm/owned_descriptor.h"

namespace anex::shm {

void ReleasePort(int port) { ::close(port); }

}  // namespace anex::shm
