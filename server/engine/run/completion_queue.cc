#include "server/engine/run/completion_queue.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/shm/yielding_look.h"

namespace anex::engine {
namespace {

// One for each thread: whether its core is its own does not depend on what it waits for.
thread_local shm::YieldingLook t_look;

}  // namespace

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
  NoteLocked();
}

void CompletionQueue::Push(Completion completion) {
  absl::MutexLock lock(&mutex_);
  --reserved_;
  if (shutdown_) return;
  if (timings_ + completion.step_ns.size() > kMostTimings) completion.step_ns = {};
  timings_ += completion.step_ns.size();
  ring_[(head_ + ready_) % bound_] = std::move(completion);
  ++ready_;
  NoteLocked();
}

void CompletionQueue::NoteLocked() {
  news_.store(ready_ > 0 || shutdown_ || (closed_ && reserved_ == 0), std::memory_order_release);
}

bool CompletionQueue::Look() {
  looking_.fetch_add(1, std::memory_order_relaxed);
  const bool found = t_look.Look([this] { return HasNews(); });
  looking_.fetch_sub(1, std::memory_order_relaxed);
  return found;
}

bool CompletionQueue::AwaitLocked(absl::Duration timeout) {
  if (!mutex_.AwaitWithTimeout(absl::Condition(this, &CompletionQueue::ForSleepers), timeout)) {
    return false;
  }
  t_look.Came();
  return true;
}

bool CompletionQueue::Wait(absl::Duration timeout) {
  Look();
  absl::MutexLock lock(&mutex_);
  return AwaitLocked(timeout);
}

std::optional<Completion> CompletionQueue::Next(absl::Duration timeout) {
  if (timeout > absl::ZeroDuration()) Look();
  absl::MutexLock lock(&mutex_);
  AwaitLocked(timeout);
  if (ready_ == 0) return std::nullopt;
  return PopLocked();
}

size_t CompletionQueue::Drain(std::vector<Completion>& out, size_t maximum,
                              absl::Duration timeout) {
  if (timeout > absl::ZeroDuration()) Look();
  absl::MutexLock lock(&mutex_);
  AwaitLocked(timeout);
  return DrainLocked(out, maximum);
}

size_t CompletionQueue::DrainSoon(std::vector<Completion>& out, size_t maximum) {
  if (!Look()) t_look.Forget();
  absl::MutexLock lock(&mutex_);
  return DrainLocked(out, maximum);
}

size_t CompletionQueue::DrainLocked(std::vector<Completion>& out, size_t maximum) {
  const size_t count = std::min(ready_, maximum);
  out.reserve(out.size() + count);  // or what is popped would be lost
  for (size_t i = 0; i < count; ++i) out.push_back(PopLocked());
  return count;
}

Completion CompletionQueue::PopLocked() {
  timings_ -= ring_[head_].step_ns.size();
  Completion oldest = std::exchange(ring_[head_], Completion());
  head_ = head_ + 1 == bound_ ? 0 : head_ + 1;
  --ready_;
  NoteLocked();
  return oldest;
}

void CompletionQueue::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
  NoteLocked();
}

bool CompletionQueue::ended() const {
  absl::MutexLock lock(&mutex_);
  return closed_ && reserved_ + ready_ == 0;
}

void CompletionQueue::Shutdown() {
  absl::MutexLock lock(&mutex_);
  shutdown_ = true;
  NoteLocked();
}

size_t CompletionQueue::outstanding() const {
  absl::MutexLock lock(&mutex_);
  return reserved_ + ready_;
}

}  // namespace anex::engine
