#include "client/examples/train/reference_model.h"

#include <gtest/gtest.h>

#include <cmath>

#include "client/examples/train/gradient_check.h"

namespace anex::train {
namespace {

TEST(ReferenceModelTest, GradientAgreesWithCentralDifferencesInEveryParameter) {
  const GradientProblem problem = MakeGradientProblem(7);
  const ParameterTable table(problem.shape);
  const std::vector<TensorError> errors = CheckReference(problem, 8);
  ASSERT_EQ(errors.size(), table.all().size());
  for (const TensorError& error : errors) EXPECT_LT(error.error, kReferenceGate) << error.parameter;
}

TEST(ReferenceModelTest, CheckSeesAGradientOfOtherData) {
  GradientProblem problem = MakeGradientProblem(7);
  const std::vector<double> weights(problem.weights.begin(), problem.weights.end());
  const auto right =
      RunReference(problem.shape, weights, problem.batch.inputs, problem.batch.targets, true);
  std::swap(problem.batch.inputs, problem.batch.targets);
  const auto wrong =
      RunReference(problem.shape, weights, problem.batch.inputs, problem.batch.targets, true);
  double difference = 0, size = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    difference += std::pow(right.gradient[i] - wrong.gradient[i], 2);
    size += std::pow(right.gradient[i], 2);
  }
  EXPECT_GT(std::sqrt(difference / size), 0.1);
}

TEST(ReferenceModelTest, FreshSmallWeightsAreAsGoodAsAUniformGuess) {
  GradientProblem problem = MakeGradientProblem(3);
  std::vector<double> weights(problem.weights.begin(), problem.weights.end());
  const ParameterTable table(problem.shape);
  const Parameter& embed = table.Find("embed");
  for (size_t i = 0; i < embed.size; ++i) weights[embed.offset + i] *= 1e-4;
  const double loss =
      RunReference(problem.shape, weights, problem.batch.inputs, problem.batch.targets, false).loss;
  EXPECT_NEAR(loss, std::log(17.0), 1e-3);
}

// A token's prediction must not depend on what follows it.
TEST(ReferenceModelTest, LaterTokensDoNotChangeEarlierLosses) {
  GradientProblem problem = MakeGradientProblem(5);
  problem.shape.batch = 1;
  problem.batch.inputs.resize(problem.shape.seq);
  problem.batch.targets.resize(problem.shape.seq);
  const std::vector<double> weights(problem.weights.begin(), problem.weights.end());
  const auto loss = [&](const std::vector<int>& inputs, int seq) {
    ModelShape shape = problem.shape;
    shape.seq = seq;
    return RunReference(shape, weights, std::span(inputs).first(seq),
                        std::span(problem.batch.targets).first(seq), false)
               .loss *
           seq;
  };
  std::vector<int> other = problem.batch.inputs;
  other[12] = (other[12] + 1) % problem.shape.vocab;
  EXPECT_DOUBLE_EQ(loss(problem.batch.inputs, 12), loss(other, 12));
  EXPECT_NE(loss(problem.batch.inputs, 13), loss(other, 13));
  // What the last token adds is its own loss: the others' did not move.
  EXPECT_GT(loss(problem.batch.inputs, 13), loss(problem.batch.inputs, 12));
}

}  // namespace
}  // namespace anex::train
