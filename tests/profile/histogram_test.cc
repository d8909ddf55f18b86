// Histograms and busy windows.
#include "server/profile/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <thread>
#include <vector>

#include "server/profile/busy_window.h"

namespace anex::profile {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

TEST(Histogram, EmptyHasNoPercentiles) {
  Histogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.Percentile(0.99), 0);
}

TEST(Histogram, SmallValuesAreExactAndNegativeOnesCountAsZero) {
  Histogram histogram;
  for (const int64_t value : {-5, 0, 3, 7, 7}) histogram.Add(value);
  EXPECT_EQ(histogram.count(), 5u);
  EXPECT_EQ(histogram.Percentile(0.0), 0);
  EXPECT_EQ(histogram.Percentile(0.5), 3);
  EXPECT_EQ(histogram.Percentile(1.0), 7);
}

TEST(Histogram, PercentilesAreWithinAnEighthOfTheSortedOnes) {
  Histogram histogram;
  std::mt19937_64 random(7);
  std::vector<int64_t> values;
  for (int i = 0; i < 10'000; ++i) {
    values.push_back(static_cast<int64_t>(random() >> (random() % 60 + 1)));
    histogram.Add(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double fraction : {0.01, 0.25, 0.5, 0.9, 0.99}) {
    const double exact = static_cast<double>(
        values[static_cast<size_t>(fraction * static_cast<double>(values.size())) - 1]);
    EXPECT_NEAR(static_cast<double>(histogram.Percentile(fraction)), exact, exact / 8 + 1)
        << fraction;
  }
}

TEST(Histogram, TheLargestValueHasABucket) {
  Histogram histogram;
  histogram.Add(INT64_MAX);
  EXPECT_GT(histogram.Percentile(0.5), INT64_MAX / 8 * 7);
}

TEST(Histogram, RacingAddsAreAllCounted) {
  Histogram histogram;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 10'000; ++j) histogram.Add(j);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(histogram.count(), 40'000u);
}

TEST(BusyWindow, SharesAreOfTheWindow) {
  BusyWindow window;
  EXPECT_EQ(window.Share1s(100 * kSecond), 0);
  window.Add(100 * kSecond, 100 * kSecond + kSecond / 4);
  const int64_t now = 100 * kSecond + kSecond / 2;
  EXPECT_NEAR(window.Share1s(now), 0.25, 1e-9);
  EXPECT_NEAR(window.Share60s(now), 0.25 / 60, 1e-9);
}

TEST(BusyWindow, WhatIsOldIsForgotten) {
  BusyWindow window;
  window.Add(100 * kSecond, 101 * kSecond);
  EXPECT_NEAR(window.Share1s(101 * kSecond), 1, 1e-9);
  EXPECT_NEAR(window.Share1s(101 * kSecond + kSecond / 2), 0.5, 1e-9);
  EXPECT_EQ(window.Share1s(103 * kSecond), 0);
  EXPECT_NEAR(window.Share60s(103 * kSecond), 1.0 / 60, 1e-9);
  EXPECT_EQ(window.Share60s(200 * kSecond), 0);
}

TEST(BusyWindow, ALongSpanFillsTheWindowAndNoMore) {
  BusyWindow window;
  window.Add(10 * kSecond, 500 * kSecond);
  EXPECT_EQ(window.Share1s(500 * kSecond), 1);
  EXPECT_EQ(window.Share60s(500 * kSecond), 1);
}

TEST(BusyWindow, OverlappingSpansAreClamped) {
  BusyWindow window;
  window.Add(10 * kSecond, 11 * kSecond);
  window.Add(10 * kSecond, 11 * kSecond);
  EXPECT_EQ(window.Share1s(11 * kSecond), 1);
}

}  // namespace
}  // namespace anex::profile
