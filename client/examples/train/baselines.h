// What a model has to beat: guessing by the frequency of symbols, and by the frequency of symbols
// after the one before (bigram). Both count the training part, with half a count added to each
// symbol so that nothing is impossible, and are judged on the very tokens the model is judged on.
// Pure functions, any thread.
#ifndef ANEX_CLIENT_EXAMPLES_TRAIN_BASELINES_H_
#define ANEX_CLIENT_EXAMPLES_TRAIN_BASELINES_H_

#include <span>
#include <vector>

#include "client/examples/train/corpus.h"

namespace anex::train {

struct Baselines {
  double unigram = 0, bigram = 0;  // mean cross-entropy in nats
};

// REQUIRES: every symbol is in [0, vocab)
Baselines MeasureBaselines(std::span<const int> training, const std::vector<Batch>& judged,
                           int vocab);

}  // namespace anex::train

#endif  // ANEX_CLIENT_EXAMPLES_TRAIN_BASELINES_H_
