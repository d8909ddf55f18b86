// Lets go, on a thread of its own, of what a job held whose lane has ended while it ran: it may be
// the last owner of gigabytes, whose unmapping takes as long as many kernels, and the device is
// everybody's.
//
// Threads: Bury from any. The destructor lets go of what is left and waits. Bound: one job a lane
// that ends.
#ifndef ANEX_SERVER_ENGINE_RUN_UNDERTAKER_H_
#define ANEX_SERVER_ENGINE_RUN_UNDERTAKER_H_

#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/engine/run/job.h"

namespace anex::engine {

class Undertaker {
 public:
  struct Remains {
    Work work;
    std::vector<SetPin> pins;
  };

  Undertaker() : thread_([this] { Loop(); }) {}
  ~Undertaker() {
    {
      absl::MutexLock lock(&mutex_);
      stop_ = true;
    }
    thread_.join();
  }

  void Bury(Remains remains) {
    absl::MutexLock lock(&mutex_);
    try {
      waiting_.push_back(std::move(remains));
    } catch (const std::bad_alloc&) {  // then it goes here, after the lock
    }
  }

 private:
  void Loop() {
    const auto work = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return stop_ || !waiting_.empty();
    };
    for (bool stopping = false; !stopping;) {
      std::vector<Remains> now;  // go after the lock
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(&work));
      now.swap(waiting_);
      stopping = stop_;
    }
  }

  absl::Mutex mutex_;
  std::vector<Remains> waiting_ ABSL_GUARDED_BY(mutex_);
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_RUN_UNDERTAKER_H_
