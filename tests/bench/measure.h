// Interleaved measurement: contenders take turns in short rounds, so that a change of the machine's
// speed meets all of them, and ratios are taken between medians of one run.
//
// Threads: one.
#ifndef ANEX_TESTS_BENCH_MEASURE_H_
#define ANEX_TESTS_BENCH_MEASURE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace anex::bench {

struct Contender {
  std::string name;
  std::function<void()> once;  // one operation; aborts the benchmark itself on failure
};

struct Figures {
  double p50_us = 0, p99_us = 0, min_us = 0;
  uint64_t samples = 0;
};

// `rounds` rounds of `per_round` operations of each contender in turn, after one warm-up round.
std::map<std::string, Figures> Interleave(const std::vector<Contender>& contenders, int rounds,
                                          int per_round);

Figures Summarize(std::vector<int64_t> nanoseconds);

// Prints the table to standard output: name, p50, p99, min and the ratio of p50 to `baseline`'s.
void PrintTable(const std::string& title, const std::map<std::string, Figures>& figures,
                const std::string& baseline);

// Ends the program with a message; benchmarks have nobody to return an error to.
[[noreturn]] void Fail(const std::string& message);

// The value, or the end of the program with `what` and why.
template <typename T>
T Must(absl::StatusOr<T> value, const char* what) {
  if (!value.ok()) Fail(std::string(what) + ": " + std::string(value.status().message()));
  return *std::move(value);
}
inline void Check(const absl::Status& status, const char* what) {
  if (!status.ok()) Fail(std::string(what) + ": " + std::string(status.message()));
}

}  // namespace anex::bench

#endif  // ANEX_TESTS_BENCH_MEASURE_H_
