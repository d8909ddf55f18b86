#include <unistd.h>

#include "proto/shm/owned_descriptor.h"

namespace anex::shm {

void ReleasePort(int port) { ::close(port); }
int DescriptorOfPort(int port) { return port; }

}  // namespace anex::shm
