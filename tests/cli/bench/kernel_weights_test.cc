// What kernels are expected to make of their inputs, against plain arithmetic in double.
#include "client/cli/bench/kernel_weights.h"

#include <gtest/gtest.h>

#include <set>

#include "client/cli/bench/input_pattern.h"
#include "client/cli/bench/workload.h"
#include "proto/wire/half.h"

namespace anex::bench {
namespace {

using Halves = std::vector<uint16_t>;

// out = W @ in, the sum of all products.
Halves Multiply(const std::vector<float>& dense, const Halves& in, size_t channels,
                size_t columns) {
  Halves out(in.size());
  for (size_t i = 0; i < channels; ++i) {
    for (size_t j = 0; j < columns; ++j) {
      double sum = 0;
      for (size_t k = 0; k < channels; ++k) {
        sum += static_cast<double>(dense[i * channels + k]) * HalfToDouble(in[k * columns + j]);
      }
      out[i * columns + j] = DoubleToHalf(sum);
    }
  }
  return out;
}

Halves Input(int channels, int columns, uint64_t key) {
  const InputPattern pattern(static_cast<size_t>(channels * columns));
  const auto values = pattern.Values(key, static_cast<size_t>(channels * columns));
  return Halves(values.begin(), values.end());
}

// The kernels of `plan` one after the other.
Halves Through(const std::vector<int>& plan, Halves value, int channels, int columns) {
  Halves next(value.size());
  for (const int kernel : plan) {
    KernelWeights::Make(channels, static_cast<uint32_t>(kernel)).Apply(value, columns, next);
    std::swap(value, next);
  }
  return value;
}

TEST(KernelWeights, ApplyIsTheMatrixProductToTheLastBit) {
  for (uint32_t seed = 0; seed < 12; ++seed) {
    const KernelWeights weights = KernelWeights::Make(20, seed);
    const Halves in = Input(20, 7, seed);
    Halves out(in.size());
    weights.Apply(in, 7, out);
    EXPECT_EQ(out, Multiply(weights.Dense(), in, 20, 7)) << seed;
  }
  const Halves in = Input(4, 3, 1);
  Halves out(in.size());
  KernelWeights::Identity(4).Apply(in, 3, out);
  EXPECT_EQ(out, in);
}

TEST(KernelWeights, TwelveInARowStayExact) {
  Halves value = Input(64, 5, 3), next(value.size());
  for (uint32_t seed = 0; seed < kKernels; ++seed) {
    const KernelWeights weights = KernelWeights::Make(64, seed);
    const Halves product = Multiply(weights.Dense(), value, 64, 5);
    weights.Apply(value, 5, next);
    ASSERT_EQ(next, product) << seed;
    for (const uint16_t bits : next) {
      const int exponent = bits >> 10 & 31;
      ASSERT_GT(exponent, 0) << "subnormal";
      ASSERT_LT(exponent, 31) << "infinite";
    }
    std::swap(value, next);
  }
}

TEST(KernelWeights, EverySkippedDoubledOrExchangedKernelShows) {
  std::vector<int> whole;
  for (int i = 0; i < kKernels; ++i) whole.push_back(i);
  const Halves in = Input(16, 3, 8);
  const Halves right = Through(whole, in, 16, 3);
  for (int i = 0; i < kKernels; ++i) {
    std::vector<int> skipped = whole, doubled = whole, other = whole;
    skipped.erase(skipped.begin() + i);
    doubled.insert(doubled.begin() + i, i);
    std::swap(other[static_cast<size_t>(i)], other[static_cast<size_t>((i + 1) % kKernels)]);
    EXPECT_NE(Through(skipped, in, 16, 3), right) << i;
    EXPECT_NE(Through(doubled, in, 16, 3), right) << i;
    EXPECT_NE(Through(other, in, 16, 3), right) << i;
  }
}

TEST(InputPattern, EveryPassAndKernelHasValuesOfItsOwnInEveryPlace) {
  const InputPattern pattern(100);
  const auto base = pattern.Values(5, 100);
  for (const uint64_t other : {4u, 6u, 17u, 500u, 4000u}) {
    const auto values = pattern.Values(other, 100);
    for (size_t i = 0; i < base.size(); ++i) ASSERT_NE(base[i], values[i]) << other << " " << i;
  }
}

TEST(InputPattern, RowsAreNotAlikeAndValuesAreModest) {
  const size_t rows = 768, columns = 256;
  const InputPattern pattern(rows * columns);
  const auto values = pattern.Values(9, rows * columns);
  std::set<Halves> seen;
  for (size_t i = 0; i < rows; ++i) {
    const auto row = values.subspan(i * columns, columns);
    EXPECT_TRUE(seen.insert(Halves(row.begin(), row.end())).second) << i;
  }
  for (const uint16_t bits : values) {
    const float size = std::abs(HalfToFloat(bits));
    ASSERT_GE(size, 0.5f);
    ASSERT_LT(size, 2.0f);
  }
}

TEST(Workload, NamesAreSpelledAsTheyArePrinted) {
  for (const char* good : {"null", "64x32", "4x1", "768x256", "4096x4096"}) {
    EXPECT_TRUE(CheckWorkloadName(good).ok()) << good;
  }
  for (const char* bad : {"", "64", "64x", "x32", "64x32x2", "064x32", "+64x32", "64X32", "3x8",
                          "64x0", "-4x4", "4097x2", "99999999999x2", "64x 32", "nul"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(CheckWorkloadName(bad))) << bad;
  }
}

}  // namespace
}  // namespace anex::bench
