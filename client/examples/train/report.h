// What a training run tells the outside: lines while it runs, for people or for a driver, and a
// JSON file at its end. Threads: one owner at a time.
//
// Lines for a driver (--progress=json) are one JSON object each:
//   {"event":"start","pid":..,"name":..,"seed":..,"steps":..,"parameters":..,"vocab":..,
//    "unigram":..,"bigram":..}
//   {"event":"step","step":..,"steps":..,"loss":..,"tokens_per_s":..}     ten times a second at
//   most
//   {"event":"done","val_loss":..,"tokens_per_s":..,"digest":..}
#ifndef ANEX_CLIENT_EXAMPLES_TRAIN_REPORT_H_
#define ANEX_CLIENT_EXAMPLES_TRAIN_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/examples/train/baselines.h"

namespace anex::train {

struct TrainReport {
  std::string name;
  uint64_t seed = 0;
  int steps = 0;
  size_t parameters = 0;
  int vocab = 0;
  Baselines baselines;
  std::vector<double> losses;  // one a step
  double val_loss = 0;
  double tokens_per_s = 0;  // of the steps alone
  double seconds = 0;       // of the steps alone
  int overflows = 0;
  int64_t evaluations = 0, device_ns = 0;
  std::vector<std::string> samples;
};

enum class ProgressStyle : uint8_t { kPlain = 0, kJson = 1 };

class Progress {
 public:
  Progress(ProgressStyle style, int tokens_per_step) : style_(style), tokens_(tokens_per_step) {}

  void Start(const TrainReport& report);
  // After each step; prints now and then. CANCELLED once nobody reads the output any more: a driver
  // that was killed takes its trainers with it.
  absl::Status Step(int step, int steps, double loss);
  void Done(const TrainReport& report);

 private:
  const ProgressStyle style_;
  const int tokens_;
  absl::Time started_, printed_;
  double recent_ = 0;  // loss, smoothed for the eye
};

// Everything, with the loss of each step as a hexadecimal float, which loses no bit.
std::string ReportJson(const TrainReport& report);
absl::Status WriteReport(const TrainReport& report, const std::string& path);

}  // namespace anex::train

#endif  // ANEX_CLIENT_EXAMPLES_TRAIN_REPORT_H_
