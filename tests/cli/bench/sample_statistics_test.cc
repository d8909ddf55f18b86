#include "client/cli/bench/sample_statistics.h"

#include <gtest/gtest.h>

#include <random>

namespace anex::bench {
namespace {

// `count` rounds of 5 samples around `level`; what disturbs a round disturbs all of it.
Rounds Noisy(uint32_t seed, int count, double level, double noise) {
  std::mt19937 random(seed);
  const auto share = [&] { return static_cast<double>(random() % 10'001) / 5000 - 1; };  // -1 to 1
  Rounds rounds;
  for (int i = 0; i < count; ++i) {
    const double disturbed = level * (1 + noise * share());
    std::vector<double> round;
    for (int j = 0; j < 5; ++j) round.push_back(disturbed * (1 + 0.01 * share()));
    rounds.push_back(round);
  }
  return rounds;
}

TEST(SampleStatistics, QuantilesLieBetweenTheNearestSamples) {
  const std::vector<double> samples = {40, 10, 30, 20};
  EXPECT_DOUBLE_EQ(Quantile(samples, 0), 10);
  EXPECT_DOUBLE_EQ(Quantile(samples, 0.5), 25);
  EXPECT_DOUBLE_EQ(Quantile(samples, 0.75), 32.5);
  EXPECT_DOUBLE_EQ(Quantile(samples, 1), 40);
  EXPECT_DOUBLE_EQ(Quantile({7}, 0.99), 7);
}

TEST(SampleStatistics, ASpreadPoolsRoundsOfAnyLength) {
  const auto spread = SpreadOf({{1, 2}, {}, {3, 4, 5}});
  ASSERT_TRUE(spread.has_value());
  EXPECT_DOUBLE_EQ(spread->median, 3);
  EXPECT_DOUBLE_EQ(spread->p25, 2);
  EXPECT_DOUBLE_EQ(spread->p75, 4);
  EXPECT_DOUBLE_EQ(spread->relative(), 1.0 / 3);
  EXPECT_EQ(spread->samples, 5u);
  EXPECT_FALSE(SpreadOf({{}, {}}).has_value());
}

TEST(SampleStatistics, ARatioHoldsTheTruthAndSaysHowSureItIs) {
  const auto quiet =
      EstimateRatio(Noisy(1, 10, 200, 0.02), Noisy(2, 10, 100, 0.02), Pairing::kSeparateRuns);
  const auto loud =
      EstimateRatio(Noisy(1, 10, 200, 0.4), Noisy(2, 10, 100, 0.4), Pairing::kSeparateRuns);
  ASSERT_TRUE(quiet && loud && quiet->interval_known && loud->interval_known);
  EXPECT_NEAR(quiet->ratio, 2, 0.05);
  EXPECT_LT(quiet->low, 2);
  EXPECT_GT(quiet->high, 2);
  EXPECT_GT(quiet->low, 1.9);
  EXPECT_LT(quiet->high, 2.1);
  EXPECT_GT(loud->high - loud->low, 4 * (quiet->high - quiet->low));
}

// 40 pairs of runs that are alike: the interval must hold 1 in nearly all.
TEST(SampleStatistics, EqualRunsAreSeldomToldApart) {
  int told_apart = 0;
  for (uint32_t i = 0; i < 40; ++i) {
    const auto ratio = EstimateRatio(Noisy(1000 + i, 10, 50, 0.2), Noisy(5000 + i, 10, 50, 0.2),
                                     Pairing::kSeparateRuns);
    told_apart += ratio->low > 1 || ratio->high < 1;
  }
  EXPECT_LE(told_apart, 8);  // of 95 % intervals over ten rounds; all would be no interval at all
}

TEST(SampleStatistics, WhatDisturbsBothSidesOfARoundCancels) {
  const Rounds below = Noisy(3, 12, 100, 0.4);
  Rounds above = below;
  for (auto& round : above) {
    for (double& sample : round) sample *= 1.5;
  }
  const auto paired = EstimateRatio(above, below, Pairing::kSameRun);
  const auto apart = EstimateRatio(above, below, Pairing::kSeparateRuns);
  EXPECT_NEAR(paired->low, 1.5, 1e-9);
  EXPECT_NEAR(paired->high, 1.5, 1e-9);
  EXPECT_GT(apart->high - apart->low, 0.1);
}

TEST(SampleStatistics, TheSameSamplesGiveTheSameInterval) {
  const auto first =
      EstimateRatio(Noisy(1, 6, 9, 0.3), Noisy(2, 6, 7, 0.3), Pairing::kSeparateRuns);
  const auto second =
      EstimateRatio(Noisy(1, 6, 9, 0.3), Noisy(2, 6, 7, 0.3), Pairing::kSeparateRuns);
  EXPECT_EQ(first->low, second->low);
  EXPECT_EQ(first->high, second->high);
}

TEST(SampleStatistics, TooLittleIsSaidToBeTooLittle) {
  const auto two_rounds = EstimateRatio({{2}, {2}}, {{1}, {1}, {1}}, Pairing::kSeparateRuns);
  ASSERT_TRUE(two_rounds.has_value());
  EXPECT_DOUBLE_EQ(two_rounds->ratio, 2);
  EXPECT_FALSE(two_rounds->interval_known);
  EXPECT_FALSE(EstimateRatio({{}}, {{1}}, Pairing::kSameRun).has_value());
  EXPECT_FALSE(EstimateRatio({{1}}, {{0, 0}}, Pairing::kSameRun).has_value());
}

TEST(SampleStatistics, JainSaysHowEvenSharesAre) {
  EXPECT_DOUBLE_EQ(JainIndex({3, 3, 3}), 1);
  EXPECT_DOUBLE_EQ(JainIndex({5, 0, 0, 0}), 0.25);
  EXPECT_NEAR(JainIndex({1, 2}), 0.9, 1e-12);
  EXPECT_DOUBLE_EQ(JainIndex({}), 0);
}

}  // namespace
}  // namespace anex::bench
