// The throughput-ceiling experiment: twelve kernels in a row, in every way there is to have them
// run, side by side in one process. What is it that bounds the rate: the device, the copies between
// kernels, or what each submission costs?
//
// Modes take turns, a few passes each, round after round, so that what disturbs the machine meets
// all alike. Every pass has inputs of its own and every result is compared; before that each mode
// is given a pass with a kernel left out and one with a kernel run twice, and must notice.
//
// Threads: one; the modes make theirs. Waits for the device; bound by the transports' deadlines.
#ifndef ANEX_CLIENT_CLI_BENCH_CEILING_H_
#define ANEX_CLIENT_CLI_BENCH_CEILING_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/bench/figure.h"
#include "client/cli/bench/rig.h"

namespace anex::bench {

// Where to measure. An empty function = there is no such place, and why.
struct Places {
  Connect daemon;
  Connect in_process;
  std::string no_in_process = "this anectl has no engine in its own process";
};

struct CeilingOptions {
  std::vector<std::string> shapes = {"null", "64x32", "256x64", "768x256"};
  std::vector<std::string> modes;  // empty = all
  std::string device;              // "" = the daemon's default
  int warmup = 5;
  int rounds = 10, passes = 5;                  // 50 iterations
  std::function<void(const std::string&)> say;  // progress; may be null
};

// What is wrong with the options, before anything is opened: INVALID_ARGUMENT names shapes or
// modes.
absl::Status CheckCeilingOptions(const CeilingOptions& options);

// UNAVAILABLE if the daemon does not answer or goes away. Anything else that goes wrong is told of
// the figure that it belongs to.
absl::StatusOr<CeilingReport> RunCeiling(const Places& places, const CeilingOptions& options);

}  // namespace anex::bench

#endif  // ANEX_CLIENT_CLI_BENCH_CEILING_H_
