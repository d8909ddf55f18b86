// Lanes and fences. A lane is a FIFO of submissions of one scheduling class: order holds within a
// lane, not between lanes. A fence is a counter that only grows and orders work across lanes.
//
// Threads: const methods from any thread; moving and Release by one owner.
// RAII: releasing a lane cancels what is queued in it.
#ifndef ANEX_CLIENT_ANEX_LANE_H_
#define ANEX_CLIENT_ANEX_LANE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/anex/lane_runner.h"
#include "client/anex/session_core.h"
#include "client/anex/submit_path.h"
#include "proto/values/execution_values.h"

namespace anex {

class Chain;
class Invocation;
class SubmissionQueue;

struct RunOptions {
  absl::Duration deadline = absl::ZeroDuration();  // from acceptance; zero = the daemon's default
  bool step_timings = false;                       // chains: fill Completion::step_ns
};

class Lane {
 public:
  Lane() = default;  // empty
  Lane(Lane&&) noexcept = default;
  Lane& operator=(Lane&&) noexcept = default;

  explicit operator bool() const { return static_cast<bool>(handle_.id()); }
  LaneId id() const { return handle_.id(); }
  // Submits one and waits for its end: one round trip, through a ring from the second one on if
  // there are rings (lane_runner.h). A refusal and a failed run are both the error. For many in
  // flight use OpenQueue.
  absl::StatusOr<Completion> Run(const Invocation& invocation,
                                 const RunOptions& options = {}) const;
  absl::StatusOr<Completion> Run(const Chain& chain, const RunOptions& options = {}) const;
  // Many in flight in this lane: ring, else stream, else unary; or the one that is asked for.
  absl::StatusOr<SubmissionQueue> OpenQueue(uint32_t credits = 64,
                                            SubmitMode mode = SubmitMode::kBest) const;
  // How Run travels at present, kRing or kUnary, and what stands in the way of a ring.
  SubmitMode path() const;
  std::string note() const;
  // Cancels what was submitted with `user_data`; how many were told to stop.
  absl::StatusOr<uint32_t> Cancel(uint64_t user_data) const;
  // What is in it, and when its next turn comes.
  absl::StatusOr<LaneStatus> Describe() const;
  absl::Status WaitIdle() const;
  absl::Status Release();

 private:
  friend class Session;
  Lane(internal::CorePtr core, LaneId id)
      : runner_(std::make_unique<internal::LaneRunner>(core, id)), handle_(std::move(core), id) {}
  absl::StatusOr<Completion> RunOne(const absl::StatusOr<Submission>& submission) const;

  // Dies after the lane, with which its ring goes.
  std::unique_ptr<internal::LaneRunner> runner_;
  internal::OwnedHandle<LaneId, &Transport::ReleaseLane> handle_;
};

class Fence {
 public:
  Fence() = default;  // empty
  Fence(Fence&&) noexcept = default;
  Fence& operator=(Fence&&) noexcept = default;

  explicit operator bool() const { return static_cast<bool>(handle_.id()); }
  FenceId id() const { return handle_.id(); }
  absl::Status Signal(uint64_t value) const;
  // Waits until the counter has reached `value`; returns where it is.
  absl::StatusOr<uint64_t> Wait(uint64_t value) const;
  absl::Status Release();

 private:
  friend class Session;
  Fence(internal::CorePtr core, FenceId id) : handle_(std::move(core), id) {}

  internal::OwnedHandle<FenceId, &Transport::ReleaseFence> handle_;
};

// The submission of one run, for SubmissionQueue. FAILED_PRECONDITION if an object is empty.
absl::StatusOr<Submission> MakeSubmission(const Lane& lane, const Invocation& invocation,
                                          uint64_t user_data = 0, const RunOptions& options = {});
absl::StatusOr<Submission> MakeSubmission(const Lane& lane, const Chain& chain,
                                          uint64_t user_data = 0, const RunOptions& options = {});

}  // namespace anex

#endif  // ANEX_CLIENT_ANEX_LANE_H_
