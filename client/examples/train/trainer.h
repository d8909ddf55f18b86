// The training loop: draws windows of text, runs the passes on the device, and does on the host
// what stays there: loss, clipping, AdamW on the fp32 master weights.
//
// The loss curve depends on the seed, the text and the shape alone: every draw and every sum has a
// fixed order, and nothing is taken from a clock. Whatever else the daemon does meanwhile, the
// curve is the same, bit for bit. Threads: one owner at a time.
#ifndef ANEX_CLIENT_EXAMPLES_TRAIN_TRAINER_H_
#define ANEX_CLIENT_EXAMPLES_TRAIN_TRAINER_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/examples/train/adamw.h"
#include "client/examples/train/corpus.h"
#include "client/examples/train/device_model.h"

namespace anex::train {

struct TrainOptions {
  uint64_t seed = 1;
  int steps = 600;
  // Multiplies the loss before the backward pass and is divided out after it, so that small
  // gradients keep their bits in fp16.
  float loss_scale = 256.0f;
  OptimizerOptions optimizer;
};

class Trainer {
 public:
  // All three must outlive the trainer. `corpus.vocabulary` must have the model's vocab.
  Trainer(const TrainOptions& options, const Corpus& corpus, DeviceModel& model);

  // Puts fresh weights on the device; then Step may be called `steps` times.
  absl::Status Start();
  // One step. Returns its loss, before the update. A gradient that is not finite updates nothing
  // and is counted; a loss that is not finite is an error (INTERNAL).
  absl::StatusOr<double> Step();
  // Mean loss over `batches` with the present weights.
  absl::StatusOr<double> Evaluate(const std::vector<Batch>& batches);

  int step() const { return static_cast<int>(losses_.size()); }
  const std::vector<double>& losses() const { return losses_; }
  int overflows() const { return overflows_; }
  std::span<const float> weights() const { return weights_; }

 private:
  absl::StatusOr<double> ForwardLoss(const Batch& batch, float scale);

  const TrainOptions options_;
  const Corpus& corpus_;
  DeviceModel& model_;
  Random random_;
  std::vector<float> weights_, gradient_, logits_;
  AdamW optimizer_;
  std::vector<double> losses_;
  int overflows_ = 0;
};

// 16 hex digits that differ if any bit of the curve differs (FNV-1a over the doubles).
std::string CurveDigest(std::span<const double> losses);

}  // namespace anex::train

#endif  // ANEX_CLIENT_EXAMPLES_TRAIN_TRAINER_H_
