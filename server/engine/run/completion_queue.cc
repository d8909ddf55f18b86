#include "server/engine/run/completion_queue.h"

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

namespace anex::engine {

CompletionQueue::CompletionQueue(size_t bound, Bound limit,
                                 std::shared_ptr<shm::WaitEstimate> waits)
    : bound_(std::max<size_t>(bound, 1)),
      limit_(std::move(limit)),
      waits_(waits != nullptr ? std::move(waits) : std::make_shared<shm::WaitEstimate>()) {
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
  UpdateNewsLocked();
}

void CompletionQueue::Push(Completion completion) {
  absl::MutexLock lock(&mutex_);
  --reserved_;
  if (shutdown_) return;
  if (timings_ + completion.step_ns.size() > kMostTimings) completion.step_ns = {};
  timings_ += completion.step_ns.size();
  ring_[(head_ + ready_) % bound_] = std::move(completion);
  ++ready_;
  UpdateNewsLocked();
}

void CompletionQueue::UpdateNewsLocked() {
  news_.store(ready_ > 0 || shutdown_ || (closed_ && reserved_ == 0), std::memory_order_release);
}

bool CompletionQueue::Look(shm::YieldingLook& look, absl::Duration most) {
  if (HasNews()) return true;
  looking_.fetch_add(1, std::memory_order_relaxed);
  const bool found = look.For([this] { return HasNews(); }, absl::ToChronoNanoseconds(most));
  looking_.fetch_sub(1, std::memory_order_relaxed);
  return found;
}

bool CompletionQueue::WaitAndLock(absl::Duration timeout) {
  shm::YieldingLook look(*waits_);
  if (timeout > absl::ZeroDuration()) Look(look, timeout);
  mutex_.Lock();
  // What the look found another drainer may have taken.
  if (HasNews() || timeout <= absl::ZeroDuration()) return HasNews();
  const bool came = mutex_.AwaitWithTimeout(
      absl::Condition(this, &CompletionQueue::MayWakeSleepers),
      std::max(timeout - absl::FromChrono(look.elapsed()), absl::ZeroDuration()));
  look.Slept(came);
  return came;
}

bool CompletionQueue::Wait(absl::Duration timeout) {
  const bool came = WaitAndLock(timeout);
  mutex_.Unlock();
  return came;
}

std::optional<Completion> CompletionQueue::Next(absl::Duration timeout) {
  WaitAndLock(timeout);
  std::optional<Completion> next;
  if (ready_ > 0) next = PopLocked();
  mutex_.Unlock();
  return next;
}

size_t CompletionQueue::Drain(std::vector<Completion>& out, size_t maximum,
                              absl::Duration timeout) {
  WaitAndLock(timeout);
  const absl::Cleanup unlock = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Unlock(); };
  return DrainLocked(out, maximum);
}

size_t CompletionQueue::DrainSoon(std::vector<Completion>& out, size_t maximum, bool& tried) {
  shm::YieldingLook look(*waits_);
  Look(look, absl::InfiniteDuration());
  tried = look.tried();
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
  UpdateNewsLocked();
  return oldest;
}

void CompletionQueue::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
  UpdateNewsLocked();
}

bool CompletionQueue::ended() const {
  absl::MutexLock lock(&mutex_);
  return closed_ && reserved_ + ready_ == 0;
}

void CompletionQueue::Shutdown() {
  absl::MutexLock lock(&mutex_);
  shutdown_ = true;
  UpdateNewsLocked();
}

size_t CompletionQueue::outstanding() const {
  absl::MutexLock lock(&mutex_);
  return reserved_ + ready_;
}

}  // namespace anex::engine
