// Waiting with a deadline on the injected clock and a caller who may leave: the one loop that all
// blocking verbs of the engine use. Any thread.
#ifndef ANEX_SERVER_ENGINE_OBJECTS_WAIT_H_
#define ANEX_SERVER_ENGINE_OBJECTS_WAIT_H_

#include <cstdint>
#include <functional>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "server/engine/caller.h"
#include "server/engine/clock.h"

namespace anex::engine {

// Until when, and for whom. Refers to what it was made from; for the length of one call.
struct WaitLimit {
  const Clock* clock = nullptr;
  int64_t deadline_ns = INT64_MAX;
  const std::function<bool()>* cancelled = nullptr;  // may be null or empty

  static WaitLimit Of(const Caller& caller, const Clock& clock) {
    return {&clock, caller.deadline_ns, &caller.cancelled};
  }
  // OK to go on; else DEADLINE_EXCEEDED or CANCELLED, naming `what` was waited for.
  absl::Status Check(std::string_view what) const;
};

// Waits until `condition`, with `mutex` held on entry and on return; in between it is let go. Looks
// at the limit at least every 50 ms.
absl::Status AwaitUntil(absl::Mutex& mutex, const absl::Condition& condition,
                        const WaitLimit& limit, std::string_view what)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_OBJECTS_WAIT_H_
