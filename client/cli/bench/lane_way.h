// A lane whose runs are waited for one by one, as the SDK sends them by itself.
//
// Threads: one at a time.
#ifndef ANEX_CLIENT_CLI_BENCH_LANE_WAY_H_
#define ANEX_CLIENT_CLI_BENCH_LANE_WAY_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "client/anex/lane.h"
#include "client/cli/bench/rig.h"

namespace anex::bench {

inline int64_t NowNs() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

class LaneWay {
 public:
  // The SDK opens a ring with the second run of a lane; three are past that.
  static constexpr int kPrimes = 3;

  absl::Status Open(const Rig& rig) {
    absl::StatusOr<Lane> lane = rig.session().CreateLane({.label = "anectl bench"});
    if (!lane.ok()) return lane.status();
    lane_ = *std::move(lane);
    return absl::OkStatus();
  }
  void Close() { lane_ = Lane(); }

  absl::Status Prime(const Rig& rig) const {
    for (int i = 0; i < kPrimes; ++i) {
      if (absl::Status run = lane_.Run(rig.primer()).status(); !run.ok()) return run;
    }
    return absl::OkStatus();
  }
  // Runs an invocation or a chain; adds its time on the device.
  template <typename Work>
  absl::Status Run(const Work& work, int64_t& device_ns) const {
    const absl::StatusOr<Completion> done = lane_.Run(work);
    if (done.ok()) device_ns += done->device_ns;
    return done.status();
  }
  const Lane& lane() const { return lane_; }

 private:
  Lane lane_;
};

}  // namespace anex::bench

#endif  // ANEX_CLIENT_CLI_BENCH_LANE_WAY_H_
