// A counter that only grows, for order across lanes: a wait holds until it has reached a value.
//
// Threads: any. Invariant: the value never falls. Signals wake waiting clients through the fence's
// own lock and lanes through its list of those who wait for that value or less.
#ifndef ANEX_SERVER_ENGINE_OBJECTS_FENCE_H_
#define ANEX_SERVER_ENGINE_OBJECTS_FENCE_H_

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/engine/objects/wait.h"
#include "server/engine/objects/waiter.h"

namespace anex::engine {

class Fence {
 public:
  explicit Fence(uint64_t initial_value) : value_(initial_value) {}

  // OUT_OF_RANGE below the current value; equal to it changes nothing.
  absl::Status Signal(uint64_t value);
  // For dispatchers: has it reached `value`? CANCELLED once it was released and never will. If
  // false, `waiter` is told when to look again.
  absl::StatusOr<bool> Reached(uint64_t value, Waiter* waiter = nullptr);
  // Blocks; returns the value then. DEADLINE_EXCEEDED, CANCELLED by the caller or by Close.
  absl::StatusOr<uint64_t> Wait(uint64_t value, const WaitLimit& limit) const;
  // Released or its session ended: waiters that were not served are cancelled.
  void Close();
  uint64_t value() const;

 private:
  mutable absl::Mutex mutex_;
  uint64_t value_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  WaitList waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_OBJECTS_FENCE_H_
