#include "client/examples/train/trainer.h"

#include <bit>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/examples/train/cross_entropy.h"

namespace anex::train {
namespace {

// So that weights and windows of one seed do not come from one sequence of draws.
constexpr uint64_t kWindows = 0x77696e646f7773;  // "windows"

}  // namespace

Trainer::Trainer(const TrainOptions& options, const Corpus& corpus, DeviceModel& model)
    : options_(options),
      corpus_(corpus),
      model_(model),
      random_(options.seed ^ kWindows),
      weights_(InitialWeights(model.shape(), options.seed)),
      gradient_(weights_.size()),
      logits_(static_cast<size_t>(model.shape().vocab) * model.shape().tokens()),
      optimizer_(options.optimizer, model.parameters()) {}

absl::Status Trainer::Start() { return model_.SetWeights(weights_); }

// Leaves the logits' gradient, times `scale`, in logits_ unless `scale` is 0.
absl::StatusOr<double> Trainer::ForwardLoss(const Batch& batch, float scale) {
  const std::span<const float> embedding(weights_);  // the first parameter
  absl::Status status = model_.Forward(batch.inputs, embedding);
  if (status.ok()) status = model_.TakeLogits(logits_);
  if (!status.ok()) return status;
  return CrossEntropy(logits_, batch.targets, model_.shape().vocab, scale);
}

absl::StatusOr<double> Trainer::Step() {
  const ModelShape& shape = model_.shape();
  const Batch batch = RandomBatch(corpus_.training, shape.batch, shape.seq, random_);
  const absl::StatusOr<double> loss = ForwardLoss(batch, options_.loss_scale);
  if (!loss.ok()) return loss;
  if (!std::isfinite(*loss)) {
    return absl::InternalError(absl::StrCat("the loss of step ", step(), " is ", *loss,
                                            "; a smaller learning rate may help"));
  }
  absl::Status status = model_.Backward(logits_);
  const float unscale = 1.0f / options_.loss_scale;
  if (status.ok()) status = model_.TakeGradient(batch.inputs, unscale, gradient_);
  if (!status.ok()) return status;
  const float rate = LearningRate(options_.optimizer, step(), options_.steps);
  losses_.push_back(*loss);
  if (!std::isfinite(ClipNorm(gradient_, options_.optimizer.clip))) {
    ++overflows_;
    return loss;
  }
  optimizer_.Step(weights_, gradient_, rate);
  if (status = model_.SetWeights(weights_); !status.ok()) return status;
  return loss;
}

absl::StatusOr<double> Trainer::Evaluate(const std::vector<Batch>& batches) {
  double sum = 0;
  for (const Batch& batch : batches) {
    const absl::StatusOr<double> loss = ForwardLoss(batch, 0.0f);
    if (!loss.ok()) return loss;
    sum += *loss;
  }
  return sum / static_cast<double>(batches.size());
}

std::string CurveDigest(std::span<const double> losses) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const double loss : losses) {
    const uint64_t bits = std::bit_cast<uint64_t>(loss);
    for (int byte = 0; byte < 8; ++byte)
      hash = (hash ^ ((bits >> (8 * byte)) & 0xff)) * 0x100000001b3u;
  }
  return absl::StrFormat("%016x", hash);
}

}  // namespace anex::train
