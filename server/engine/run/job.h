// A submission on its way through a dispatcher: what to do, for whom, and where it stands.
//
// Threads: in a lane it belongs to the dispatcher's lock, while it runs to the device thread. Only
// whoever takes it out of the lane for good completes it, so it is completed exactly once. Until it
// has left the lane its user_data, deadline and sink stay as they are, for those with the lock who
// look at what runs.
#ifndef ANEX_SERVER_ENGINE_RUN_JOB_H_
#define ANEX_SERVER_ENGINE_RUN_JOB_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "proto/values/execution_values.h"
#include "server/device/call_control.h"
#include "server/engine/objects/chain.h"
#include "server/engine/objects/fence.h"
#include "server/engine/objects/invocation.h"
#include "server/engine/objects/parameter_set.h"
#include "server/engine/objects/quota.h"
#include "server/engine/objects/usage.h"
#include "server/engine/objects/waiter.h"
#include "server/engine/run/chain_cursor.h"
#include "server/engine/run/completion_sink.h"

namespace anex::engine {

struct PublishWork {
  std::shared_ptr<ParameterSet> set;
  uint64_t expected_generation = 0;  // 0 = any
};

// A submission with its handles resolved.
using Work = std::variant<std::shared_ptr<const Invocation>, std::shared_ptr<const Chain>,
                          PublishWork, FenceStep>;

// What a front hands in.
struct WorkItem {
  Work work;
  uint64_t user_data = 0;
  int64_t deadline_ns =
      INT64_MAX;  // monotonic instant; work that starts later than this is not run
  bool step_timings = false;
  std::shared_ptr<CompletionSink> completions;
};

struct Job {
  WorkItem item;
  LaneId lane;                           // the session's name for it, for the completion
  std::shared_ptr<Usage> session_usage;  // may be null
  Waiter* waiter = nullptr;              // its lane's, for what it has to wait for; may be null
  QuotaPlace place;                      // among the session's queued submissions
  int64_t accepted_ns = 0;
  int64_t started_ns = 0;  // 0 until its first step
  uint64_t turns_left =
      1;  // steps and copies that it still needs; guarded by the dispatcher's lock

  // Owned by whoever runs it.
  ChainCursor cursor;         // of a chain
  uint64_t copied = 0;        // bytes of the copy that it is in
  int64_t step_spent_ns = 0;  // in earlier turns of the step that it is in
  std::vector<SetPin> pins;   // of the iteration that runs
  Completion completion;      // filled in as it goes

  // Of all its runs on the device: one that is told to stop is not run again. A new one for each
  // submission, as a stop is for good.
  std::optional<device::CallControl> control{std::in_place};

  // Who has the last word on how a step that runs ends: somebody who asks it to stop, with the
  // dispatcher's lock, or the device thread, which needs no lock for it; whoever is first.
  enum class Ending : uint8_t { kOpen, kStopAsked, kSettled };
  std::atomic<Ending> ending{Ending::kOpen};
  // False: it has been asked to stop.
  [[nodiscard]] bool Settle() {
    Ending open = Ending::kOpen;
    return ending.compare_exchange_strong(open, Ending::kSettled, std::memory_order_acq_rel);
  }
  // False: it is settled.
  [[nodiscard]] bool AskToStop() {
    Ending open = Ending::kOpen;
    return ending.compare_exchange_strong(open, Ending::kStopAsked, std::memory_order_acq_rel) ||
           open == Ending::kStopAsked;
  }
  bool stop_asked() const { return ending.load(std::memory_order_acquire) == Ending::kStopAsked; }
  bool settled() const { return ending.load(std::memory_order_acquire) == Ending::kSettled; }

  bool late = false;      // stopped for its deadline; guarded by the dispatcher's lock
  bool orphaned = false;  // its lane has ended while it ran; the device thread's
};

// From acceptance to the first step, or to the end of one that had none.
inline int64_t QueueNs(const Job& job, int64_t now_ns) {
  return (job.started_ns != 0 ? job.started_ns : now_ns) - job.accepted_ns;
}

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_RUN_JOB_H_
