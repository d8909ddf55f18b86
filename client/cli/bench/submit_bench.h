// What one invocation costs its caller: percentiles, by the way in which it travels, as fast as
// they go and at rates, with nothing left out while the system stalls (paced_load.h).
//
// Ways and loads take turns in rounds. Every invocation gets a new value in its input, and what
// comes out in its place is checked.
//
// Threads: one. Waits for the device; bound by the transports' deadlines.
#ifndef ANEX_CLIENT_CLI_BENCH_SUBMIT_BENCH_H_
#define ANEX_CLIENT_CLI_BENCH_SUBMIT_BENCH_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/bench/ceiling.h"
#include "client/cli/bench/figure.h"
#include "client/cli/bench/latency_histogram.h"
#include "nlohmann/json.hpp"

namespace anex::bench {

struct SubmitOptions {
  std::string kernel = "null";         // or a shape: "64x32"
  std::vector<std::string> ways;       // empty = all of SubmitWays()
  std::vector<double> rates = {1000};  // a second, each beside the closed loop
  std::string device;                  // "" = the daemon's default
  int rounds = 10;
  double seconds = 0.5;                         // of one way at one load in one round
  std::function<void(const std::string&)> say;  // progress; may be null
};

// "in-process", "unary", "stream", "ring".
const std::vector<std::string>& SubmitWays();

struct SubmitFigure {
  std::string way;
  double per_second = 0;  // 0 = closed loop
  Outcome outcome = Outcome::kMeasured;
  std::string reason;
  LatencyHistogram latency;   // from the intended start
  LatencyHistogram service;   // from the actual start: what a load sees that waits for answers
  LatencyHistogram lateness;  // how late this tool itself was, where nothing held it up
  uint64_t runs = 0, given_up = 0;
  int64_t elapsed_ns = 0;
  // By round, of `latency`: of p50, p90, p99, p99.9 and the most.
  std::vector<std::vector<double>> rounds;

  std::string load() const;  // "closed", "1000/s"
  std::string name() const;  // "ring/closed"
  double achieved() const;
  // Less than 99 of 100 that were intended were done in their time.
  bool behind() const;
};

struct Percentile {
  const char* name;  // "p50"
  double q;
};
// p50, p90, p99, p99.9, max.
const std::vector<Percentile>& SubmitPercentiles();

struct SubmitReport {
  std::string daemon_version, daemon_build, device, kernel;
  int rounds = 0;
  double seconds = 0;
  std::vector<SubmitFigure> figures;

  bool good() const;  // nothing failed, nothing was wrong
};

// INVALID_ARGUMENT for options that make no sense, before anything is opened.
absl::Status CheckSubmitOptions(const SubmitOptions& options);
// Errors as RunCeiling's.
absl::StatusOr<SubmitReport> RunSubmit(const Places& places, const SubmitOptions& options);

// Each percentile is a figure with one sample a round, as compare wants them.
nlohmann::ordered_json ToJson(const SubmitReport& report);

}  // namespace anex::bench

#endif  // ANEX_CLIENT_CLI_BENCH_SUBMIT_BENCH_H_
