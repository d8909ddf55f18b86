#include "client/transport/ring_submission_stream.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"

namespace anex {
namespace {

using Clock = std::chrono::steady_clock;

// Entries that are encoded at a time.
constexpr uint32_t kBatch = 16;
// How often who waits for a credit looks whether the ring still lives.
constexpr absl::Duration kLookEvery = absl::Milliseconds(50);

RingVerb VerbOf(const Submission& submission) {
  switch (submission.kind) {
    case SubmissionKind::kInvocation:
      return RingVerb::kInvocation;
    case SubmissionKind::kChain:
      return RingVerb::kChain;
    case SubmissionKind::kPublish:
      return RingVerb::kPublish;
    case SubmissionKind::kFence:
      break;
  }
  return submission.fence_signal ? RingVerb::kFenceSignal : RingVerb::kFenceWait;
}

// What its verb has no use for stays 0, as the entry's one spelling wants it.
RingSubmission EntryOf(const Submission& submission) {
  RingSubmission entry;
  entry.verb = VerbOf(submission);
  entry.user_data = submission.user_data;
  entry.target = submission.target;
  entry.argument = entry.verb >= RingVerb::kPublish ? submission.argument : 0;
  entry.deadline_ns = submission.deadline_ns;
  return entry;
}

Completion CompletionOf(const shm::ClientRing::Taken& taken, LaneId lane) {
  const RingCompletion& entry = taken.completion;
  Completion completion;
  completion.lane = lane;
  completion.user_data = entry.user_data;
  if (entry.status != 0) {
    completion.status = absl::Status(static_cast<absl::StatusCode>(entry.status),
                                     absl::string_view(taken.text.data(), taken.text.size()));
  }
  completion.queue_ns = entry.queue_ns;
  completion.device_ns = entry.device_ns;
  completion.total_ns = entry.total_ns;
  completion.steps_done = entry.steps_done;
  completion.generation = entry.generation;
  return completion;
}

}  // namespace

absl::Status RingSubmissionStream::Check(const Submission& submission) const {
  if (submission.lane != parts_.lane) {
    return absl::InvalidArgumentError(
        "a ring is of one lane, and this submission is for another; use a queue per lane, or a "
        "stream");
  }
  if (submission.deadline_ns < 0) {
    return absl::InvalidArgumentError("a submission's deadline is from now, not negative");
  }
  if (!submission.step_timings) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "a ring's completions carry no step timings; ask for them on a stream or in a single run");
}

absl::Status RingSubmissionStream::Ended() const {
  if (absl::Status gone = parts_.gone(); !gone.ok()) return gone;
  uint32_t in_flight;
  {
    absl::MutexLock lock(&mutex_);
    in_flight = in_flight_;
  }
  const bool broken = parts_.ring->state() == RingState::kBroken;
  return absl::UnavailableError(
      absl::StrCat("the daemon closed the ring with ", in_flight, " in flight (",
                   broken ? "its counters made no sense: something wrote over its memory"
                          : "its lane or session ended",
                   "); open another queue"));
}

absl::StatusOr<uint32_t> RingSubmissionStream::TakeCredits(size_t wanted) {
  const Clock::time_point until =
      Clock::now() + absl::ToChronoNanoseconds(std::min(parts_.submit_patience, absl::Hours(24)));
  absl::MutexLock lock(&mutex_);
  const auto some = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return in_flight_ < parts_.credits;
  };
  while (!some()) {
    if (parts_.ring->state() != RingState::kOpen || Clock::now() >= until) break;
    mutex_.AwaitWithTimeout(absl::Condition(&some), kLookEvery);
  }
  if (!some()) {
    if (parts_.ring->state() != RingState::kOpen) return uint32_t{0};
    return absl::DeadlineExceededError(
        "all credits are in flight and none came back in time; fetch completions with Next");
  }
  const uint32_t taken = static_cast<uint32_t>(
      std::min<size_t>({wanted, parts_.credits - in_flight_, size_t{kBatch}}));
  in_flight_ += taken;
  return taken;
}

absl::Status RingSubmissionStream::Submit(std::span<const Submission> submissions) {
  for (const Submission& each : submissions) {
    if (absl::Status good = Check(each); !good.ok()) return good;
  }
  absl::MutexLock writing(&write_mutex_);
  std::array<RingSubmission, kBatch> entries;
  while (!submissions.empty()) {
    if (parts_.ring->state() != RingState::kOpen) return Ended();
    const absl::StatusOr<uint32_t> taken = TakeCredits(submissions.size());
    if (!taken.ok()) return taken.status();
    for (uint32_t i = 0; i < *taken; ++i) entries[i] = EntryOf(submissions[i]);
    const size_t put = parts_.ring->Submit(std::span(entries.data(), *taken));
    if (put != *taken) return absl::InternalError("the ring has fewer places than credits");
    submissions = submissions.subspan(put);
  }
  return absl::OkStatus();
}

absl::StatusOr<Completion> RingSubmissionStream::Next(absl::Duration timeout) {
  const Clock::time_point until =
      Clock::now() + absl::ToChronoNanoseconds(std::min(timeout, absl::Hours(24)));
  for (;;) {
    const bool open = parts_.ring->state() == RingState::kOpen;  // before the last look
    shm::ClientRing::Taken taken;
    if (parts_.ring->Take(taken)) {
      absl::MutexLock lock(&mutex_);
      if (in_flight_ > 0) --in_flight_;
      return CompletionOf(taken, parts_.lane);
    }
    if (!open) return Ended();
    const auto left = until - Clock::now();
    if (left <= left.zero()) {
      return absl::DeadlineExceededError("no completion within the timeout");
    }
    parts_.ring->Wait(absl::FromChrono(left));
  }
}

}  // namespace anex
