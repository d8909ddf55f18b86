// "Something may have become ready": a counter that objects bump and that dispatchers wait on. It
// is how nothing in objects/ ever calls up: a parameter set or a fence knows only this.
//
// Threads: any. Use: `seen = count(); look for work; if none, Wait(seen, timeout)`. A Notify
// between the look and the Wait is not lost, because the count differs. Wakes are hints: look again
// after.
#ifndef ANEX_SERVER_ENGINE_OBJECTS_READY_SIGNAL_H_
#define ANEX_SERVER_ENGINE_OBJECTS_READY_SIGNAL_H_

#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace anex::engine {

class ReadySignal {
 public:
  uint64_t count() const { return count_.load(std::memory_order_acquire); }

  void Notify() {
    absl::MutexLock lock(&mutex_);
    count_.fetch_add(1, std::memory_order_release);
    changed_.SignalAll();
  }

  // Until count() != seen or `timeout`; returns the count.
  uint64_t Wait(uint64_t seen, absl::Duration timeout) {
    absl::MutexLock lock(&mutex_);
    const absl::Time until = absl::Now() + timeout;
    while (count() == seen && !changed_.WaitWithDeadline(&mutex_, until)) {
    }
    return count();
  }

 private:
  std::atomic<uint64_t> count_{0};
  absl::Mutex mutex_;
  absl::CondVar changed_;
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_OBJECTS_READY_SIGNAL_H_
