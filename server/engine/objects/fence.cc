#include "server/engine/objects/fence.h"

#include "absl/strings/str_cat.h"

namespace anex::engine {
namespace {

absl::Status Released(uint64_t value) {
  return absl::CancelledError(absl::StrCat("the fence was released before it reached ", value));
}

}  // namespace

absl::Status Fence::Signal(uint64_t value) {
  absl::MutexLock lock(&mutex_);
  if (closed_) return Released(value);
  if (value < value_) {
    return absl::OutOfRangeError(absl::StrCat(
        "the fence is at ", value_, " and only grows; it cannot be signalled to ", value));
  }
  value_ = value;
  waiting_.Tell(value);
  return absl::OkStatus();
}

absl::StatusOr<bool> Fence::Reached(uint64_t value, Waiter* waiter) {
  absl::MutexLock lock(&mutex_);
  if (value_ >= value) return true;
  if (closed_) return Released(value);
  waiting_.Add(waiter, value);
  return false;
}

absl::StatusOr<uint64_t> Fence::Wait(uint64_t value, const WaitLimit& limit) const {
  absl::MutexLock lock(&mutex_);
  const auto done = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return value_ >= value || closed_; };
  absl::Status waited =
      AwaitUntil(mutex_, absl::Condition(&done), limit, absl::StrCat("a fence to reach ", value));
  if (!waited.ok()) return waited;
  if (value_ < value) return Released(value);
  return value_;
}

void Fence::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
  waiting_.Tell();
}

uint64_t Fence::value() const {
  absl::MutexLock lock(&mutex_);
  return value_;
}

}  // namespace anex::engine
