#include "client/examples/train/adamw.h"

#include <cassert>
#include <cmath>
#include <numbers>

namespace anex::train {

float LearningRate(const OptimizerOptions& options, int step, int steps) {
  if (step < options.warmup) {
    return options.learning_rate * static_cast<float>(step + 1) /
           static_cast<float>(options.warmup);
  }
  const int rest = steps - options.warmup - 1;
  const double progress = rest < 1 ? 1.0 : static_cast<double>(step - options.warmup) / rest;
  const double cosine = 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
  const double low = options.final_fraction;
  return static_cast<float>(options.learning_rate * (low + (1.0 - low) * cosine));
}

double ClipNorm(std::span<float> gradient, float limit) {
  double squares = 0;
  for (const float value : gradient) squares += static_cast<double>(value) * value;
  const double norm = std::sqrt(squares);
  if (norm <= limit) return norm;
  const float factor = static_cast<float>(limit / norm);
  for (float& value : gradient) value *= factor;
  return norm;
}

AdamW::AdamW(const OptimizerOptions& options, const ParameterTable& table)
    : options_(options),
      parameters_(table.all()),
      mean_(table.total(), 0.0f),
      square_(table.total(), 0.0f) {}

void AdamW::Step(std::span<float> weights, std::span<const float> gradient, float learning_rate) {
  assert(weights.size() == mean_.size() && gradient.size() == mean_.size());
  beta1_power_ *= options_.beta1;
  beta2_power_ *= options_.beta2;
  const float step = learning_rate / static_cast<float>(1.0 - beta1_power_);
  const float square_scale = static_cast<float>(1.0 / (1.0 - beta2_power_));
  const float b1 = options_.beta1, b2 = options_.beta2, epsilon = options_.epsilon;
  for (const Parameter& parameter : parameters_) {
    const float keep = parameter.decays ? 1.0f - learning_rate * options_.weight_decay : 1.0f;
    float* w = &weights[parameter.offset];
    const float* g = &gradient[parameter.offset];
    float* m = &mean_[parameter.offset];
    float* v = &square_[parameter.offset];
    for (size_t i = 0; i < parameter.size; ++i) {
      m[i] = b1 * m[i] + (1.0f - b1) * g[i];
      v[i] = b2 * v[i] + (1.0f - b2) * g[i] * g[i];
      w[i] = w[i] * keep - step * m[i] / (std::sqrt(v[i] * square_scale) + epsilon);
    }
  }
}

}  // namespace anex::train
