// The decoder on the engine in this process: gradients against the reference, ways to submit
// against one another, and two trainers at once against each of them alone.
#include "client/examples/train/device_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>

#include "client/examples/train/cross_entropy.h"
#include "client/examples/train/generator.h"
#include "client/examples/train/gradient_check.h"
#include "client/examples/train/trainer.h"
#include "client/inproc/inproc_transport.h"

namespace anex::train {
namespace {

constexpr int kSteps = 5;

std::string Text() {
  std::string text;
  Random random(11);
  for (int i = 0; i < 4000; ++i) text += "the quick brown fox, jumps over!\n"[random.Below(33)];
  return text;
}

class DeviceModelTest : public ::testing::Test {
 protected:
  DeviceModelTest()
      : engine_(*StartInprocEngine({.cpu_threads = 2})), corpus_(*MakeCorpus(Text(), 9)) {
    shape_ = {.dim = 16, .hidden = 24, .layers = 2, .heads = 2, .seq = 9, .batch = 3};
    shape_.vocab = corpus_.vocabulary.size();
  }

  Session Open(std::string name) {
    return *Session::Open(MakeInprocTransport(engine_), {.client_name = std::move(name)});
  }
  // Trains in a session of its own.
  std::vector<double> Curve(uint64_t seed, SubmitWay way, int steps = kSteps) {
    const Session session = Open("curve");
    const auto model = DeviceModel::Create(session, shape_, way);
    if (!model.ok()) ADD_FAILURE() << model.status();
    Trainer trainer({.seed = seed, .steps = steps}, corpus_, **model);
    EXPECT_TRUE(trainer.Start().ok());
    for (int i = 0; i < steps; ++i) {
      const absl::StatusOr<double> loss = trainer.Step();
      if (!loss.ok()) ADD_FAILURE() << loss.status();
    }
    EXPECT_EQ(trainer.overflows(), 0);
    return trainer.losses();
  }

  std::shared_ptr<engine::Engine> engine_;
  const Corpus corpus_;
  ModelShape shape_;
};

TEST_F(DeviceModelTest, GradientsAgreeWithTheReferenceInEveryParameter) {
  for (const uint64_t seed : {1, 2, 3}) {
    const GradientProblem problem = MakeGradientProblem(seed);
    const Session session = Open("gradients");
    const auto model = DeviceModel::Create(session, problem.shape, SubmitWay::kChain);
    ASSERT_TRUE(model.ok()) << model.status();
    const auto check = CheckDevice(problem, **model, 256.0f);
    ASSERT_TRUE(check.ok()) << check.status();
    EXPECT_NEAR(check->loss, check->reference_loss, 2e-3);
    ASSERT_EQ(check->errors.size(), 20u);
    for (const TensorError& error : check->errors) {
      EXPECT_LT(error.error, kDeviceGate) << error.parameter << " seed " << seed;
    }
  }
}

// The gate is worth something: with two equal-shaped weights exchanged on the device it does not
// hold.
TEST_F(DeviceModelTest, GateSeesExchangedWeights) {
  const GradientProblem problem = MakeGradientProblem(1);
  const Session session = Open("exchanged");
  const auto model = DeviceModel::Create(session, problem.shape, SubmitWay::kChain);
  ASSERT_TRUE(model.ok()) << model.status();
  const Parameter& w1 = (*model)->parameters().Find("layer0.w1");
  const Parameter& w3 = (*model)->parameters().Find("layer0.w3");
  GradientProblem exchanged = problem;
  std::swap_ranges(exchanged.weights.begin() + static_cast<long>(w1.offset),
                   exchanged.weights.begin() + static_cast<long>(w1.offset + w1.size),
                   exchanged.weights.begin() + static_cast<long>(w3.offset));
  const auto gradient = [&](const GradientProblem& run) {
    std::vector<float> logits(static_cast<size_t>(run.shape.vocab) * run.shape.tokens());
    std::vector<float> values(run.weights.size());
    EXPECT_TRUE((*model)->SetWeights(run.weights).ok());
    EXPECT_TRUE((*model)->Forward(run.batch.inputs, run.weights).ok());
    EXPECT_TRUE((*model)->TakeLogits(logits).ok());
    CrossEntropy(logits, run.batch.targets, run.shape.vocab, 256.0f);
    EXPECT_TRUE((*model)->Backward(logits).ok());
    EXPECT_TRUE((*model)->TakeGradient(run.batch.inputs, 1.0f / 256, values).ok());
    return std::vector<float>(values.begin() + static_cast<long>(w1.offset),
                              values.begin() + static_cast<long>(w1.offset + w1.size));
  };
  const std::vector<float> right = gradient(problem), wrong = gradient(exchanged);
  double difference = 0, size = 0;
  for (size_t i = 0; i < right.size(); ++i) {
    difference += std::pow(right[i] - wrong[i], 2);
    size += std::pow(right[i], 2);
  }
  EXPECT_GT(std::sqrt(difference / size), 10 * kDeviceGate);
}

TEST_F(DeviceModelTest, AllWaysToSubmitGiveTheSameCurveBitForBit) {
  const std::vector<double> chain = Curve(3, SubmitWay::kChain);
  EXPECT_EQ(chain.size(), static_cast<size_t>(kSteps));
  EXPECT_EQ(Curve(3, SubmitWay::kUnary), chain);
  EXPECT_EQ(Curve(3, SubmitWay::kStream), chain);
  EXPECT_NE(Curve(4, SubmitWay::kChain), chain);
}

TEST_F(DeviceModelTest, TwoTrainersAtOnceLearnWhatEachLearnsAlone) {
  const std::vector<double> first = Curve(1, SubmitWay::kChain, 12);
  const std::vector<double> second = Curve(2, SubmitWay::kStream, 12);
  std::vector<double> first_shared, second_shared;
  std::thread one([&] { first_shared = Curve(1, SubmitWay::kChain, 12); });
  std::thread two([&] { second_shared = Curve(2, SubmitWay::kStream, 12); });
  one.join();
  two.join();
  EXPECT_EQ(first_shared, first);
  EXPECT_EQ(second_shared, second);
}

TEST_F(DeviceModelTest, NoTensorTravelsInAMessage) {
  Curve(1, SubmitWay::kChain);
  const Session session = Open("looking");
  EXPECT_EQ((*session.transport())->GetStatus()->grpc_tensor_bytes, 0u);
}

TEST_F(DeviceModelTest, LearnsARepeatedSentenceAndWritesIt) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += "abcdef. ";
  const Corpus corpus = *MakeCorpus(text, shape_.seq);
  shape_.vocab = corpus.vocabulary.size();
  const Session session = Open("sentence");
  const auto model = DeviceModel::Create(session, shape_, SubmitWay::kChain);
  ASSERT_TRUE(model.ok()) << model.status();
  Trainer trainer({.seed = 1, .steps = 150, .optimizer = {.learning_rate = 1e-2f}}, corpus,
                  **model);
  ASSERT_TRUE(trainer.Start().ok());
  for (int i = 0; i < 150; ++i) ASSERT_TRUE(trainer.Step().ok());
  EXPECT_LT(*trainer.Evaluate(FixedBatches(corpus.validation, 2, shape_.batch, shape_.seq)), 0.3);
  const auto texts = Generate(**model, corpus.vocabulary, trainer.weights(),
                              {corpus.vocabulary.Encode("abc"), corpus.vocabulary.Encode("f. ab")},
                              {.length = 20, .temperature = 0});
  ASSERT_TRUE(texts.ok()) << texts.status();
  EXPECT_EQ((*texts)[0], "abcdef. abcdef. abcdef.");
  EXPECT_EQ((*texts)[1], "f. abcdef. abcdef. abcdef");
}

TEST_F(DeviceModelTest, RefusesPromptsThatDoNotFit) {
  const Session session = Open("prompts");
  const auto model = DeviceModel::Create(session, shape_, SubmitWay::kChain);
  ASSERT_TRUE(model.ok()) << model.status();
  const std::vector<float> weights = InitialWeights(shape_, 1);
  for (const std::vector<std::vector<int>>& prompts :
       {std::vector<std::vector<int>>{}, {{}}, {std::vector<int>(10, 1)}, {{1}, {1}, {1}, {1}}}) {
    EXPECT_EQ(Generate(**model, corpus_.vocabulary, weights, prompts, {}).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(DeviceModelTest, AnInfiniteLossEndsTheTrainingWithAReason) {
  const Session session = Open("infinite");
  const auto model = DeviceModel::Create(session, shape_, SubmitWay::kChain);
  ASSERT_TRUE(model.ok()) << model.status();
  Trainer trainer({.seed = 1, .steps = 2}, corpus_, **model);
  ASSERT_TRUE(trainer.Start().ok());
  std::vector<float> weights(trainer.weights().begin(), trainer.weights().end());
  weights[(*model)->parameters().Find("layer0.w1").offset] =
      std::numeric_limits<float>::quiet_NaN();
  ASSERT_TRUE((*model)->SetWeights(weights).ok());
  EXPECT_EQ(trainer.Step().status().code(), absl::StatusCode::kInternal);
}

// A loss scale that overflows fp16 must not reach the weights.
TEST_F(DeviceModelTest, AnOverflowingGradientIsCountedAndChangesNothing) {
  const Session session = Open("overflow");
  const auto model = DeviceModel::Create(session, shape_, SubmitWay::kChain);
  ASSERT_TRUE(model.ok()) << model.status();
  Trainer trainer({.seed = 1, .steps = 2, .loss_scale = 1e9f}, corpus_, **model);
  ASSERT_TRUE(trainer.Start().ok());
  const std::vector<float> before(trainer.weights().begin(), trainer.weights().end());
  ASSERT_TRUE(trainer.Step().ok());
  EXPECT_EQ(trainer.overflows(), 1);
  EXPECT_EQ(std::vector<float>(trainer.weights().begin(), trainer.weights().end()), before);
}

TEST(CurveDigestTest, DiffersForTheSmallestDifference) {
  const std::vector<double> curve{4.0, 3.5, 3.25};
  std::vector<double> other = curve;
  other[1] = std::nextafter(3.5, 4.0);
  EXPECT_EQ(CurveDigest(curve), CurveDigest(std::vector<double>(curve)));
  EXPECT_NE(CurveDigest(curve), CurveDigest(other));
}

}  // namespace
}  // namespace anex::train
