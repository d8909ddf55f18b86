// Are the gradients right? Two rungs of one ladder, on a small model with no two sizes alike, so
// that an operand in the wrong place cannot go unseen:
//   1. the host's reference against central differences of its own loss, in double;
//   2. the device's gradient against the reference's.
// Errors are relative L2 norms per parameter. Pure functions but for the device. Any thread.
#ifndef ANEX_CLIENT_EXAMPLES_TRAIN_GRADIENT_CHECK_H_
#define ANEX_CLIENT_EXAMPLES_TRAIN_GRADIENT_CHECK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/examples/train/corpus.h"
#include "client/examples/train/device_model.h"
#include "client/examples/train/model_shape.h"

namespace anex::train {

// Measured: 3e-7 at most. A wrong formula is off by 1e-1 and more.
inline constexpr double kReferenceGate = 1e-4;
// fp16 storage with one rounding per operation. Measured on the cpu device: 3e-3 to 4e-3.
inline constexpr double kDeviceGate = 1e-2;

struct GradientProblem {
  ModelShape shape;
  std::vector<float> weights;
  Batch batch;
};

struct TensorError {
  std::string parameter;
  double error = 0;  // |found - expected| / |expected|
};

// dim 24, hidden 40, 2 layers of 2 heads, 4 windows of 13, 17 symbols; norms away from 1 and an
// embedding as large as a trained one.
GradientProblem MakeGradientProblem(uint64_t seed);

// Rung 1: at `samples` elements of each parameter (all, if it has no more).
std::vector<TensorError> CheckReference(const GradientProblem& problem, int samples);

struct DeviceCheck {
  double loss = 0, reference_loss = 0;
  std::vector<TensorError> errors;
};
// Rung 2. `model` must have the problem's shape.
absl::StatusOr<DeviceCheck> CheckDevice(const GradientProblem& problem, DeviceModel& model,
                                        float loss_scale);

// The largest; NaN if any is NaN.
double WorstError(const std::vector<TensorError>& errors);

}  // namespace anex::train

#endif  // ANEX_CLIENT_EXAMPLES_TRAIN_GRADIENT_CHECK_H_
