#include "server/engine/run/completion_queue.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace anex::engine {

CompletionQueue::CompletionQueue(size_t bound, Bound limit)
    : bound_(std::max<size_t>(bound, 1)), limit_(std::move(limit)) {
  absl::MutexLock lock(&mutex_);
  ring_.resize(bound_);
}

absl::Status CompletionQueue::Reserve() {
  absl::MutexLock lock(&mutex_);
  if (shutdown_) return absl::CancelledError("the completion queue has been shut down");
  if (closed_) {
    return absl::UnavailableError("the session has ended, and its streams with it: open a new one");
  }
  if (reserved_ + ready_ < bound_) {
    ++reserved_;
    return absl::OkStatus();
  }
  constexpr std::string_view kAdvice = "drain completions before submitting more";
  if (bound_ >= limit_.value()) return limit_.Exceeded(kAdvice);
  return absl::ResourceExhaustedError(
      absl::StrCat("credits=", bound_, ": ", std::string(kAdvice), ", or open with more"));
}

void CompletionQueue::Unreserve() {
  absl::MutexLock lock(&mutex_);
  --reserved_;
}

void CompletionQueue::Push(Completion completion) {
  absl::MutexLock lock(&mutex_);
  --reserved_;
  if (shutdown_) return;
  if (timings_ + completion.step_ns.size() > kMostTimings) completion.step_ns = {};
  timings_ += completion.step_ns.size();
  ring_[(head_ + ready_) % bound_] = std::move(completion);
  ++ready_;
}

std::optional<Completion> CompletionQueue::Next(absl::Duration timeout) {
  std::vector<Completion> one;
  if (Drain(one, 1, timeout) == 0) return std::nullopt;
  return std::move(one.front());
}

size_t CompletionQueue::Drain(std::vector<Completion>& out, size_t maximum,
                              absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  const auto worth_looking = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return ready_ > 0 || shutdown_ || (closed_ && reserved_ == 0);
  };
  mutex_.AwaitWithTimeout(absl::Condition(&worth_looking), timeout);
  const size_t count = std::min(ready_, maximum);
  for (size_t i = 0; i < count; ++i) {
    timings_ -= ring_[head_].step_ns.size();
    out.push_back(std::move(ring_[head_]));
    ring_[head_] = Completion();
    head_ = (head_ + 1) % bound_;
  }
  ready_ -= count;
  return count;
}

void CompletionQueue::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
}

bool CompletionQueue::ended() const {
  absl::MutexLock lock(&mutex_);
  return closed_ && reserved_ + ready_ == 0;
}

void CompletionQueue::Shutdown() {
  absl::MutexLock lock(&mutex_);
  shutdown_ = true;
}

size_t CompletionQueue::outstanding() const {
  absl::MutexLock lock(&mutex_);
  return reserved_ + ready_;
}

}  // namespace anex::engine
