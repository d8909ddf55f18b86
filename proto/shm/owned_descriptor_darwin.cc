#include <mach/mach.h>

#include "proto/shm/owned_descriptor.h"

namespace anex::shm {

void ReleasePort(int port) {
  ::mach_port_deallocate(mach_task_self(), static_cast<mach_port_t>(port));
}

int DescriptorOfPort(int) { return -1; }

}  // namespace anex::shm
