// A submission queue: many submissions in flight, completions handed back as they end. One
// programming model in three modes: kRing puts entries into memory shared with the daemon, for one
// lane; kStream sends over one open stream and does not wait; kUnary makes one call per submission
// and waits for it, so at most one is in flight. Results are the same in all. kBest takes the first
// of the three that can be had; path() and note() say which it is and why it is no better.
//
// clang-format off
//   anex::SubmissionQueue queue = *lane.OpenQueue(16);     // or session.OpenQueue, for many lanes
//   absl::Status sent = queue.Submit(lane, step, 1);
//   sent.Update(queue.Submit(lane, step, 2));
//   absl::StatusOr<anex::Completion> first = queue.Next();
// clang-format on
//
// Threads: Submit from any thread, Next from one thread at a time, both at once. Moving by one
// owner while nobody else uses it. Bound: `credits` submissions whose completions were not yet
// taken by Next. RAII: the destructor ends the stream; what is in flight still runs, its
// completions are dropped.
#ifndef ANEX_CLIENT_ANEX_SUBMISSION_QUEUE_H_
#define ANEX_CLIENT_ANEX_SUBMISSION_QUEUE_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/anex/lane.h"
#include "client/anex/session_core.h"
#include "proto/values/execution_values.h"

namespace anex {

class WriteGuard;

class SubmissionQueue {
 public:
  SubmissionQueue();  // empty
  SubmissionQueue(SubmissionQueue&&) noexcept;
  SubmissionQueue& operator=(SubmissionQueue&&) noexcept;
  ~SubmissionQueue();

  explicit operator bool() const { return state_ != nullptr; }
  // Submits. A submission that the daemon refuses, or that fails, comes out of Next with that
  // status. RESOURCE_EXHAUSTED "credits=N" when N completions are outstanding: call Next first.
  // INVALID_ARGUMENT on a ring for another lane, or for step timings.
  absl::Status Submit(const Lane& lane, const Invocation& invocation, uint64_t user_data = 0,
                      const RunOptions& options = {});
  absl::Status Submit(const Lane& lane, const Chain& chain, uint64_t user_data = 0,
                      const RunOptions& options = {});
  // Publishes the guard's lease in the lane's order; the guard is empty afterwards if this is OK.
  absl::Status SubmitPublish(const Lane& lane, WriteGuard& guard, uint64_t user_data = 0);
  // A batch in one message, in order: all or nothing against the credits.
  absl::Status Submit(std::span<const Submission> submissions);

  // How submissions travel: kRing, kStream or kUnary.
  SubmitMode path() const;
  // What stood in the way of a better path; "" if nothing did, or none was asked for.
  std::string_view note() const;

  // The next completion, of whichever submission ended next; look at its status. DEADLINE_EXCEEDED
  // after `timeout`; FAILED_PRECONDITION when nothing is outstanding.
  absl::StatusOr<Completion> Next(absl::Duration timeout = absl::Seconds(60));
  // Takes all that is outstanding; OK, or the first status of a failed one.
  absl::Status Finish(absl::Duration timeout = absl::Seconds(60));
  uint32_t outstanding() const;

 private:
  friend class Lane;
  friend class Session;
  struct State;
  explicit SubmissionQueue(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace anex

#endif  // ANEX_CLIENT_ANEX_SUBMISSION_QUEUE_H_
