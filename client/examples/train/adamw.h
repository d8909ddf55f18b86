// AdamW on the flat fp32 master weights, with the global gradient norm clipped before and a
// warm-up-then-cosine learning rate. Single-threaded, in a fixed order: equal gradients give equal
// weights, bit for bit. One owner at a time.
#ifndef ANEX_CLIENT_EXAMPLES_TRAIN_ADAMW_H_
#define ANEX_CLIENT_EXAMPLES_TRAIN_ADAMW_H_

#include <cstdint>
#include <span>
#include <vector>

#include "client/examples/train/model_shape.h"

namespace anex::train {

struct OptimizerOptions {
  float learning_rate = 4e-3f;  // the peak, at the end of the warm-up
  float final_fraction = 0.1f;  // of the peak, at the last step
  int warmup = 20;              // steps
  float beta1 = 0.9f, beta2 = 0.95f, epsilon = 1e-8f;
  float weight_decay = 0.1f;  // decoupled; matrices only
  float clip = 1.0f;          // largest global L2 norm of a gradient
};

// The learning rate of step `step` (from 0) of `steps`: linear to the peak, then half a cosine.
float LearningRate(const OptimizerOptions& options, int step, int steps);

// Scales `gradient` down to the norm `limit` if it is longer; returns the norm it had.
double ClipNorm(std::span<float> gradient, float limit);

class AdamW {
 public:
  AdamW(const OptimizerOptions& options, const ParameterTable& table);

  // REQUIRES: both have the table's total size.
  void Step(std::span<float> weights, std::span<const float> gradient, float learning_rate);

 private:
  const OptimizerOptions options_;
  const std::vector<Parameter> parameters_;
  std::vector<float> mean_, square_;
  double beta1_power_ = 1, beta2_power_ = 1;
};

}  // namespace anex::train

#endif  // ANEX_CLIENT_EXAMPLES_TRAIN_ADAMW_H_
