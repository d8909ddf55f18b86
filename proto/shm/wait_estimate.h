// How long those who wait for one thing have waited for it lately, and so for how long the next one
// should look before he sleeps: half as long again, or not at all where waits take longer than a
// look may. A look that is left out teaches nothing but what sleeping costs on top, so now and then
// one is taken all the same.
//
// What a look costs: the core, if nobody else wants it, for as long as the wait lasts. What it
// saves: a wake-up, 30 to 60 us across cores of a virtual machine.
//
// Threads: any; several that learn at once may lose a lesson.
#ifndef ANEX_PROTO_SHM_WAIT_ESTIMATE_H_
#define ANEX_PROTO_SHM_WAIT_ESTIMATE_H_

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace anex::shm {

class WaitEstimate {
 public:
  using Duration = std::chrono::nanoseconds;
  // The least time of a look: a wait that is not foreseen may be short.
  static constexpr Duration kMoment = std::chrono::microseconds(50);
  // Waits that are looked for take no longer, and neither does a look.
  static constexpr Duration kLongest = std::chrono::microseconds(200);
  // One look in so many waits that are too long for it: what it finds counts as the new estimate.
  static constexpr uint32_t kTriedAgain = 64;

  explicit WaitEstimate(Duration longest = kLongest) : longest_(longest) {}
  WaitEstimate(const WaitEstimate&) = delete;
  WaitEstimate& operator=(const WaitEstimate&) = delete;

  // For how long to look now; 0: not at all.
  Duration NextLook() {
    const Duration expected(expected_ns_.load(std::memory_order_relaxed));
    if (expected <= longest_) return std::clamp(expected + expected / 2, kMoment, longest_);
    const uint32_t left_out = left_out_.load(std::memory_order_relaxed) + 1;
    left_out_.store(left_out % kTriedAgain, std::memory_order_relaxed);
    return left_out == kTriedAgain ? longest_ : Duration(0);
  }
  // A look found it after `wait`. The last eight or so count.
  void Found(Duration wait) {
    const Duration expected(expected_ns_.load(std::memory_order_relaxed));
    expected > longest_ ? Set(wait) : Learn(wait);
  }
  // It took so long, asleep at the end: a very long wait, which may be somebody's pause, counts as
  // one of twice the time.
  void Learn(Duration wait) {
    const Duration expected(expected_ns_.load(std::memory_order_relaxed));
    Set(expected + (std::min(wait, 2 * expected + kMoment) - expected) / 8);
  }
  Duration expected() const { return Duration(expected_ns_.load(std::memory_order_relaxed)); }

 private:
  void Set(Duration expected) {
    expected_ns_.store(std::min<Duration>(expected, 4 * longest_).count(),
                       std::memory_order_relaxed);
  }

  const Duration longest_;
  std::atomic<int64_t> expected_ns_{0};
  std::atomic<uint32_t> left_out_{0};  // of kTriedAgain
};

}  // namespace anex::shm

#endif  // ANEX_PROTO_SHM_WAIT_ESTIMATE_H_
