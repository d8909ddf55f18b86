// What the side-channel door needs from the engine's side: sessions and regions. The door knows
// frames, sockets and processes; the host knows what a token stands for.
//
// Threads: all calls come from the door's one thread, one at a time; none may block for long. A
// host may call SideChannelDoor::Notify and Wake from any thread, also from within these calls.
#ifndef ANEX_SERVER_DOOR_SIDE_CHANNEL_HOST_H_
#define ANEX_SERVER_DOOR_SIDE_CHANNEL_HOST_H_

#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "proto/shm/doorbell.h"
#include "proto/shm/shared_region.h"
#include "proto/wire/handle.h"
#include "proto/wire/side_channel_frame.h"
#include "server/door/peer.h"

namespace anex::door {

// Why a session's side channel ended.
enum class SessionEnd : uint8_t {
  kEndOfFile,      // the client closed its end, or every process that held it has gone
  kProcessExit,    // the process that connected has gone
  kClientBye,      // the client said goodbye
  kProtocolError,  // the client broke the rules of the frames
  kOverloaded,     // the client does not read what it is sent
  kNotified,       // Notify was called
  kShutdown,       // the door stops
};
std::string_view SessionEndName(SessionEnd end);  // "end of file", ...

// Memory, or a doorbell that the client is to ring.
struct Delivery {
  std::shared_ptr<shm::SharedRegion> region;  // null for a doorbell
  shm::RegionAccess access = shm::RegionAccess::kReadOnly;
  std::shared_ptr<const shm::Doorbell> bell;
};

class SideChannelHost {
 public:
  virtual ~SideChannelHost() = default;

  // A client showed the token that Open gave out. One use; `peer` must be of the uid that opened
  // the session. For each success there is exactly one SessionGone.
  virtual absl::StatusOr<SessionId> Attach(const SideChannelToken& token, const Peer& peer) = 0;
  // A hand-over that was prepared for this session and no other. One use. The code of an error is
  // sent to the client, its text is not.
  virtual absl::StatusOr<Delivery> TakeHandover(SessionId session,
                                                const SideChannelToken& token) = 0;
  // Memory that the client made, mapped and checked. Answers with a one-use import token.
  virtual absl::StatusOr<SideChannelToken> OfferRegion(
      SessionId session, std::shared_ptr<shm::SharedRegion> region) = 0;
  virtual void SessionGone(SessionId session, SessionEnd end) = 0;
  // The client sent a wake frame: look at its ring. Without rings there is nothing to do.
  virtual void Woken(SessionId) {}
};

}  // namespace anex::door

#endif  // ANEX_SERVER_DOOR_SIDE_CHANNEL_HOST_H_
