#include "server/engine/run/completion_queue.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace anex::engine {

CompletionQueue::CompletionQueue(size_t bound) : bound_(std::max<size_t>(bound, 1)) {
  absl::MutexLock lock(&mutex_);
  ring_.resize(bound_);
}

absl::Status CompletionQueue::Reserve() {
  absl::MutexLock lock(&mutex_);
  if (shutdown_) return absl::CancelledError("the completion queue has been shut down");
  if (reserved_ + ready_ >= bound_) {
    return absl::ResourceExhaustedError(absl::StrCat("completions_per_queue=", bound_,
                                                     ": drain completions before submitting more"));
  }
  ++reserved_;
  return absl::OkStatus();
}

void CompletionQueue::Unreserve() {
  absl::MutexLock lock(&mutex_);
  --reserved_;
}

void CompletionQueue::Push(Completion completion) {
  absl::MutexLock lock(&mutex_);
  --reserved_;
  if (shutdown_) return;
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
    return ready_ > 0 || shutdown_;
  };
  mutex_.AwaitWithTimeout(absl::Condition(&worth_looking), timeout);
  const size_t count = std::min(ready_, maximum);
  for (size_t i = 0; i < count; ++i) {
    out.push_back(std::move(ring_[head_]));
    ring_[head_] = Completion();
    head_ = (head_ + 1) % bound_;
  }
  ready_ -= count;
  return count;
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
