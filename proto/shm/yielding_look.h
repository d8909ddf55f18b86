// A short look before a sleep: a wake-up of a sleeper on another core costs about 40 us each way on
// a virtual machine, so whoever waits for another process looks for a moment first, and yields
// between looks, so that one who shares its core gets on with it.
//
// How long it looks it learns from how long it has waited lately: half as long again as that, but
// not at all once waits take longer than a look may; a wait of a millisecond gains nothing from it.
//
// A yield costs nothing when nobody else wants the core. When somebody does, it costs that one's
// whole time slice, milliseconds, and what was waited for is found late; while one who sleeps and
// is woken goes before those who compute. So a look ends at the first yield that lost the core, and
// the next waits do without one: the more of them the more often that happens, as a slice that is
// lost costs as much as a hundred looks can save. On two cores with ten busy processes a null
// evaluation through a ring took 3.2 ms with looks that went on, 0.11 ms with these.
//
// Threads: one owner, who waits.
#ifndef ANEX_PROTO_SHM_YIELDING_LOOK_H_
#define ANEX_PROTO_SHM_YIELDING_LOOK_H_

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace anex::shm {

// The core that the caller runs on.
struct ThisCore {
  using Instant = std::chrono::steady_clock::time_point;
  Instant Now() const { return std::chrono::steady_clock::now(); }
  void Yield() const { ::sched_yield(); }
};

template <typename Core>
class BasicYieldingLook {
 public:
  // The least and the longest time of a look, and how long a wait may take to be looked for.
  static constexpr std::chrono::microseconds kMoment{50}, kLongestMoment{200}, kLongestWait{150};
  // More than a yield takes when the core is ours, interrupts included; a slice is 0.7 to 4 ms.
  static constexpr std::chrono::microseconds kCoreLost{300};
  // How many waits go by before it is tried again; twice as many each time that the core is lost
  // again before so many looks have gone well.
  static constexpr int kWaitsWithout = 32, kMostWaitsWithout = 8192, kLooksGoneWell = 128;

  explicit BasicYieldingLook(Core core = Core()) : core_(core) {}

  // True if `found` says so within the moment. False: the caller sleeps, and says Came when what he
  // waits for is there.
  template <typename Found>
  bool Look(const Found& found) {
    if (found()) return true;
    const Instant start = core_.Now();
    if (waiting_) Learn(start - start_);  // it took until now at most
    start_ = start;
    waiting_ = true;
    if (waits_without_ > 0) {
      --waits_without_;
      return false;
    }
    const Duration moment = Moment();
    for (Instant last = start; moment > Duration(0);) {
      core_.Yield();
      const Instant now = core_.Now();
      const bool lost = now - last >= kCoreLost;
      const bool is_there = found();
      if (is_there && !lost) Learn(now - start_);
      if (lost || is_there || now - start >= moment) {
        Remember(lost);
        return is_there;
      }
      last = now;
    }
    return false;
  }
  void Came() {
    if (waiting_) Learn(core_.Now() - start_);
  }
  // Nobody waits any more: how long it would have taken is not known.
  void Forget() { waiting_ = false; }

 private:
  using Instant = typename Core::Instant;
  using Duration = typename Instant::duration;

  Duration Moment() const {
    if (expected_ > kLongestWait) return Duration(0);
    return std::clamp<Duration>(expected_ + expected_ / 2, kMoment, kLongestMoment);
  }
  // The last eight or so count; a very long one counts as one that is somewhat too long.
  void Learn(Duration wait) {
    waiting_ = false;
    expected_ += (std::min<Duration>(wait, 3 * kLongestWait) - expected_) / 8;
  }
  void Remember(bool lost) {
    if (lost) {
      waiting_ = false;
      waits_without_ = std::exchange(next_without_, std::min(2 * next_without_, kMostWaitsWithout));
      gone_well_ = 0;
    } else if (++gone_well_ >= kLooksGoneWell) {
      next_without_ = kWaitsWithout;
    }
  }

  Core core_;
  Instant start_{};
  bool waiting_ = false;  // since start_
  Duration expected_{0};  // of a wait
  int waits_without_ = 0, next_without_ = kWaitsWithout, gone_well_ = 0;
};

using YieldingLook = BasicYieldingLook<ThisCore>;

}  // namespace anex::shm

#endif  // ANEX_PROTO_SHM_YIELDING_LOOK_H_
