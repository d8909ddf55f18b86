// Opens rings for sessions and closes them: makes the memory and the doorbell, hands both over
// through the side channel, and lets the lane's device thread ask the ring for work. In between
// nothing passes through here.
//
// Threads: any; holds nothing of a ring (the engine does, with the lane).
// Bounds: a ring is one of the session's streams, its memory counts as its surfaces' bytes, and it
// has no more completions than a lane may queue; both count as long as its tokens have not been
// claimed, which end with it.
#ifndef ANEX_SERVER_RING_RING_DOOR_H_
#define ANEX_SERVER_RING_RING_DOOR_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/wire/handle.h"
#include "server/engine/engine.h"

namespace anex::ring {

struct RingSpec {
  LaneId lane;         // the ring is another way into it; empty = a lane is made
  LaneSpec made_lane;  // if one is made
  std::string device;  // "" = the lane's, or that of the first kernel which the ring brings it
  uint32_t submission_entries = 0, completion_entries = 0;
};

// The lane names its ring, too: there is one at most.
struct OpenedRing {
  LaneId lane;
  std::string region_token, bell_token;  // for the side channel
};

class RingDoor {
 public:
  using OnBroken = std::function<void(SessionId session, std::string_view sentence)>;

  // `engine` outlives the door. `on_broken` is told of clients whose counters make no sense, from
  // a device thread: it must neither wait nor call the engine. May be empty.
  RingDoor(engine::Engine& engine, OnBroken on_broken)
      : engine_(engine), on_broken_(std::move(on_broken)) {}

  // INVALID_ARGUMENT for entries that make no ring, NOT_FOUND for a lane or device,
  // ALREADY_EXISTS if the lane has a ring, FAILED_PRECONDITION if it is on another device,
  // RESOURCE_EXHAUSTED naming the bound.
  absl::StatusOr<OpenedRing> Open(const engine::Caller& caller, const RingSpec& spec);
  // Takes what is in it; what was accepted runs, its completions go nowhere. The lane stays.
  absl::Status Close(const engine::Caller& caller, LaneId lane);

 private:
  absl::StatusOr<OpenedRing> OpenOn(const engine::Caller& caller, const RingSpec& spec,
                                    LaneId lane);

  engine::Engine& engine_;
  const OnBroken on_broken_;
};

}  // namespace anex::ring

#endif  // ANEX_SERVER_RING_RING_DOOR_H_
