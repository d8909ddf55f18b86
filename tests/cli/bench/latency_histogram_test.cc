#include "client/cli/bench/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace anex::bench {
namespace {

TEST(LatencyHistogram, PercentilesAreThoseOfTheSortedSamplesToAThousandth) {
  std::mt19937_64 random(7);
  std::vector<int64_t> samples;
  LatencyHistogram histogram;
  for (int i = 0; i < 20'000; ++i) {
    // 1 ns to 18 s, as many in each power of two.
    const int64_t ns = static_cast<int64_t>((random() | 1) >> (30 + random() % 34));
    samples.push_back(ns);
    histogram.Add(ns);
  }
  std::ranges::sort(samples);
  for (const double q : {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const size_t rank = static_cast<size_t>(std::ceil(q * static_cast<double>(samples.size())));
    const int64_t exact = samples[rank - 1];
    EXPECT_GE(histogram.Percentile(q), exact) << q;
    EXPECT_LE(static_cast<double>(histogram.Percentile(q)), static_cast<double>(exact) * 1.001 + 1)
        << q;
  }
  EXPECT_EQ(histogram.least(), samples.front());
  EXPECT_EQ(histogram.most(), samples.back());
  EXPECT_EQ(histogram.Percentile(1), samples.back()) << "the most is exact";
  EXPECT_EQ(histogram.count(), samples.size());
}

TEST(LatencyHistogram, SmallValuesAreExactAndExtremesFit) {
  LatencyHistogram histogram;
  for (const int64_t ns : {int64_t{0}, int64_t{1}, int64_t{2047}, int64_t{2048}, INT64_MAX}) {
    histogram.Add(ns);
  }
  histogram.Add(-5);  // a clock that went back
  EXPECT_EQ(histogram.least(), 0);
  EXPECT_EQ(histogram.most(), INT64_MAX);
  EXPECT_EQ(histogram.Percentile(0.5), 1);
  EXPECT_EQ(histogram.Percentile(4.0 / 6), 2047);
  EXPECT_EQ(histogram.Percentile(1), INT64_MAX);
}

TEST(LatencyHistogram, BucketsHoldEverySampleOnceInOrder) {
  LatencyHistogram histogram;
  uint64_t added = 0;
  for (int64_t ns = 1; ns < (int64_t{1} << 50); ns = ns * 3 + 1) {
    histogram.Add(ns, static_cast<uint64_t>(ns % 5 + 1));
    added += static_cast<uint64_t>(ns % 5 + 1);
  }
  uint64_t counted = 0;
  int64_t last = -1;
  for (const auto& bucket : histogram.Buckets()) {
    EXPECT_GT(bucket.up_to_ns, last);
    last = bucket.up_to_ns;
    counted += bucket.count;
  }
  EXPECT_EQ(counted, added);
  EXPECT_EQ(histogram.count(), added);
}

TEST(LatencyHistogram, MergedIsAsIfAddedToOne) {
  LatencyHistogram one, other, both;
  for (int64_t ns = 100; ns < 5000; ns += 7) {
    (ns % 2 == 0 ? one : other).Add(ns);
    both.Add(ns);
  }
  one.Merge(other);
  EXPECT_EQ(one.count(), both.count());
  EXPECT_EQ(one.least(), both.least());
  EXPECT_EQ(one.most(), both.most());
  EXPECT_DOUBLE_EQ(one.mean(), both.mean());
  for (const double q : {0.1, 0.5, 0.9}) EXPECT_EQ(one.Percentile(q), both.Percentile(q));
}

TEST(LatencyHistogram, AnEmptyOneHasNoValues) {
  LatencyHistogram empty, other;
  empty.Merge(other);
  EXPECT_EQ(empty.count(), 0u);
  EXPECT_EQ(empty.Percentile(0.99), 0);
  EXPECT_EQ(empty.least(), 0);
  EXPECT_TRUE(empty.Buckets().empty());
}

}  // namespace
}  // namespace anex::bench
