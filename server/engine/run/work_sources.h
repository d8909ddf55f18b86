// The sources that one device thread asks for work, and how it waits for them.
//
//   after work     look and yield for a while: who answers a completion at once meets a thread
//                  that is awake
//   then           sleep in one poll(2) on the sleeper's bell and on all sources' descriptors
//
// Nothing turns while there is nothing to do.
//
// Of one look all sources together get kMostEntries pieces of work taken, of which kMostRefusals
// may be refused; the next look goes on behind the last one that had its turn, so all of them have
// theirs. A source whose last look ended in a refusal is suspect: it comes after those that are
// not, and while the device has work all suspects together get a small part of the time. So who is
// honest waits for a bounded time, however many rings others fill with what is refused; and those
// pay for it (WorkSource::Charge).
//
// Threads: Attach, Detach and TakeFrom from any thread; Poll, Look and Sleep from the device
// thread. The lock is held while sources are called, so who detaches one waits at most for one
// round of them; it is taken before the dispatcher's, never after, and not held in poll(2).
#ifndef ANEX_SERVER_ENGINE_RUN_WORK_SOURCES_H_
#define ANEX_SERVER_ENGINE_RUN_WORK_SOURCES_H_

#include <poll.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "proto/shm/yielding_look.h"
#include "server/engine/clock.h"
#include "server/engine/objects/sleeper.h"
#include "server/engine/run/work_source.h"

namespace anex::engine {

class WorkSources {
 public:
  // `sleeper` is the device thread's and outlives this.
  explicit WorkSources(Sleeper& sleeper) : sleeper_(sleeper) {}

  void Attach(std::shared_ptr<WorkSource> source);
  // Once more takes all that is there, if `last_look`; then the device thread is not inside the
  // source and will not be. Idempotent.
  void Detach(const std::shared_ptr<WorkSource>& source, bool last_look);

  static constexpr size_t kMostEntries = 128, kMostRefusals = 8;

  // One look at the sources; how many pieces of work were taken. `now_ns` is about now, `idle`: the
  // device has nothing to do.
  size_t Poll(const Clock& clock, int64_t now_ns, bool idle);
  // What is there of one source, or of all, taken by any thread while the device's own may be long
  // inside a step; as far as that is bounded.
  void TakeFrom(const std::shared_ptr<WorkSource>& source);
  void TakeFromAll();
  // Looks and yields for a moment. True: there is work, or news since `seen`.
  bool Look(uint32_t seen);
  // Until there is news since `seen`, work, or `timeout` has passed.
  void Sleep(uint32_t seen, absl::Duration timeout);

  // Attached now.
  size_t count() const { return attached_.load(std::memory_order_relaxed); }
  // How often Sleep has slept.
  uint64_t sleeps() const { return sleeps_.load(std::memory_order_relaxed); }

 private:
  // An attached source.
  struct Asked {
    std::shared_ptr<WorkSource> source;
    bool suspect = false;
  };
  // What a look may still take.
  struct Budget {
    size_t entries = kMostEntries, refusals = kMostRefusals;
  };
  void AskLocked(bool suspects, size_t& next, Budget& left, const Clock& clock)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TakeFrom(const std::shared_ptr<WorkSource>& source, int most_refusals);
  bool HasWorkLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool MakeRoomLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);  // for one more sleep
  // Prepares all, or none.
  bool PrepareLocked(uint32_t seen) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Sleeper& sleeper_;
  std::atomic<size_t> attached_{0};
  std::atomic<uint64_t> sleeps_{0};
  absl::Mutex mutex_;
  std::vector<Asked> sources_ ABSL_GUARDED_BY(mutex_);
  // Whose turn it is, of those that are suspect and of the others; may be past the end.
  size_t next_ ABSL_GUARDED_BY(mutex_) = 0, next_suspect_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t suspects_after_ns_ ABSL_GUARDED_BY(mutex_) = INT64_MIN;  // unless the device is idle
  // The device thread's: who is slept on, so that no descriptor goes away under poll(2).
  std::vector<std::shared_ptr<WorkSource>> awaited_;
  std::vector<pollfd> polled_;
  // The device thread's: of the times without work, and the look that the next sleep follows.
  // Shorter than a client's: a gap between two submissions is as often somebody's computing.
  shm::WaitEstimate gaps_{std::chrono::microseconds(160)};
  std::optional<shm::YieldingLook> look_;
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_RUN_WORK_SOURCES_H_
