// Many submissions in flight in one lane, through a ring in shared memory: no system call on either
// side while both are awake.
//
// Threads: Submit from any thread, Next from one at a time; no thread of its own.
// Credits: at most as many as the ring has places, so an entry always fits in; back-pressure is
// waiting for a credit, which Next gives back.
// The end: once the ring is closed (by its lane, its session, or the daemon going down or dying,
// which the side channel tells), what is there still comes out of Next, then UNAVAILABLE for all
// the rest. Nothing waits beyond it.
#ifndef ANEX_CLIENT_TRANSPORT_RING_SUBMISSION_STREAM_H_
#define ANEX_CLIENT_TRANSPORT_RING_SUBMISSION_STREAM_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/transport/transport.h"
#include "proto/shm/ring.h"

namespace anex {

class RingSubmissionStream final : public SubmissionStream {
 public:
  struct Parts {
    std::shared_ptr<shm::ClientRing> ring;
    LaneId lane;
    uint32_t credits = 1;  // at most the ring's places
    absl::Duration submit_patience = absl::Seconds(60);
    std::function<absl::Status()> gone;  // why the daemon is gone; OK while it is there
    std::function<void()> close;         // tells the daemon that nobody uses the ring any more
    std::shared_ptr<const void> keep;    // lives as long as the stream
  };
  explicit RingSubmissionStream(Parts parts) : parts_(std::move(parts)) {}
  ~RingSubmissionStream() override { parts_.close(); }

  // INVALID_ARGUMENT, and nothing is submitted, for another lane or for step timings, which a ring
  // does not carry.
  absl::Status Submit(std::span<const Submission> submissions) override;
  absl::StatusOr<Completion> Next(absl::Duration timeout) override;

 private:
  absl::Status Check(const Submission& submission) const;
  // Waits for at least one credit and takes as many as there are, at most `wanted`.
  absl::StatusOr<uint32_t> TakeCredits(size_t wanted) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Ended() const ABSL_LOCKS_EXCLUDED(mutex_);

  const Parts parts_;
  absl::Mutex write_mutex_;  // one writer at a time; taken before mutex_, never after
  mutable absl::Mutex mutex_;
  uint32_t in_flight_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace anex

#endif  // ANEX_CLIENT_TRANSPORT_RING_SUBMISSION_STREAM_H_
