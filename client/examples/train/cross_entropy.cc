#include "client/examples/train/cross_entropy.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <vector>

namespace anex::train {

double CrossEntropy(std::span<float> logits, std::span<const int> targets, int vocab, float scale) {
  const size_t tokens = targets.size();
  assert(logits.size() == tokens * static_cast<size_t>(vocab));
  std::vector<float> largest(logits.begin(), logits.begin() + tokens), sum(tokens, 0.0f);
  std::vector<float> wanted(tokens);
  for (int c = 1; c < vocab; ++c) {
    const float* row = &logits[c * tokens];
    for (size_t t = 0; t < tokens; ++t) largest[t] = std::max(largest[t], row[t]);
  }
  for (size_t t = 0; t < tokens; ++t) wanted[t] = logits[targets[t] * tokens + t] - largest[t];
  for (int c = 0; c < vocab; ++c) {
    float* row = &logits[c * tokens];
    for (size_t t = 0; t < tokens; ++t) sum[t] += row[t] = std::exp(row[t] - largest[t]);
  }
  double loss = 0;
  for (size_t t = 0; t < tokens; ++t) loss += std::log(sum[t]) - wanted[t];
  if (scale == 0.0f) return loss / static_cast<double>(tokens);
  const float each = scale / static_cast<float>(tokens);
  for (size_t t = 0; t < tokens; ++t) sum[t] = each / sum[t];
  for (int c = 0; c < vocab; ++c) {
    float* row = &logits[c * tokens];
    for (size_t t = 0; t < tokens; ++t) row[t] *= sum[t];
  }
  for (size_t t = 0; t < tokens; ++t) logits[targets[t] * tokens + t] -= each;
  return loss / static_cast<double>(tokens);
}

}  // namespace anex::train
