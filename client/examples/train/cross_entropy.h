// Softmax cross-entropy on the host, on logits as the classifier kernel leaves them: [V, T], a
// column per token. fp32, in a fixed order. Pure functions, any thread.
#ifndef ANEX_CLIENT_EXAMPLES_TRAIN_CROSS_ENTROPY_H_
#define ANEX_CLIENT_EXAMPLES_TRAIN_CROSS_ENTROPY_H_

#include <span>

namespace anex::train {

// Mean loss in nats over the columns. Replaces `logits` by the gradient of the mean, times `scale`,
// unless `scale` is 0. REQUIRES: logits.size() == vocab * targets.size(), targets in [0, vocab).
double CrossEntropy(std::span<float> logits, std::span<const int> targets, int vocab, float scale);

}  // namespace anex::train

#endif  // ANEX_CLIENT_EXAMPLES_TRAIN_CROSS_ENTROPY_H_
