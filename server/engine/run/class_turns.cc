#include "server/engine/run/class_turns.h"

#include <algorithm>

#include "absl/numeric/int128.h"

namespace anex::engine {
namespace {

// A step counts as a day at most and debts as a month, so that no sum overflows.
constexpr int64_t kMostStepNs = 86'400'000'000'000;
constexpr int64_t kMostOwed = 31 * kMostStepNs * 1000;

}  // namespace

bool ClassTurns::HigherIsReady(size_t qos) const {
  return std::any_of(ready_.begin(), ready_.begin() + qos, [](bool ready) { return ready; });
}

std::optional<size_t> ClassTurns::Next() const {
  std::optional<size_t> highest, overdue;
  for (size_t qos = 0; qos < kQosClasses; ++qos) {
    if (!ready_[qos]) continue;
    if (!highest) highest = qos;
    if (owed_[qos] <= 0) continue;
    // owed / kept = for how long it has been owed something. A class that keeps nothing any more
    // may still be owed: forever, by this reckoning, so it is paid at once.
    if (!overdue || absl::int128(owed_[qos]) * shares_.kept_permille[*overdue] >
                        absl::int128(owed_[*overdue]) * shares_.kept_permille[qos]) {
      overdue = qos;
    }
  }
  return overdue ? overdue : highest;
}

void ClassTurns::Charge(size_t qos, int64_t ns) {
  ns = std::clamp<int64_t>(ns, 0, kMostStepNs);
  for (size_t other = 0; other < kQosClasses; ++other) {
    int64_t& owed = owed_[other];
    const int64_t before = owed;
    owed += ns * static_cast<int64_t>(shares_.kept_permille[other]);
    int64_t most = ready_[other] ? kMostOwed : 0;
    if (other == qos) {
      // What it got by its rank is no step of its own part; but it may just have its only lane on
      // the device, so it is not away.
      most = before > 0 ? kMostOwed : 0;
      if (before > 0) owed -= ns * 1000;
      if (before > 0 && !HigherIsReady(qos)) owed = std::max<int64_t>(owed, 0);
    }
    owed = std::clamp(owed, -kMostOwed, most);
  }
}

}  // namespace anex::engine
