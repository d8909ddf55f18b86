// Writes text with a trained model: the forward pass of training, all windows of a batch at once,
// one symbol per pass and window. Threads: one owner at a time.
#ifndef ANEX_CLIENT_EXAMPLES_TRAIN_GENERATOR_H_
#define ANEX_CLIENT_EXAMPLES_TRAIN_GENERATOR_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/examples/train/corpus.h"
#include "client/examples/train/device_model.h"

namespace anex::train {

struct GenerateOptions {
  int length = 100;          // symbols after the prompt
  double temperature = 0.8;  // 0 = always the likeliest
  uint64_t seed = 1;
};

// One text for each window of the model's batch, prompt included. `prompts` may be fewer than the
// batch (their texts are returned) and must each have between 1 and `seq` symbols; `weights` are
// those that the model has. INVALID_ARGUMENT otherwise.
absl::StatusOr<std::vector<std::string>> Generate(DeviceModel& model, const Vocabulary& vocabulary,
                                                  std::span<const float> weights,
                                                  const std::vector<std::vector<int>>& prompts,
                                                  const GenerateOptions& options);

}  // namespace anex::train

#endif  // ANEX_CLIENT_EXAMPLES_TRAIN_GENERATOR_H_
