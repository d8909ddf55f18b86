// Who is at the other end of a unix socket, as the kernel says: nothing in here was stated by the
// peer. Values, any thread.
#ifndef ANEX_SERVER_DOOR_PEER_H_
#define ANEX_SERVER_DOOR_PEER_H_

#include <cstdint>

#include "absl/status/statusor.h"

namespace anex::door {

struct Peer {
  uint32_t uid = 0;
  uint32_t gid = 0;
  int64_t pid = 0;  // of the process that connected
  uint64_t start_time =
      0;  // of that process; pid and start time together are never reused. The unit
          // is the system's own (Linux: clock ticks since boot): compare only
  friend bool operator==(const Peer&, const Peer&) = default;
};

// The peer of a connected unix socket. UNAVAILABLE if the process has gone already,
// FAILED_PRECONDITION if it lives in a pid namespace that this process cannot see.
absl::StatusOr<Peer> PeerOf(int socket);

}  // namespace anex::door

#endif  // ANEX_SERVER_DOOR_PEER_H_
