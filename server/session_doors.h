// Ties the doors to the rest of the daemon: side channels to the engine's sessions, accepted
// connections to whoever serves them.
//
// Threads: EngineSideChannelHost is called from the side-channel door's thread, DoorKeeper from the
// front door's and, about XPC peers, from the system's.
#ifndef ANEX_SERVER_SESSION_DOORS_H_
#define ANEX_SERVER_SESSION_DOORS_H_

#include <functional>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "proto/shm/owned_descriptor.h"
#include "server/door/front_door.h"
#include "server/door/side_channel_door.h"
#include "server/door/side_channel_host.h"
#include "server/door/surface_service.h"
#include "server/engine/engine.h"
#include "server/log.h"

namespace anex::server {

// The engine as the side-channel door sees it. The door's tokens are 32 bytes, the engine's the
// same bytes as hex. Logs who came and who went, never a token.
class EngineSideChannelHost final : public door::SideChannelHost {
 public:
  // Both must outlive the host.
  EngineSideChannelHost(engine::Engine& engine, const Log& log) : engine_(engine), log_(log) {}

  absl::StatusOr<SessionId> Attach(const SideChannelToken& token, const door::Peer& peer) override;
  absl::StatusOr<door::Delivery> TakeHandover(SessionId session,
                                              const SideChannelToken& token) override;
  absl::StatusOr<SideChannelToken> OfferRegion(SessionId session,
                                               std::shared_ptr<shm::SharedRegion> region) override;
  // Idempotent, because Engine::SessionGone is: a session that Close ended comes here again.
  void SessionGone(SessionId session, door::SessionEnd end) override;

 private:
  engine::Engine& engine_;
  const Log& log_;
  RateLimiter refusals_{8, std::chrono::seconds(10)};
};

// What the side channel's goodbye says when the front ended a session for `reason`.
ByeReason ByeReasonOf(std::string_view reason);

// Hands accepted connections and XPC peers on by their role, and logs those that were turned away,
// a few lines in each ten seconds at most.
class DoorKeeper final : public door::FrontDoorEvents, public door::SurfaceServiceEvents {
 public:
  using AdoptGrpc = std::function<void(shm::OwnedDescriptor, door::ListenerRole)>;

  // `side_door` and `log` must outlive the keeper; `adopt_grpc` takes owners and observers.
  DoorKeeper(door::SideChannelDoor& side_door, AdoptGrpc adopt_grpc, const Log& log)
      : side_door_(side_door), adopt_grpc_(std::move(adopt_grpc)), log_(log) {}

  void OnConnection(shm::OwnedDescriptor connection, const door::Peer& peer,
                    door::ListenerRole role) override;
  void OnRefused(door::ListenerRole role, const absl::Status& why) override;
  void OnListenerLost(door::ListenerRole role, const absl::Status& outcome) override;
  void OnPeer(std::unique_ptr<shm::SideChannel> channel, const door::Peer& peer) override;
  void OnPeerRefused(const absl::Status& why) override;
  void OnServiceLost(const absl::Status& why) override;

 private:
  void LogRefusal(std::string_view where, const absl::Status& why);

  door::SideChannelDoor& side_door_;
  const AdoptGrpc adopt_grpc_;
  const Log& log_;
  RateLimiter refusals_{8, std::chrono::seconds(10)};
};

}  // namespace anex::server

#endif  // ANEX_SERVER_SESSION_DOORS_H_
