#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "client/examples/train/adamw.h"
#include "client/examples/train/cross_entropy.h"
#include "client/examples/train/half_copy.h"
#include "client/examples/train/random.h"

namespace anex::train {
namespace {

constexpr ModelShape kTiny{
    .dim = 2, .hidden = 3, .layers = 1, .heads = 1, .seq = 2, .batch = 1, .vocab = 3};

TEST(HalfCopyTest, AgreesWithTheOneByOneConversionForEveryKindOfValue) {
  std::vector<float> values;
  for (uint32_t high = 0; high < 0x10000; ++high) {  // all exponents, mantissas on and beside ties
    for (const uint32_t low : {0x0000u, 0x0fffu, 0x1000u, 0x1001u, 0x8000u}) {
      values.push_back(std::bit_cast<float>((high << 16) | low));
    }
  }
  std::vector<Half> halves(values.size());
  FloatsToHalves(values, halves);
  for (size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(halves[i].bits, FloatToHalf(values[i])) << std::bit_cast<uint32_t>(values[i]);
  }
}

TEST(HalfCopyTest, GoesBackExactlyAndScales) {
  const std::vector<Half> halves{Half(1.5f), Half(-0.25f), Half(65504.0f), Half(0x1p-24f)};
  std::vector<float> floats(halves.size());
  HalvesToFloats(halves, floats);
  EXPECT_EQ(floats, (std::vector<float>{1.5f, -0.25f, 65504.0f, 0x1p-24f}));
  HalvesToFloats(halves, floats, 1.0f / 256);
  EXPECT_EQ(floats, (std::vector<float>{1.5f / 256, -0.25f / 256, 65504.0f / 256, 0x1p-32f}));
}

TEST(CrossEntropyTest, IsTheLogarithmOfTheVocabularyForEqualLogits) {
  std::vector<float> logits(5 * 3, 2.0f);
  EXPECT_NEAR(CrossEntropy(logits, std::vector<int>{4, 0, 2}, 5, 0), std::log(5.0), 1e-6);
  EXPECT_EQ(logits[0], 2.0f - 2.0f + 1.0f);  // no gradient: exp(0) is left
}

// Column 0: logits 0, ln 2, ln 5 -> 1/8, 2/8, 5/8, target 1. Column 1: 0, 0, ln 2 -> target 2.
TEST(CrossEntropyTest, GradientIsProbabilityMinusTargetOverTokens) {
  const float ln2 = std::log(2.0f), ln5 = std::log(5.0f);
  std::vector<float> logits{0, 0, ln2, 0, ln5, ln2};  // [3 symbols, 2 tokens]
  const double loss = CrossEntropy(logits, std::vector<int>{1, 2}, 3, 8.0f);
  EXPECT_NEAR(loss, (std::log(4.0) + std::log(2.0)) / 2, 1e-6);
  const std::vector<float> expected{4 * 0.125f, 4 * 0.25f,  4 * -0.75f,
                                    4 * 0.25f,  4 * 0.625f, 4 * -0.5f};
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(logits[i], expected[i], 1e-5) << i;
}

TEST(CrossEntropyTest, SurvivesLogitsThatExpCannotHold) {
  std::vector<float> logits{60000.0f, -60000.0f};
  EXPECT_EQ(CrossEntropy(logits, std::vector<int>{0}, 2, 1.0f), 0.0);
  EXPECT_EQ(logits[0], 0.0f);
  EXPECT_EQ(logits[1], 0.0f);
}

// Gradients that are not a number must be seen, not smoothed over.
TEST(CrossEntropyTest, ReportsNotANumber) {
  std::vector<float> logits{1.0f, std::numeric_limits<float>::quiet_NaN()};
  EXPECT_TRUE(std::isnan(CrossEntropy(logits, std::vector<int>{0}, 2, 1.0f)));
}

TEST(AdamWTest, FirstTwoStepsAreAsComputedByHand) {
  const ParameterTable table(kTiny);
  const OptimizerOptions options{
      .beta1 = 0.9f, .beta2 = 0.95f, .epsilon = 0.0f, .weight_decay = 0.1f};
  AdamW optimizer(options, table);
  std::vector<float> weights(table.total(), 1.0f), gradient(table.total(), 0.5f);
  const size_t matrix = table.Find("layer0.wq").offset, norm = table.Find("layer0.norm1").offset;
  optimizer.Step(weights, gradient, 0.01f);
  // Bias-corrected mean 0.5, root of square 0.5: a step of exactly the learning rate.
  EXPECT_NEAR(weights[matrix], 1 - 0.01 * 0.1 - 0.01, 1e-6);
  EXPECT_NEAR(weights[norm], 1 - 0.01, 1e-6);
  std::fill(gradient.begin(), gradient.end(), -1.0f);
  const double before = weights[norm];
  optimizer.Step(weights, gradient, 0.01f);
  const double mean = (0.9 * 0.05 - 0.1) / (1 - 0.81);
  const double square = (0.95 * 0.05 * 0.25 + 0.05) / (1 - 0.9025);
  EXPECT_NEAR(weights[norm], before - 0.01 * mean / std::sqrt(square), 1e-6);
}

TEST(AdamWTest, NotANumberReachesTheWeights) {
  const ParameterTable table(kTiny);
  AdamW optimizer({}, table);
  std::vector<float> weights(table.total(), 1.0f), gradient(table.total(), 0.1f);
  gradient[3] = std::numeric_limits<float>::quiet_NaN();
  optimizer.Step(weights, gradient, 0.01f);
  EXPECT_TRUE(std::isnan(weights[3]));
  EXPECT_FALSE(std::isnan(weights[4]));
}

TEST(ClipNormTest, ShortensLongGradientsAndLeavesShortOnes) {
  std::vector<float> gradient{3.0f, 0.0f, -4.0f};
  EXPECT_DOUBLE_EQ(ClipNorm(gradient, 10.0f), 5.0);
  EXPECT_EQ(gradient, (std::vector<float>{3.0f, 0.0f, -4.0f}));
  EXPECT_DOUBLE_EQ(ClipNorm(gradient, 1.0f), 5.0);
  EXPECT_NEAR(gradient[0], 0.6, 1e-6);
  EXPECT_NEAR(gradient[2], -0.8, 1e-6);
}

TEST(LearningRateTest, WarmsUpThenFallsToTheFinalFraction) {
  const OptimizerOptions options{.learning_rate = 1.0f, .final_fraction = 0.1f, .warmup = 4};
  EXPECT_FLOAT_EQ(LearningRate(options, 0, 21), 0.25f);
  EXPECT_FLOAT_EQ(LearningRate(options, 3, 21), 1.0f);
  EXPECT_FLOAT_EQ(LearningRate(options, 4, 21), 1.0f);
  EXPECT_FLOAT_EQ(LearningRate(options, 12, 21), 0.55f);
  EXPECT_FLOAT_EQ(LearningRate(options, 20, 21), 0.1f);
}

TEST(RandomTest, IsSplitMix64) {
  Random random(1234567);  // first values of the published reference implementation
  EXPECT_EQ(random.Next(), 6457827717110365317u);
  EXPECT_EQ(random.Next(), 3203168211198807973u);
}

}  // namespace
}  // namespace anex::train
