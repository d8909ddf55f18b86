// Arithmetic on what was measured: quantiles, spread, and how sure a ratio of two medians is.
//
// Samples come in rounds, because what disturbs one (another process, a slower clock) disturbs its
// neighbours as well: samples of a round are not independent, rounds nearly are. So doubt is
// estimated by drawing whole rounds (a cluster bootstrap), with a fixed seed: the same samples give
// the same answer. Pure functions, any thread.
#ifndef ANEX_CLIENT_CLI_BENCH_SAMPLE_STATISTICS_H_
#define ANEX_CLIENT_CLI_BENCH_SAMPLE_STATISTICS_H_

#include <cstddef>
#include <optional>
#include <vector>

namespace anex::bench {

// What was measured, round by round. Rounds may differ in length.
using Rounds = std::vector<std::vector<double>>;

// Between the two nearest samples in proportion; `q` in [0, 1]. REQUIRES: not empty.
double Quantile(std::vector<double> samples, double q);

struct Spread {
  double median = 0, p25 = 0, p75 = 0, p99 = 0, least = 0, most = 0;
  size_t samples = 0;
  // Half the distance between the quartiles, as a share of the median.
  double relative() const { return median > 0 ? (p75 - p25) / 2 / median : 0; }
};
std::optional<Spread> SpreadOf(const Rounds& rounds);  // nullopt without a sample

struct RatioEstimate {
  double ratio = 0;             // of the medians of all samples
  double low = 0, high = 0;     // the interval that holds 95 of 100 draws; both 0 if not known
  bool interval_known = false;  // takes three rounds on both sides
};
enum class Pairing {
  kSameRun,      // round i of both was measured side by side: drawn together
  kSeparateRuns  // drawn apart
};
// nullopt if either side has no sample or the median below the line is 0.
std::optional<RatioEstimate> EstimateRatio(const Rounds& above, const Rounds& below,
                                           Pairing pairing);

// Jain's index of how evenly `shares` are spread: 1 = all equal, 1/n = one has all. 0 if empty.
double JainIndex(const std::vector<double>& shares);

}  // namespace anex::bench

#endif  // ANEX_CLIENT_CLI_BENCH_SAMPLE_STATISTICS_H_
