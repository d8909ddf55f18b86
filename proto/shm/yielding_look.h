// A look before a sleep: a wake-up of a sleeper on another core costs 30 to 60 us each way on a
// virtual machine, so whoever waits for another thread or process looks for a while first, and
// yields between looks, so that one who shares its core gets on with it. How long a look lasts
// wait_estimate.h says.
//
//   YieldingLook look(estimate);
//   if (look.For(found)) return;       // it is there
//   ... sleep until it is there, or for `timeout - look.elapsed()` ...
//   look.Slept(came);                  // the wait is over; left out, nothing is learned from it
//
// A yield costs nothing when nobody else wants the core. When somebody does, it costs that one's
// whole time slice, milliseconds, and what was waited for is found late; while one who sleeps and
// is woken goes before those who compute. So a look ends at the first yield that lost the core, and
// the thread's next waits do without one: the more of them the more often that happens, as a slice
// that is lost costs as much as a hundred looks can save. On two cores with ten busy processes a
// null evaluation through a ring took 3.2 ms with looks that went on, 0.11 ms with these. (A slice
// that goes to who makes what is waited for counts too: on one core long kernels end looks.)
//
// Bound: as many threads of a process look at one time as it has cores; others sleep at once.
//
// Threads: a look belongs to the thread that waits.
#ifndef ANEX_PROTO_SHM_YIELDING_LOOK_H_
#define ANEX_PROTO_SHM_YIELDING_LOOK_H_

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

#include "proto/shm/wait_estimate.h"

namespace anex::shm {

// Whether yields of one thread lost it its core lately.
class CoreLoss {
 public:
  // More than a yield takes when the core is ours, interrupts included; a slice is 0.7 to 4 ms.
  static constexpr std::chrono::microseconds kLost{300};
  // How many waits go by without a look after a loss: twice as many each time that the core is lost
  // again, up to the most, until so many looks in a row have gone well.
  static constexpr int kWaitsWithout = 32;
  static constexpr int kMostWaitsWithout = 8192;
  static constexpr int kLooksGoneWell = 128;

  // Counts a wait. False: it is to do without a look.
  bool MayLook() { return waits_without_ == 0 || (--waits_without_, false); }
  void Lost() {
    waits_without_ = std::exchange(next_without_, std::min(2 * next_without_, kMostWaitsWithout));
    gone_well_ = 0;
  }
  void WentWell() {
    if (gone_well_ < kLooksGoneWell && ++gone_well_ == kLooksGoneWell) {
      next_without_ = kWaitsWithout;
    }
  }

 private:
  int waits_without_ = 0;             // still to come
  int next_without_ = kWaitsWithout;  // after the next loss
  int gone_well_ = 0;                 // looks since the last loss
};

// The core that the caller runs on.
struct ThisCore {
  using Instant = std::chrono::steady_clock::time_point;
  Instant Now() const { return std::chrono::steady_clock::now(); }
  void Yield() const { ::sched_yield(); }
  CoreLoss& loss() const {
    thread_local CoreLoss loss;
    return loss;
  }
  // Of all threads that may look; false: there are enough.
  bool BeginLook() const {
    static const int most = std::max(2, static_cast<int>(std::thread::hardware_concurrency()));
    if (looking.fetch_add(1, std::memory_order_relaxed) < most) return true;
    EndLook();
    return false;
  }
  void EndLook() const { looking.fetch_sub(1, std::memory_order_relaxed); }
  static inline std::atomic<int> looking{0};
};

template <typename Core>
class BasicYieldingLook {
 public:
  using Duration = WaitEstimate::Duration;

  // `estimate` outlives this.
  explicit BasicYieldingLook(WaitEstimate& estimate, Core core = Core())
      : estimate_(estimate), core_(core) {}
  BasicYieldingLook(const BasicYieldingLook&) = delete;
  BasicYieldingLook& operator=(const BasicYieldingLook&) = delete;

  // Once. True if `found` says so before the look is over, which lasts `most` at most.
  template <typename Found>
  bool For(const Found& found, Duration most = Duration::max()) {
    if (found()) return true;
    start_ = core_.Now();
    if (!core_.loss().MayLook()) return false;
    const Duration moment = std::min(estimate_.NextLook(), most);
    if (moment <= Duration(0) || !core_.BeginLook()) return false;
    tried_ = true;
    const bool is_there = LookAndYield(found, moment);
    core_.EndLook();
    return is_there;
  }
  // What was waited for came after the look, or not in all the time until now.
  void Slept(bool came) {
    if (start_ == Instant()) return;
    const Duration wait = elapsed();
    if (came || wait > estimate_.expected()) estimate_.Learn(wait);
  }

  // Since For began; 0 if it was there.
  Duration elapsed() const {
    return start_ == Instant() ? Duration(0) : Duration(core_.Now() - start_);
  }
  // For has looked, if only for nothing.
  bool tried() const { return tried_; }

 private:
  using Instant = typename Core::Instant;

  template <typename Found>
  bool LookAndYield(const Found& found, Duration moment) {
    for (Instant last = start_;;) {
      core_.Yield();
      const Instant now = core_.Now();
      const bool lost = now - last >= CoreLoss::kLost;
      const bool is_there = found();
      if (!lost && !is_there && now - start_ < moment) {
        last = now;
        continue;
      }
      lost ? core_.loss().Lost() : core_.loss().WentWell();
      if (is_there && !lost) estimate_.Found(now - start_);
      return is_there;
    }
  }

  WaitEstimate& estimate_;
  Core core_;
  Instant start_{};
  bool tried_ = false;
};

using YieldingLook = BasicYieldingLook<ThisCore>;

}  // namespace anex::shm

#endif  // ANEX_PROTO_SHM_YIELDING_LOOK_H_
