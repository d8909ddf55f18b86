// The two ends of a ring (wire/ring_layout.h: picture, orderings, who may lie).
//
// Threads: ClientRing: Submit from one thread at a time, Take and Wait from one thread at a time,
// both at once; Abandon and state from any. DaemonRing: Take, PrepareToSleep and Awake from one
// thread at a time, Post and WakeClient from one thread at a time, both at once. Nothing here
// locks, allocates or blocks but ClientRing::Wait.
#ifndef ANEX_PROTO_SHM_RING_H_
#define ANEX_PROTO_SHM_RING_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/shm/doorbell.h"
#include "proto/shm/shared_region.h"
#include "proto/shm/yielding_look.h"
#include "proto/wire/ring_entry.h"
#include "proto/wire/ring_layout.h"

namespace anex::shm {

// Where the parts of a ring are in this process. Pointers into a region that the owner keeps alive.
struct RingParts {
  RingParts(std::byte* base, const RingGeometry& geometry);

  RingSlot& submission(uint32_t n) const { return submissions[n & submission_mask]; }
  RingSlot& completion(uint32_t n) const { return completions[n & completion_mask]; }
  char* text(uint32_t n) const { return texts + (n & completion_mask) * kRingTextBytes; }

  RingFrame* frame;
  RingSlot *submissions, *completions;
  char* texts;
  uint32_t submission_mask, completion_mask;
};

class ClientRing {
 public:
  // `region` holds a ring and is mapped read-write; `doorbell` wakes its daemon.
  static absl::StatusOr<std::unique_ptr<ClientRing>> Attach(std::shared_ptr<SharedRegion> region,
                                                            Doorbell doorbell);

  // Puts in as many as there are places for, from the first, and returns how many: fewer than given
  // is back-pressure.
  size_t Submit(std::span<const RingSubmission> submissions);

  struct Taken {
    RingCompletion completion;
    std::string_view text;  // of a failed one; valid until the next Take
  };
  // The oldest completion, if one is there. A completion that cannot be decoded (a broken daemon)
  // comes as INTERNAL.
  bool Take(Taken& to);
  // Until a completion is there (true), the ring is no longer open, or `timeout` has passed. Looks
  // and yields for a moment, then sleeps.
  bool Wait(absl::Duration timeout);

  // The daemon has gone without a word: the ring counts as closed, and who waits is woken.
  void Abandon();

  RingState state() const {
    if (abandoned_.load(std::memory_order_seq_cst)) return RingState::kClosed;
    return static_cast<RingState>(parts_.frame->state.value.load(std::memory_order_seq_cst));
  }
  const RingGeometry& geometry() const { return geometry_; }

 private:
  ClientRing(std::shared_ptr<SharedRegion> region, Doorbell doorbell, const RingGeometry& geometry);
  bool Something() const;
  void RingIfAsleep();

  const std::shared_ptr<SharedRegion> region_;
  const Doorbell doorbell_;
  const RingGeometry geometry_;
  const RingParts parts_;
  std::atomic<bool> abandoned_{false};
  uint32_t submitted_ = 0;  // what submission_tail says; the submitter's
  uint32_t taken_ = 0;      // what completion_head says
  WaitEstimate waits_;      // the taker's
  char text_[kRingTextBytes];
};

class DaemonRing {
 public:
  // Makes the memory. RESOURCE_EXHAUSTED when memory or descriptors are short.
  static absl::StatusOr<std::unique_ptr<DaemonRing>> Create(const RingGeometry& geometry,
                                                            std::string_view label);
  // The same over memory that is there already, at least geometry.bytes() of zeros.
  DaemonRing(std::shared_ptr<SharedRegion> region, const RingGeometry& geometry);

  const std::shared_ptr<SharedRegion>& region() const { return region_; }

  // Copies out at most out.size() entries that have a place for their completion; each is owed one
  // Post. DATA_LOSS, saying what was found, once the client's counters make no sense; the ring is
  // kBroken from then on.
  absl::StatusOr<size_t> Take(std::span<RingEntryWords> out);
  // True if Take would give something (or its error): not while what waits has no place for its
  // completion.
  bool HasSubmissions() const;

  // REQUIRES: an entry that was taken and has not been answered. `text` is cut to its place;
  // completion.text_bytes is filled in here. The client sees it after this; WakeClient wakes it.
  void Post(RingCompletion completion, std::string_view text = {});
  void WakeClient();

  // Before waiting for the doorbell: tells the client to ring it. False if something came in the
  // meantime: do not sleep.
  bool PrepareToSleep();
  void Awake();  // the client need not ring any more

  // Tells the client, and wakes it. The first one stays.
  void Close(RingState state);
  RingState state() const { return state_.load(std::memory_order_acquire); }

 private:
  bool Takable(uint32_t tail_untrusted, uint32_t head_untrusted) const;
  absl::Status Break(std::string_view what);
  void Wake();

  const std::shared_ptr<SharedRegion> region_;
  const RingGeometry geometry_;
  const RingParts parts_;
  std::atomic<RingState> state_{RingState::kOpen};
  uint32_t taken_ = 0;               // submissions, ever
  uint32_t last_head_ = 0;           // the last good completion_head
  std::atomic<uint32_t> posted_{0};  // completions, ever
};

}  // namespace anex::shm

#endif  // ANEX_PROTO_SHM_RING_H_
