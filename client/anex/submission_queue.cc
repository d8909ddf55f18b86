#include "client/anex/submission_queue.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "client/anex/parameter_set.h"
#include "client/anex/submission_queue_state.h"

namespace anex {
namespace {

// What the unary mode makes of a call: a refusal is a completion too, as on a stream.
Completion EvaluateAsCompletion(Transport& transport, const Submission& submission) {
  absl::StatusOr<Completion> completion = transport.Evaluate(submission);
  if (completion.ok()) return *std::move(completion);
  return Completion{
      .lane = submission.lane, .user_data = submission.user_data, .status = completion.status()};
}

}  // namespace

SubmissionQueue::SubmissionQueue() = default;
SubmissionQueue::SubmissionQueue(std::unique_ptr<State> state) : state_(std::move(state)) {}
SubmissionQueue::SubmissionQueue(SubmissionQueue&&) noexcept = default;
SubmissionQueue& SubmissionQueue::operator=(SubmissionQueue&&) noexcept = default;
SubmissionQueue::~SubmissionQueue() = default;

absl::Status SubmissionQueue::Submit(const Lane& lane, const Invocation& invocation,
                                     uint64_t user_data, const RunOptions& options) {
  const absl::StatusOr<Submission> one = MakeSubmission(lane, invocation, user_data, options);
  return one.ok() ? Submit(std::span(&*one, 1)) : one.status();
}

absl::Status SubmissionQueue::Submit(const Lane& lane, const Chain& chain, uint64_t user_data,
                                     const RunOptions& options) {
  const absl::StatusOr<Submission> one = MakeSubmission(lane, chain, user_data, options);
  return one.ok() ? Submit(std::span(&*one, 1)) : one.status();
}

absl::Status SubmissionQueue::SubmitPublish(const Lane& lane, WriteGuard& guard,
                                            uint64_t user_data) {
  if (!lane || !guard) return internal::EmptyObject();
  const Submission one{.lane = lane.id(),
                       .user_data = user_data,
                       .kind = SubmissionKind::kPublish,
                       .target = guard.lease().set.value()};
  const absl::Status submitted = Submit(std::span(&one, 1));
  if (submitted.ok()) guard.Detach();
  return submitted;
}

absl::Status SubmissionQueue::Submit(std::span<const Submission> submissions) {
  if (state_ == nullptr) return internal::EmptyObject();
  const absl::StatusOr<Transport*> transport = internal::LiveTransport(state_->core);
  if (!transport.ok()) return transport.status();
  const uint32_t count = static_cast<uint32_t>(submissions.size());
  {
    absl::MutexLock lock(&state_->mutex);
    if (state_->outstanding + submissions.size() > state_->credits) {
      return absl::ResourceExhaustedError(
          absl::StrCat("credits=", state_->credits, ": ", state_->outstanding,
                       " completions are outstanding; take some with Next first"));
    }
    state_->outstanding += count;
  }
  if (state_->stream != nullptr) {
    const absl::Status submitted = state_->stream->Submit(submissions);
    if (submitted.ok()) return submitted;
    absl::MutexLock lock(&state_->mutex);
    state_->outstanding -= count;
    return submitted;
  }
  for (const Submission& submission : submissions) {
    Completion completion = EvaluateAsCompletion(**transport, submission);
    absl::MutexLock lock(&state_->mutex);
    state_->done.push_back(std::move(completion));
  }
  return absl::OkStatus();
}

absl::StatusOr<Completion> SubmissionQueue::Next(absl::Duration timeout) {
  if (state_ == nullptr) return internal::EmptyObject();
  {
    absl::MutexLock lock(&state_->mutex);
    if (state_->outstanding == 0) {
      return absl::FailedPreconditionError("nothing is outstanding: Submit first");
    }
    if (state_->stream == nullptr) {
      const auto has_one = [this] {
        state_->mutex.AssertReaderHeld();
        return !state_->done.empty();
      };
      if (!state_->mutex.AwaitWithTimeout(absl::Condition(&has_one), timeout)) {
        return absl::DeadlineExceededError("no completion within the timeout");
      }
      Completion completion = std::move(state_->done.front());
      state_->done.pop_front();
      --state_->outstanding;
      return completion;
    }
  }
  absl::StatusOr<Completion> completion = state_->stream->Next(timeout);
  if (completion.ok()) {
    absl::MutexLock lock(&state_->mutex);
    --state_->outstanding;
  }
  return completion;
}

absl::Status SubmissionQueue::Finish(absl::Duration timeout) {
  if (state_ == nullptr) return internal::EmptyObject();
  const auto start = std::chrono::steady_clock::now();
  absl::Status first;
  while (outstanding() > 0) {
    const absl::Duration gone = absl::FromChrono(std::chrono::steady_clock::now() - start);
    const absl::StatusOr<Completion> completion =
        Next(std::max(absl::ZeroDuration(), timeout - gone));
    if (!completion.ok()) return completion.status();
    first.Update(completion->status);
  }
  return first;
}

SubmitMode SubmissionQueue::path() const {
  return state_ == nullptr ? SubmitMode::kUnary : state_->mode;
}

std::string_view SubmissionQueue::note() const {
  return state_ == nullptr ? std::string_view() : std::string_view(state_->note);
}

uint32_t SubmissionQueue::outstanding() const {
  if (state_ == nullptr) return 0;
  absl::MutexLock lock(&state_->mutex);
  return state_->outstanding;
}

}  // namespace anex
