// One ring on the daemon's side: what its client puts in becomes submissions of its lane, what
// becomes of them is posted back. The device thread itself takes and posts, so an evaluation has
// one hop each way.
//
//   client -> entry -> Poll: copied once, decoded, resolved in the session -> Engine::Submit
//   client <- posted <- Push, on whatever thread completes
//
// Threads: Poll to poll_descriptor as WorkSource says; Push from any, several at once (the lock is
// for them; nothing is waited for under it).
//
// Distrust: DaemonRing reads each word of the client's once and keeps its own counts. An entry that
// says nonsense, or names what is not of the session, is answered with the reason; counters that
// make no sense break this ring (kBroken) and nothing else: its lane takes no more from it, what
// was accepted runs to its end. Of one look a ring gets at most kMostTaken submissions accepted, or
// one refused: making up refusals costs time, which its session pays for.
//
// Invariant: every entry that was taken is owed exactly one Post, and gets it. Room for it is what
// DaemonRing::Take looks for, so Reserve is free.
#ifndef ANEX_SERVER_RING_RING_SOURCE_H_
#define ANEX_SERVER_RING_RING_SOURCE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "proto/shm/doorbell.h"
#include "proto/shm/ring.h"
#include "proto/wire/ring_entry.h"
#include "server/engine/engine.h"

namespace anex::ring {

class RingSource final : public engine::WorkSource,
                         public engine::CompletionSink,
                         public std::enable_shared_from_this<RingSource> {
 public:
  static constexpr size_t kMostTaken = 16;

  struct Parts {
    std::shared_ptr<const engine::Admission> admission;  // held as long as the memory is
    engine::Engine* engine = nullptr;                    // outlives the source's time in it
    engine::Caller caller;                               // of the session; without a deadline
    LaneId lane;
    std::unique_ptr<shm::DaemonRing> ring;
    std::shared_ptr<const shm::Doorbell> bell;
    std::array<std::string, 2> tokens;  // that may not have been claimed; they end with the ring
    // The client's counters made no sense; from the device thread, once.
    std::function<void(std::string_view sentence)> on_broken;
  };
  explicit RingSource(Parts parts) : parts_(std::move(parts)) {}

  Taken Poll(size_t most) override;
  void Charge(int64_t ns) override;
  bool HasWork() const override;
  bool PrepareToSleep() override;
  void Awake(bool rang) override;
  bool finished() const override { return broken_; }
  void Detached() override;
  int poll_descriptor() const override { return parts_.bell->poll_descriptor(); }

  absl::Status Reserve() override { return absl::OkStatus(); }
  void Unreserve() override {}
  void Push(Completion completion) override;

 private:
  // Fills the batch if it is empty; false if there is nothing.
  bool Refill();
  // Answers the next entry of the batch with a refusal.
  void Refuse(uint64_t user_data, absl::Status status);

  const Parts parts_;
  bool broken_ = false;
  std::array<RingEntryWords, kMostTaken> batch_;  // taken, not yet looked at: [at_, count_)
  size_t at_ = 0, count_ = 0;
  absl::Mutex post_mutex_;  // one at a time posts and wakes
};

}  // namespace anex::ring

#endif  // ANEX_SERVER_RING_RING_SOURCE_H_
