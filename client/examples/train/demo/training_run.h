// One trainer as the demonstration sees it: what its progress lines have said so far, and what its
// report says at the end. Values and pure functions, any thread.
#ifndef ANEX_CLIENT_EXAMPLES_TRAIN_DEMO_TRAINING_RUN_H_
#define ANEX_CLIENT_EXAMPLES_TRAIN_DEMO_TRAINING_RUN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace anex::train {

struct RunState {
  std::string name;
  uint64_t seed = 0;
  int step = 0, steps = 0;
  double loss = 0, tokens_per_s = 0;
  std::optional<double> share;  // of the device's time in the last second
  bool done = false;
};

// Takes one line of a trainer's --progress=json. Lines that are not of that kind change nothing and
// return false.
bool TakeProgressLine(std::string_view line, RunState& state);

struct RunReport {
  std::string name;
  uint64_t seed = 0;
  int steps = 0;
  double val_loss = 0, unigram = 0, bigram = 0, tokens_per_s = 0;
  std::vector<std::string> losses;  // hexadecimal floats: equal text is equal bits
  std::vector<std::string> samples;
};

// Reads a trainer's --json file. INVALID_ARGUMENT says what is missing.
absl::StatusOr<RunReport> ParseRunReport(std::string_view json);

}  // namespace anex::train

#endif  // ANEX_CLIENT_EXAMPLES_TRAIN_DEMO_TRAINING_RUN_H_
