// The decoder and its gradient in double precision on the host: plain loops, token by token,
// written from the formulas and not from the device programs. It is the oracle: its gradient is
// checked against central differences of its own loss, and the device's against it. Pure functions,
// any thread.
#ifndef ANEX_CLIENT_EXAMPLES_TRAIN_REFERENCE_MODEL_H_
#define ANEX_CLIENT_EXAMPLES_TRAIN_REFERENCE_MODEL_H_

#include <span>
#include <vector>

#include "client/examples/train/model_shape.h"

namespace anex::train {

struct ReferenceResult {
  double loss = 0;               // mean cross-entropy in nats
  std::vector<double> gradient;  // as ParameterTable lays it out; empty if not asked for
};

// `inputs` and `targets`: shape.tokens() symbols, window after window. `weights` as ParameterTable
// lays them out.
ReferenceResult RunReference(const ModelShape& shape, std::span<const double> weights,
                             std::span<const int> inputs, std::span<const int> targets,
                             bool with_gradient);

}  // namespace anex::train

#endif  // ANEX_CLIENT_EXAMPLES_TRAIN_REFERENCE_MODEL_H_
