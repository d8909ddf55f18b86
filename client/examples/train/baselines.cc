#include "client/examples/train/baselines.h"

#include <cmath>

namespace anex::train {
namespace {

constexpr double kAdded = 0.5;  // counts given to every symbol beforehand

}  // namespace

Baselines MeasureBaselines(std::span<const int> training, const std::vector<Batch>& judged,
                           int vocab) {
  const size_t v = static_cast<size_t>(vocab);
  std::vector<double> single(v, kAdded), pair(v * v, kAdded), before(v, kAdded * vocab);
  for (const int symbol : training) single[symbol] += 1;
  for (size_t i = 1; i < training.size(); ++i) {
    pair[training[i - 1] * v + training[i]] += 1;
    before[training[i - 1]] += 1;
  }
  const double all = static_cast<double>(training.size()) + kAdded * vocab;
  Baselines sum;
  size_t tokens = 0;
  for (const Batch& batch : judged) {
    for (size_t i = 0; i < batch.targets.size(); ++i, ++tokens) {
      const int last = batch.inputs[i], next = batch.targets[i];
      sum.unigram -= std::log(single[next] / all);
      sum.bigram -= std::log(pair[last * v + next] / before[last]);
    }
  }
  const double count = static_cast<double>(tokens);
  return {sum.unigram / count, sum.bigram / count};
}

}  // namespace anex::train
