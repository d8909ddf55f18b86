#include "client/examples/train/gradient_check.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "client/examples/train/cross_entropy.h"
#include "client/examples/train/random.h"
#include "client/examples/train/reference_model.h"

namespace anex::train {
namespace {

constexpr double kDifference = 1e-5;  // step of the central differences
// Fresh embeddings are so small that gradients cancel more than they do once training is under way,
// and then fp16's rounding is most of what is left of them: errors up to 2e-2 were seen without it,
// the same in the device's reference mode.
constexpr float kEmbeddingGrowth = 10.0f;

double RelativeError(const std::vector<double>& found, const std::vector<double>& expected) {
  double difference = 0, size = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    difference += (found[i] - expected[i]) * (found[i] - expected[i]);
    size += expected[i] * expected[i];
  }
  if (size == 0) return difference == 0 ? 0.0 : std::numeric_limits<double>::infinity();
  return std::sqrt(difference / size);
}

std::vector<double> Widen(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

// Loss at weights with element `at` moved by `by`.
double LossBeside(const GradientProblem& problem, std::vector<double>& weights, size_t at,
                  double by) {
  const double before = weights[at];
  weights[at] = before + by;
  const double loss =
      RunReference(problem.shape, weights, problem.batch.inputs, problem.batch.targets, false).loss;
  weights[at] = before;
  return loss;
}

// `count` different elements of a parameter, evenly spread with a random start.
std::vector<size_t> Samples(const Parameter& parameter, int count, Random& random) {
  const size_t taken = std::min(parameter.size, static_cast<size_t>(count));
  const size_t start = random.Below(parameter.size);
  std::vector<size_t> samples;
  for (size_t i = 0; i < taken; ++i) {
    samples.push_back(parameter.offset + (start + i * parameter.size / taken) % parameter.size);
  }
  return samples;
}

}  // namespace

GradientProblem MakeGradientProblem(uint64_t seed) {
  GradientProblem problem;
  problem.shape = {
      .dim = 24, .hidden = 40, .layers = 2, .heads = 2, .seq = 13, .batch = 4, .vocab = 17};
  problem.weights = InitialWeights(problem.shape, seed);
  Random random(seed ^ 0x5eed);
  const ParameterTable table(problem.shape);
  const Parameter& embed = table.Find("embed");
  for (size_t i = 0; i < embed.size; ++i) problem.weights[embed.offset + i] *= kEmbeddingGrowth;
  for (const Parameter& parameter : table.all()) {
    if (parameter.decays) continue;
    for (size_t i = 0; i < parameter.size; ++i) {
      problem.weights[parameter.offset + i] += random.Symmetric(0.4f);
    }
  }
  for (int t = 0; t < problem.shape.tokens(); ++t) {
    problem.batch.inputs.push_back(static_cast<int>(random.Below(problem.shape.vocab)));
    problem.batch.targets.push_back(static_cast<int>(random.Below(problem.shape.vocab)));
  }
  return problem;
}

std::vector<TensorError> CheckReference(const GradientProblem& problem, int samples) {
  std::vector<double> weights = Widen(problem.weights);
  const std::vector<double> gradient =
      RunReference(problem.shape, weights, problem.batch.inputs, problem.batch.targets, true)
          .gradient;
  Random random(1);
  const ParameterTable table(problem.shape);
  std::vector<TensorError> errors;
  for (const Parameter& parameter : table.all()) {
    std::vector<double> found, expected;
    for (const size_t at : Samples(parameter, samples, random)) {
      const double up = LossBeside(problem, weights, at, kDifference);
      const double down = LossBeside(problem, weights, at, -kDifference);
      expected.push_back((up - down) / (2 * kDifference));
      found.push_back(gradient[at]);
    }
    errors.push_back({parameter.name, RelativeError(found, expected)});
  }
  return errors;
}

absl::StatusOr<DeviceCheck> CheckDevice(const GradientProblem& problem, DeviceModel& model,
                                        float loss_scale) {
  const std::vector<int>& inputs = problem.batch.inputs;
  const ReferenceResult reference =
      RunReference(problem.shape, Widen(problem.weights), inputs, problem.batch.targets, true);
  std::vector<float> logits(static_cast<size_t>(problem.shape.vocab) * problem.shape.tokens());
  std::vector<float> gradient(problem.weights.size());
  absl::Status status = model.SetWeights(problem.weights);
  if (status.ok()) status = model.Forward(inputs, problem.weights);  // "embed" comes first
  if (status.ok()) status = model.TakeLogits(logits);
  if (!status.ok()) return status;
  DeviceCheck check;
  check.reference_loss = reference.loss;
  check.loss = CrossEntropy(logits, problem.batch.targets, problem.shape.vocab, loss_scale);
  status = model.Backward(logits);
  if (status.ok()) status = model.TakeGradient(inputs, 1.0f / loss_scale, gradient);
  if (!status.ok()) return status;
  for (const Parameter& parameter : model.parameters().all()) {
    const auto from = static_cast<std::ptrdiff_t>(parameter.offset);
    const auto to = static_cast<std::ptrdiff_t>(parameter.offset + parameter.size);
    check.errors.push_back(
        {parameter.name,
         RelativeError({gradient.begin() + from, gradient.begin() + to},
                       {reference.gradient.begin() + from, reference.gradient.begin() + to})});
  }
  return check;
}

double WorstError(const std::vector<TensorError>& errors) {
  double worst = 0;
  for (const TensorError& error : errors) {
    if (std::isnan(error.error)) return error.error;
    worst = std::max(worst, error.error);
  }
  return worst;
}

}  // namespace anex::train
