// The 16-bit floats against an oracle that knows nothing of bits: the nearest of all representable
// values, by plain comparison of doubles.
#include "proto/wire/half.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace anex {
namespace {

// The value of a 16-bit float from its definition.
double ValueOf(uint16_t bits, int mantissa_bits) {
  const int exponent_bits = 15 - mantissa_bits;
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = (bits & 0x7fff) >> mantissa_bits;
  const int mantissa = bits & ((1 << mantissa_bits) - 1);
  const double sign = bits & 0x8000 ? -1.0 : 1.0;
  if (exponent == (1 << exponent_bits) - 1) {
    return mantissa ? std::numeric_limits<double>::quiet_NaN()
                    : sign * std::numeric_limits<double>::infinity();
  }
  if (exponent == 0) return sign * std::ldexp(mantissa, 1 - bias - mantissa_bits);
  return sign * std::ldexp((1 << mantissa_bits) + mantissa, exponent - bias - mantissa_bits);
}

// Nearest, ties to even, by search among the non-negative finite values in order.
class Nearest {
 public:
  explicit Nearest(int mantissa_bits) : mantissa_bits_(mantissa_bits) {
    for (uint32_t bits = 0;; ++bits) {
      const double value = ValueOf(static_cast<uint16_t>(bits), mantissa_bits);
      if (!std::isfinite(value)) break;
      values_.push_back(value);
    }
    // What would follow the largest finite value if the exponent went on: rounds to infinity.
    values_.push_back(2 * values_.back() - values_[values_.size() - 2]);
  }

  uint16_t Of(double value) const {
    const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
    const double magnitude = std::fabs(value);
    if (magnitude >= values_.back()) return sign | static_cast<uint16_t>(values_.size() - 1);
    const size_t above =
        std::upper_bound(values_.begin(), values_.end(), magnitude) - values_.begin();
    const size_t below = above - 1;
    const double to_below = magnitude - values_[below], to_above = values_[above] - magnitude;
    const bool up = to_above < to_below || (to_above == to_below && below % 2 == 1);
    return sign | static_cast<uint16_t>(up ? above : below);
  }

 private:
  int mantissa_bits_;
  std::vector<double> values_;
};

TEST(Half, EveryPatternGoesUpExactlyAndComesBackTheSame) {
  for (uint32_t i = 0; i < 0x10000; ++i) {
    const uint16_t bits = static_cast<uint16_t>(i);
    const double want = ValueOf(bits, 10);
    if (std::isnan(want)) {
      EXPECT_TRUE(std::isnan(HalfToFloat(bits)));
      EXPECT_TRUE(std::isnan(HalfToFloat(FloatToHalf(HalfToFloat(bits)))));
      EXPECT_TRUE(std::isnan(HalfToDouble(DoubleToHalf(HalfToDouble(bits)))));
      continue;
    }
    ASSERT_EQ(HalfToDouble(bits), want) << i;
    ASSERT_EQ(FloatToHalf(HalfToFloat(bits)), bits) << i;
    ASSERT_EQ(DoubleToHalf(HalfToDouble(bits)), bits) << i;
  }
}

TEST(Half, Bf16EveryPatternGoesUpExactlyAndComesBackTheSame) {
  for (uint32_t i = 0; i < 0x10000; ++i) {
    const uint16_t bits = static_cast<uint16_t>(i);
    const double want = ValueOf(bits, 7);
    if (std::isnan(want)) {
      EXPECT_TRUE(std::isnan(Bf16ToFloat(FloatToBf16(Bf16ToFloat(bits)))));
      EXPECT_TRUE(std::isnan(Bf16ToDouble(DoubleToBf16(Bf16ToDouble(bits)))));
      continue;
    }
    ASSERT_EQ(Bf16ToDouble(bits), want) << i;
    ASSERT_EQ(FloatToBf16(Bf16ToFloat(bits)), bits) << i;
    ASSERT_EQ(DoubleToBf16(Bf16ToDouble(bits)), bits) << i;
  }
}

TEST(Half, TiesAndTheirNeighboursRoundToTheNearest) {
  const Nearest nearest(10);
  for (uint32_t i = 0; i < 0x7c00; ++i) {
    const double low = ValueOf(static_cast<uint16_t>(i), 10);
    const double high = i == 0x7bff ? 65536.0 : ValueOf(static_cast<uint16_t>(i + 1), 10);
    const double tie = (low + high) / 2;
    for (const double value : {tie, std::nextafter(tie, 0), std::nextafter(tie, 1e9), -tie}) {
      ASSERT_EQ(DoubleToHalf(value), nearest.Of(value)) << i << " " << value;
    }
    const float tie_f = static_cast<float>(tie);
    for (const float value : {tie_f, std::nextafterf(tie_f, 0), std::nextafterf(tie_f, 1e9f)}) {
      ASSERT_EQ(FloatToHalf(value), nearest.Of(value)) << i << " " << value;
    }
  }
}

TEST(Half, RandomBitsRoundToTheNearest) {
  const Nearest half(10), bf16(7);
  std::mt19937_64 random(20240607);
  for (int i = 0; i < 200000; ++i) {
    const float f = std::bit_cast<float>(static_cast<uint32_t>(random()));
    const double d =
        std::ldexp(static_cast<double>(random() >> 11), -80 + static_cast<int>(random() % 60));
    if (!std::isnan(f)) {
      ASSERT_EQ(FloatToHalf(f), half.Of(f)) << f;
      ASSERT_EQ(FloatToBf16(f), bf16.Of(f)) << f;
    }
    ASSERT_EQ(DoubleToHalf(d), half.Of(d)) << d;
    ASSERT_EQ(DoubleToBf16(d), bf16.Of(d)) << d;
  }
}

TEST(Half, ADoubleIsRoundedOnceNotThroughFloat) {
  const double just_above_the_tie = 1 + 0x1p-11 + 0x1p-40;
  EXPECT_EQ(FloatToHalf(static_cast<float>(just_above_the_tie)), 0x3c00);  // what two roundings do
  EXPECT_EQ(DoubleToHalf(just_above_the_tie), 0x3c01);
}

TEST(Half, TheEndsOfTheRange) {
  EXPECT_EQ(DoubleToHalf(65519.999), 0x7bff);
  EXPECT_EQ(DoubleToHalf(65520), 0x7c00);
  EXPECT_EQ(DoubleToHalf(-1e300), 0xfc00);
  EXPECT_EQ(DoubleToHalf(0x1p-25), 0x0000);
  EXPECT_EQ(DoubleToHalf(0x1.000001p-25), 0x0001);
  EXPECT_EQ(DoubleToHalf(-0.0), 0x8000);
  EXPECT_EQ(DoubleToHalf(5e-324), 0x0000);
  EXPECT_EQ(DoubleToHalf(std::numeric_limits<double>::quiet_NaN()) & 0x7fff, 0x7e00);
  EXPECT_EQ(DoubleToBf16(1e39), 0x7f80);
}

}  // namespace
}  // namespace anex
