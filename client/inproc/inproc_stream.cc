#include "client/inproc/inproc_stream.h"

#include <optional>
#include <utility>

#include "server/engine/clock.h"

namespace anex {

InprocStream::InprocStream(std::shared_ptr<engine::Engine> engine, MakeCaller caller,
                           engine::OpenedStream stream)
    : engine_(std::move(engine)),
      caller_(std::move(caller)),
      place_(std::move(stream.place)),
      completions_(std::move(stream.completions)),
      credits_(static_cast<uint32_t>(completions_->bound())) {}

InprocStream::~InprocStream() { completions_->Shutdown(); }

absl::Status InprocStream::TakeCredit(const engine::Caller& caller) {
  const int64_t left = caller.deadline_ns - engine::SystemClock().Now();
  absl::MutexLock lock(&mutex_);
  if (!mutex_.AwaitWithTimeout(absl::Condition(this, &InprocStream::HasCredit),
                               absl::Nanoseconds(left))) {
    return absl::DeadlineExceededError(
        "all credits are in flight; fetch completions with Next to get them back");
  }
  --credits_;
  return absl::OkStatus();
}

absl::Status InprocStream::Submit(std::span<const Submission> submissions) {
  const engine::Caller caller = caller_();
  for (const Submission& submission : submissions) {
    if (absl::Status credit = TakeCredit(caller); !credit.ok()) return credit;
    absl::Status refused = engine_->Submit(caller, submission, completions_);
    if (refused.ok()) continue;
    Completion completion;
    completion.lane = submission.lane;
    completion.user_data = submission.user_data;
    completion.status = std::move(refused);
    if (absl::Status place = completions_->Reserve(); !place.ok()) {
      absl::MutexLock lock(&mutex_);
      ++credits_;
      return place;
    }
    completions_->Push(std::move(completion));
  }
  return absl::OkStatus();
}

absl::StatusOr<Completion> InprocStream::Next(absl::Duration timeout) {
  std::optional<Completion> next = completions_->Next(timeout);
  if (!next && completions_->ended()) {
    return absl::UnavailableError("the session has ended, and its streams with it: open a new one");
  }
  if (!next) return absl::DeadlineExceededError("no submission completed in time");
  absl::MutexLock lock(&mutex_);
  ++credits_;
  return *std::move(next);
}

}  // namespace anex
