// Accepts a connection as the daemon wants it: non-blocking, close-on-exec, no SIGPIPE.
#ifndef ANEX_SERVER_DOOR_ACCEPT_H_
#define ANEX_SERVER_DOOR_ACCEPT_H_

#include "proto/shm/owned_descriptor.h"

namespace anex::door {

// An invalid descriptor with errno set on failure, as accept does. Any thread.
shm::OwnedDescriptor AcceptConnection(int listener);

}  // namespace anex::door

#endif  // ANEX_SERVER_DOOR_ACCEPT_H_
