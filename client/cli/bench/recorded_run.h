// What an earlier run left in a file, as far as a comparison needs it: figures by name, with their
// samples round by round. The same part of the schema in every benchmark.
//
// Pure functions and values, any thread. The file is whatever somebody gave us: every type is
// checked, nothing throws.
#ifndef ANEX_CLIENT_CLI_BENCH_RECORDED_RUN_H_
#define ANEX_CLIENT_CLI_BENCH_RECORDED_RUN_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/bench/sample_statistics.h"

namespace anex::bench {

inline constexpr int kSchema = 1;
inline constexpr char kCeilingBench[] = "ceiling", kSubmitBench[] = "submit";

struct RecordedFigure {
  std::string name;
  std::string outcome;  // "measured", or why there are no samples
  std::string reason;
  std::string over;  // the figure that it is compared with within its run, or ""
  Rounds rounds;     // ns of one unit

  bool measured() const { return outcome == "measured"; }
};

struct RecordedRun {
  std::string bench;   // kCeilingBench, kSubmitBench
  std::string daemon;  // version and build
  std::string device;
  std::vector<RecordedFigure> figures;

  const RecordedFigure* Find(std::string_view name) const;
};

// `file` is for messages. INVALID_ARGUMENT says what the text lacks.
absl::StatusOr<RecordedRun> ParseRecordedRun(std::string_view text_untrusted,
                                             std::string_view file);

}  // namespace anex::bench

#endif  // ANEX_CLIENT_CLI_BENCH_RECORDED_RUN_H_
