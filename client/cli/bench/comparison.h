// Two runs of a benchmark, figure by figure: what got worse, and how sure that is.
//
// A figure is worse if it takes longer than the tolerance allows, and even the low end of the
// ratio's interval is half of the tolerance away from no change. If it moved as far but the
// interval reaches back, it is unsure, and more rounds would tell. What was measured and now is
// unavailable, failed or wrong is lost, which counts as worse; what the second run was not asked
// for is gone.
//
// Pure functions and values, any thread.
#ifndef ANEX_CLIENT_CLI_BENCH_COMPARISON_H_
#define ANEX_CLIENT_CLI_BENCH_COMPARISON_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/bench/recorded_run.h"
#include "client/cli/bench/sample_statistics.h"
#include "nlohmann/json.hpp"

namespace anex::bench {

enum class Verdict : uint8_t { kSame, kBetter, kWorse, kUnsure, kLost, kGone, kNew, kNeither };
// "same", "better", "WORSE", "unsure", "LOST", "gone", "new", "not measured"
std::string_view VerdictName(Verdict verdict);

struct ComparedFigure {
  std::string name;
  Verdict verdict = Verdict::kSame;
  // Of one unit; or, relative, over the same work in process. nullopt where it was not measured.
  std::optional<double> before, after;
  std::optional<RatioEstimate> change;  // after over before
  std::string reason;                   // why it is lost or not measured
};

struct ComparisonOptions {
  double tolerance = 0.05;
  // Compares what is over the same work in process, which machine's speed at the time touches
  // less, in place of times. Figures without such are left out.
  bool relative = false;
};

struct Comparison {
  ComparisonOptions options;
  std::vector<std::string> differences;  // of daemon, device; not errors
  std::vector<ComparedFigure> figures;   // in the order of the second run, gone ones behind

  size_t Count(Verdict verdict) const;
  bool got_worse() const { return Count(Verdict::kWorse) + Count(Verdict::kLost) > 0; }
};

// INVALID_ARGUMENT for runs of different benchmarks, or without a figure in common.
absl::StatusOr<Comparison> Compare(const RecordedRun& before, const RecordedRun& after,
                                   const ComparisonOptions& options);

nlohmann::ordered_json ToJson(const Comparison& comparison);

}  // namespace anex::bench

#endif  // ANEX_CLIENT_CLI_BENCH_COMPARISON_H_
