// One invocation after the other, at a rate or as fast as they go, each timed twice: from the
// moment at which it was meant to start, and from the one at which it did.
//
// Only the first is the latency that a caller sees. A load that waits for an answer before it asks
// again leaves out, while the system stalls, just the samples that would have been slow
// (coordinated omission): of 1,000 requests a second that meet a stall of 100 ms it counts one slow
// one, and 99 that nobody sent. Here each of these has its intended start, is sent as soon as it
// can be, and counts with all that it waited.
//
// Threads: one. The clock is the caller's, so that tests need no time.
#ifndef ANEX_CLIENT_CLI_BENCH_PACED_LOAD_H_
#define ANEX_CLIENT_CLI_BENCH_PACED_LOAD_H_

#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/bench/latency_histogram.h"

namespace anex::bench {

class LoadClock {
 public:
  virtual ~LoadClock() = default;
  virtual int64_t Now() = 0;               // ns, monotonic
  virtual void WaitUntil(int64_t ns) = 0;  // returns at once if that is over
};

// The machine's monotonic clock. Sleeps, and for the last stretch yields, since a sleep ends late.
class SteadyLoadClock final : public LoadClock {
 public:
  int64_t Now() override;
  void WaitUntil(int64_t ns) override;
};

struct LoadSpec {
  double per_second = 0;    // 0 = closed loop: the next starts when the last has ended
  int64_t duration_ns = 0;  // of intended starts
};

struct LoadResult {
  LatencyHistogram latency;   // from the intended start: what callers see
  LatencyHistogram service;   // from the actual start
  LatencyHistogram lateness;  // intended to actual start of those that nothing held up
  uint64_t runs = 0;
  uint64_t given_up = 0;  // intended, never started: behind by the whole duration
  int64_t elapsed_ns = 0;
  // Runs a second that were made.
  double achieved() const;
};

// `once` runs one invocation; `check`, untimed, says whether its result was right. Stops with the
// first error of either. What was intended and could not be started by twice the duration is given
// up, and counts with the time that it had waited by then.
absl::StatusOr<LoadResult> RunLoad(LoadClock& clock, const LoadSpec& spec,
                                   const std::function<absl::Status()>& once,
                                   const std::function<absl::Status()>& check);

}  // namespace anex::bench

#endif  // ANEX_CLIENT_CLI_BENCH_PACED_LOAD_H_
