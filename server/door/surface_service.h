// The other way to the side channel, where the system hands memory over by messages of its own and
// not over sockets: on macOS the agent's XPC service. What comes over it are side channels like any
// other, with the same frames and the same one-use token that joins them to a session.
//
// Threads: Start and Stop from one. Events come on the system's threads, one at a time.
#ifndef ANEX_SERVER_DOOR_SURFACE_SERVICE_H_
#define ANEX_SERVER_DOOR_SURFACE_SERVICE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/shm/side_channel.h"
#include "server/door/peer.h"

namespace anex::door {

// As it stands under MachServices in com.anexd.agent.plist.
inline constexpr char kSurfaceServiceName[] = "com.anexd.agent.surfaces";

// What the rest of the daemon hears. No call may block for long, nor call Stop.
class SurfaceServiceEvents {
 public:
  virtual ~SurfaceServiceEvents() = default;
  // A client of the allowed user, who has said nothing yet. `peer` has no start time: the channel
  // ends with the process.
  virtual void OnPeer(std::unique_ptr<shm::SideChannel> channel, const Peer& peer) = 0;
  // PERMISSION_DENIED (other uid), RESOURCE_EXHAUSTED. Whom the system itself turns away, for want
  // of the required signature, is not told.
  virtual void OnPeerRefused(const absl::Status&) {}
  // The system gives the name to somebody else, or to nobody: no client finds it.
  virtual void OnServiceLost(const absl::Status&) {}
};

class SurfaceService {
 public:
  struct Options {
    std::string name = kSurfaceServiceName;
    uint32_t allowed_uid = 0;
    // What a client's code signature must satisfy, in the system's language of requirements; ""
    // for any program of the user, signed or not.
    std::string client_requirement;
  };
  virtual ~SurfaceService() = default;
  // No event comes after this. Clients that are there stay, new ones wait for the next daemon.
  // Idempotent.
  virtual void Stop() = 0;

 protected:
  SurfaceService() = default;
};

// Null where sockets do it all. INVALID_ARGUMENT if client_requirement is none. `events` must
// outlive the service.
absl::StatusOr<std::unique_ptr<SurfaceService>> StartSurfaceService(
    const SurfaceService::Options& options, SurfaceServiceEvents& events);
// Whether there is such a service for a daemon that the service manager started.
bool HasSurfaceService();

}  // namespace anex::door

#endif  // ANEX_SERVER_DOOR_SURFACE_SERVICE_H_
