#include "server/device/cpu/vector_ops.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <random>

#include "proto/wire/half.h"

namespace anex::device::cpu {
namespace {

class VectorOpsTest : public ::testing::TestWithParam<const VectorOps*> {
 protected:
  const VectorOps& ops = *GetParam();
  const VectorOps& plain = *RunnableVectorOps().front();
};

// All kinds of bits: every exponent, edges, NaNs.
std::vector<float> ManyFloats(size_t n) {
  std::mt19937 random(11);
  std::vector<float> values(n);
  for (float& value : values) value = std::bit_cast<float>(static_cast<uint32_t>(random()));
  const float edges[] = {0.0f,  -0.0f,     INFINITY, -INFINITY, NAN,
                         65504, 65519.99f, 65520,    5.96e-8f,  2.98e-8f};
  std::copy(std::begin(edges), std::end(edges), values.begin());
  return values;
}

TEST_P(VectorOpsTest, WidensEveryHalfExactly) {
  std::vector<uint16_t> halves(65536);
  for (size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<uint16_t>(i);
  std::vector<float> floats(halves.size());
  ops.half_to_float(halves.data(), floats.data(), halves.size());
  for (size_t i = 0; i < halves.size(); ++i) {
    const float right = HalfToFloat(halves[i]);
    const uint32_t quiet = std::isnan(right) ? 0x400000u : 0u;
    ASSERT_EQ(std::bit_cast<uint32_t>(floats[i]), std::bit_cast<uint32_t>(right) | quiet) << i;
  }
}

TEST_P(VectorOpsTest, NarrowsAsTheScalarConversionDoes) {
  std::vector<float> floats = ManyFloats(200001);
  for (uint32_t half = 0; half < 0x7c00; ++half) {  // and exactly between two neighbours
    const float low = HalfToFloat(static_cast<uint16_t>(half));
    floats.push_back((low + HalfToFloat(static_cast<uint16_t>(half + 1))) / 2);
  }
  std::vector<uint16_t> halves(floats.size());
  ops.float_to_half(floats.data(), halves.data(), floats.size());
  for (size_t i = 0; i < floats.size(); ++i)
    ASSERT_EQ(halves[i], FloatToHalf(floats[i])) << floats[i];
}

TEST_P(VectorOpsTest, TailsOfAnyLengthTouchNothingBeyond) {
  for (size_t n = 0; n < 40; ++n) {
    std::vector<uint16_t> halves(n + 1, 0x1234);
    std::vector<float> floats(n + 1, 7.0f);
    ops.float_to_half(floats.data(), halves.data(), n);
    EXPECT_EQ(halves[n], 0x1234);
    ops.half_to_float(halves.data(), floats.data(), n);
    EXPECT_EQ(floats[n], 7.0f);
    if (n > 0) {
      EXPECT_EQ(halves[n - 1], FloatToHalf(7.0f));
    }
  }
}

// Equal bits; NaNs may differ in payload.
void ExpectSame(const std::vector<float>& a, const std::vector<float>& b, const char* what) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) && std::isnan(b[i])) continue;
    ASSERT_EQ(std::bit_cast<uint32_t>(a[i]), std::bit_cast<uint32_t>(b[i])) << what << " at " << i;
  }
}

TEST_P(VectorOpsTest, EveryLoopGivesTheBitsOfThePlainOne) {
  const std::vector<float> x = ManyFloats(3001);
  std::vector<float> y(x.rbegin(), x.rend()), z(x.size(), 0.5f);
  std::vector<float> mine(x.size()), theirs(x.size());
  constexpr const char* kNames[] = {
#define ANEX_TEST_NAME(name, mil, operands) #name,
      ANEX_CPU_ELEMENTWISE(ANEX_TEST_NAME)
#undef ANEX_TEST_NAME
  };
  for (size_t op = 0; op < std::size(kNames); ++op) {
    ops.elementwise[op](x.data(), y.data(), z.data(), mine.data(), x.size(), 0.3f, 0.7f);
    plain.elementwise[op](x.data(), y.data(), z.data(), theirs.data(), x.size(), 0.3f, 0.7f);
    ExpectSame(mine, theirs, kNames[op]);
  }
}

TEST_P(VectorOpsTest, ReductionsGiveTheBitsOfThePlainOnes) {
  std::vector<float> x(1003);
  for (size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(i) * 1.7f) * 100;
  for (const size_t n : {size_t{0}, size_t{1}, size_t{15}, size_t{16}, size_t{1003}}) {
    EXPECT_EQ(ops.sum(x.data(), n), plain.sum(x.data(), n));
    EXPECT_EQ(ops.sum_abs(x.data(), n), plain.sum_abs(x.data(), n));
    EXPECT_EQ(ops.sum_squares(x.data(), n), plain.sum_squares(x.data(), n));
    EXPECT_EQ(ops.max(x.data(), n), plain.max(x.data(), n));
    EXPECT_EQ(ops.min(x.data(), n), plain.min(x.data(), n));
  }
  x[900] = NAN;
  EXPECT_TRUE(std::isnan(ops.max(x.data(), x.size())));
  EXPECT_TRUE(std::isnan(ops.min(x.data(), x.size())));
}

// In units in the last place of a float, over the range where the result is a normal number.
TEST_P(VectorOpsTest, ExpAndTanhAreWithinFourUnits) {
  std::vector<float> x, exp, tanh;
  for (float at = -87; at < 88; at += 0.00371f) x.push_back(at);
  exp.resize(x.size());
  tanh.resize(x.size());
  ops.elementwise[static_cast<size_t>(ElementwiseOp::kExp)](x.data(), nullptr, nullptr, exp.data(),
                                                            x.size(), 0, 0);
  ops.elementwise[static_cast<size_t>(ElementwiseOp::kTanh)](x.data(), nullptr, nullptr,
                                                             tanh.data(), x.size(), 0, 0);
  for (size_t i = 0; i < x.size(); ++i) {
    const double right = std::exp(double{x[i]}), unit = right * 1.2e-7;
    ASSERT_NEAR(exp[i], right, 4 * unit) << x[i];
    const double bend = std::tanh(double{x[i]});
    ASSERT_NEAR(tanh[i], bend, 4 * std::fabs(bend) * 1.2e-7) << x[i];
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, VectorOpsTest, ::testing::ValuesIn(RunnableVectorOps()),
                         [](const auto& info) {
                           std::string name = info.param->name;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace anex::device::cpu
