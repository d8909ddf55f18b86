#include <sys/socket.h>

#include "server/door/accept.h"

namespace anex::door {

shm::OwnedDescriptor AcceptConnection(int listener) {
  return shm::OwnedDescriptor(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

}  // namespace anex::door
