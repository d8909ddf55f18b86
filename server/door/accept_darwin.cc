#include <fcntl.h>
#include <sys/socket.h>

#include "server/door/accept.h"

namespace anex::door {

shm::OwnedDescriptor AcceptConnection(int listener) {
  shm::OwnedDescriptor socket(::accept(listener, nullptr, nullptr));
  if (!socket.valid()) return socket;
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof(on));
  ::fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
  ::fcntl(socket.get(), F_SETFL, O_NONBLOCK);
  return socket;
}

}  // namespace anex::door
