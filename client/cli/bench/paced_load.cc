#include "client/cli/bench/paced_load.h"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

namespace anex::bench {
namespace {

// Linux lets a sleep end 50 us late by default, and waking the processor takes as long again.
constexpr int64_t kYieldingNs = 150'000;

// When the n-th invocation is meant to start. Not by adding up intervals: rounding would drift.
int64_t IntendedStart(int64_t begin, double per_second, uint64_t n) {
  return begin + static_cast<int64_t>(std::llround(static_cast<double>(n) * 1e9 / per_second));
}

class Load {
 public:
  Load(LoadClock& clock, const std::function<absl::Status()>& once,
       const std::function<absl::Status()>& check)
      : clock_(clock), once_(once), check_(check) {}

  LoadResult& result() { return result_; }

  // Runs one that was meant to start at `intended`. `held_up` = another was still running then.
  absl::Status Run(int64_t intended, bool held_up) {
    const int64_t start = clock_.Now();
    if (absl::Status done = once_(); !done.ok()) return done;
    const int64_t end = clock_.Now();
    result_.latency.Add(end - intended);
    result_.service.Add(end - start);
    if (!held_up) result_.lateness.Add(start - intended);
    ++result_.runs;
    last_end_ = end;
    return check_();
  }
  int64_t last_end() const { return last_end_; }

 private:
  LoadClock& clock_;
  const std::function<absl::Status()>& once_;
  const std::function<absl::Status()>& check_;
  LoadResult result_;
  int64_t last_end_ = INT64_MIN;
};

absl::Status RunClosed(LoadClock& clock, const LoadSpec& spec, int64_t begin, Load& load) {
  while (clock.Now() - begin < spec.duration_ns) {
    // The check of the last result is no part of the load: this one is meant to start now.
    if (absl::Status run = load.Run(clock.Now(), true); !run.ok()) return run;
  }
  return absl::OkStatus();
}

absl::Status RunPaced(LoadClock& clock, const LoadSpec& spec, int64_t begin, Load& load) {
  const int64_t give_up_at = begin + 2 * spec.duration_ns;
  for (uint64_t n = 0;; ++n) {
    const int64_t intended = IntendedStart(begin, spec.per_second, n);
    if (intended - begin >= spec.duration_ns) return absl::OkStatus();
    clock.WaitUntil(intended);
    if (const int64_t now = clock.Now(); now >= give_up_at) {
      load.result().latency.Add(now - intended);
      ++load.result().given_up;
      continue;
    }
    if (absl::Status run = load.Run(intended, load.last_end() > intended); !run.ok()) return run;
  }
}

}  // namespace

int64_t SteadyLoadClock::Now() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void SteadyLoadClock::WaitUntil(int64_t ns) {
  const int64_t left = ns - Now();
  if (left > kYieldingNs) std::this_thread::sleep_for(std::chrono::nanoseconds(left - kYieldingNs));
  while (Now() < ns) ::sched_yield();
}

double LoadResult::achieved() const {
  return elapsed_ns > 0 ? static_cast<double>(runs) * 1e9 / static_cast<double>(elapsed_ns) : 0;
}

absl::StatusOr<LoadResult> RunLoad(LoadClock& clock, const LoadSpec& spec,
                                   const std::function<absl::Status()>& once,
                                   const std::function<absl::Status()>& check) {
  if (spec.per_second < 0 || spec.duration_ns <= 0) {
    return absl::InvalidArgumentError("a load needs a rate of at least 0 and a duration");
  }
  Load load(clock, once, check);
  const int64_t begin = clock.Now();
  absl::Status ran = spec.per_second > 0 ? RunPaced(clock, spec, begin, load)
                                         : RunClosed(clock, spec, begin, load);
  if (!ran.ok()) return ran;
  load.result().elapsed_ns = std::max(load.last_end(), clock.Now()) - begin;
  return std::move(load.result());
}

}  // namespace anex::bench
