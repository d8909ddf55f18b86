// "Something may have become ready": a counter that objects bump, and the sleepers who are told. It
// is how nothing in objects/ ever calls up: a parameter set or a fence knows only this.
//
// Threads: any. Use: `seen = count(); look for work; later, if count() != seen, look again`. Who
// sleeps in between is Added: a Notify after the look is news to it (sleeper.h). Wakes are hints.
#ifndef ANEX_SERVER_ENGINE_OBJECTS_READY_SIGNAL_H_
#define ANEX_SERVER_ENGINE_OBJECTS_READY_SIGNAL_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/engine/objects/sleeper.h"

namespace anex::engine {

class ReadySignal {
 public:
  uint64_t count() const { return count_.load(std::memory_order_acquire); }

  void Notify() {
    count_.fetch_add(1, std::memory_order_release);  // before the news of it
    absl::ReaderMutexLock lock(&mutex_);
    for (Sleeper* sleeper : sleepers_) sleeper->Wake();
  }

  // After Remove nobody rings it any more for this.
  void Add(Sleeper& sleeper) {
    absl::MutexLock lock(&mutex_);
    sleepers_.push_back(&sleeper);
  }
  void Remove(Sleeper& sleeper) {
    absl::MutexLock lock(&mutex_);
    std::erase(sleepers_, &sleeper);
  }

 private:
  std::atomic<uint64_t> count_{0};
  absl::Mutex mutex_;
  std::vector<Sleeper*> sleepers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_OBJECTS_READY_SIGNAL_H_
