// The bounded hand-back of completions from the dispatcher to one front. Fronts drain it; nobody
// calls up.
//
// Threads: Reserve from submitters, Push from the dispatcher; Next, Drain, DrainSoon and Wait from
// one or more drainers. Who waits looks for a while before it sleeps (proto/shm/yielding_look.h).
// While somebody looks nobody who sleeps is woken, as the one who looks will have it; should he
// lose his core over it, that is as long as nobody has it.
// Invariant: a place is reserved before work is queued, so Push never blocks and never fails; every
// reserved place is filled by exactly one Push (or given back by Unreserve if queueing failed).
// Bound: of completions that nobody has fetched yet, kMostTimings timings of steps; those that come
// on top of them come without any.
#ifndef ANEX_SERVER_ENGINE_RUN_COMPLETION_QUEUE_H_
#define ANEX_SERVER_ENGINE_RUN_COMPLETION_QUEUE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "proto/shm/wait_estimate.h"
#include "proto/shm/yielding_look.h"
#include "proto/values/execution_values.h"
#include "server/engine/limits.h"
#include "server/engine/run/completion_sink.h"

namespace anex::engine {

class CompletionQueue final : public CompletionSink {
 public:
  static constexpr size_t kMostTimings = 1 << 18;  // 2 MiB

  // `limit` is the setting that `bound` may have come from; a refusal names it then.
  // `waits`: of those who wait for the same things, where a queue does not live long enough to
  // know; null: its own.
  explicit CompletionQueue(size_t bound, Bound limit = Bound("completions_per_queue", UINT64_MAX),
                           std::shared_ptr<shm::WaitEstimate> waits = nullptr);

  // RESOURCE_EXHAUSTED "completions_per_queue=N", or "credits=N" if fewer were asked for, when
  // `bound` submissions are queued, running or not yet drained. CANCELLED after Shutdown,
  // UNAVAILABLE after Close.
  absl::Status Reserve() override;
  void Unreserve() override;
  void Push(Completion completion) override;

  // The oldest completion; waits up to `timeout`. nullopt on timeout, after Shutdown once all has
  // been drained, or once it has ended.
  std::optional<Completion> Next(absl::Duration timeout);
  // All that are there, at most `maximum`, appended to `out`; waits up to `timeout` for the first.
  size_t Drain(std::vector<Completion>& out, size_t maximum, absl::Duration timeout);
  // All that are there after a look, at most `maximum`, appended to `out`; never sleeps. `tried`:
  // it has looked, if only for nothing.
  size_t DrainSoon(std::vector<Completion>& out, size_t maximum, bool& tried);
  // Until there is something to drain or nothing will come; false after `timeout`, also when there
  // is something that another one, who looks, is about to take.
  bool Wait(absl::Duration timeout);
  // The session is gone: no more reservations; what is reserved still comes, and once nothing is
  // outstanding nobody waits any more.
  void Close();
  // Closed, and nothing is outstanding: nothing will come any more.
  bool ended() const;
  // The front is leaving: no more reservations, waiters wake, later pushes are dropped.
  void Shutdown();
  size_t outstanding() const;  // reserved and not yet drained
  size_t bound() const { return bound_; }

 private:
  // There is something to fetch, or nothing will come. A hint, without the lock.
  bool HasNews() const { return news_.load(std::memory_order_acquire); }
  void UpdateNewsLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whoever has looked takes the lock next, whatever he saw: so this is asked again without him.
  bool MayWakeSleepers() const {
    return HasNews() && looking_.load(std::memory_order_relaxed) == 0;
  }
  bool Look(shm::YieldingLook& look, absl::Duration most);
  // Looks, then sleeps; returns with the lock. True: there is news.
  bool WaitAndLock(absl::Duration timeout) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex_);
  Completion PopLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  size_t DrainLocked(std::vector<Completion>& out, size_t maximum)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const size_t bound_;
  const Bound limit_;
  const std::shared_ptr<shm::WaitEstimate> waits_;
  std::atomic<bool> news_{false};
  std::atomic<uint32_t> looking_{0};
  mutable absl::Mutex mutex_;
  std::vector<Completion> ring_ ABSL_GUARDED_BY(mutex_);  // `bound_` places, allocated once
  size_t head_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t ready_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t timings_ ABSL_GUARDED_BY(mutex_) = 0;   // step_ns of those that are ready
  size_t reserved_ ABSL_GUARDED_BY(mutex_) = 0;  // queued or running, completion not yet pushed
  bool shutdown_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_RUN_COMPLETION_QUEUE_H_
