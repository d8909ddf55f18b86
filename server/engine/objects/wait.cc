#include "server/engine/objects/wait.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace anex::engine {
namespace {

// How often a waiting call looks whether its caller has left (Caller::cancelled).
constexpr int64_t kPollNs = 50'000'000;

}  // namespace

absl::Status WaitLimit::Check(std::string_view what) const {
  if (cancelled != nullptr && *cancelled && (*cancelled)()) {
    return absl::CancelledError(
        absl::StrCat("the caller left while waiting for ", std::string(what)));
  }
  if (clock->Now() >= deadline_ns) {
    return absl::DeadlineExceededError(
        absl::StrCat("the call's deadline passed while waiting for ", std::string(what)));
  }
  return absl::OkStatus();
}

absl::Status AwaitUntil(absl::Mutex& mutex, const absl::Condition& condition,
                        const WaitLimit& limit, std::string_view what) {
  while (!condition.Eval()) {
    // Without the lock: whether the caller has left may be gRPC's to say, which takes its time.
    mutex.Unlock();
    absl::Status ended = limit.Check(what);
    mutex.Lock();
    if (condition.Eval()) break;
    if (!ended.ok()) return ended;
    const int64_t left = limit.deadline_ns - limit.clock->Now();
    mutex.AwaitWithTimeout(condition, absl::Nanoseconds(std::clamp<int64_t>(left, 0, kPollNs)));
  }
  return absl::OkStatus();
}

}  // namespace anex::engine
