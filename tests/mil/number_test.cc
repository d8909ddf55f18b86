// Spellings of numbers. The oracle for decimals near ties is exact integer arithmetic done by hand:
// the expected bits are written out.
#include "server/mil/number.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gtest/gtest.h"
#include "proto/wire/half.h"

namespace anex::mil {
namespace {

template <typename T>
T Bits(std::string_view text, std::string_view type, NumberResult want = NumberResult::kOk) {
  std::byte out[8] = {};
  EXPECT_EQ(ReadNumber(text, *FindScalarType(type), out), want) << text << " as " << type;
  T value;
  std::memcpy(&value, out, sizeof value);
  return value;
}

NumberResult Refusal(std::string_view text, std::string_view type) {
  std::byte out[8];
  return ReadNumber(text, *FindScalarType(type), out);
}

TEST(Number, SpellingsOfOneHalfAgree) {
  for (const char* text :
       {"0.5", "0x1p-1", "5e-1", ".5", "0X.8p0", "0x1.0000000000000p-1", "+0.5"}) {
    EXPECT_EQ(Bits<uint16_t>(text, "fp16"), 0x3800) << text;
    EXPECT_EQ(Bits<float>(text, "fp32"), 0.5f) << text;
    EXPECT_EQ(Bits<double>(text, "fp64"), 0.5) << text;
    EXPECT_EQ(Bits<uint16_t>(text, "bf16"), 0x3f00) << text;
  }
}

TEST(Number, IntegersAndWordsAreFloatsToo) {
  EXPECT_EQ(Bits<uint16_t>("-1", "fp16"), 0xbc00);
  EXPECT_EQ(Bits<uint16_t>("-0", "fp16"), 0x8000);
  EXPECT_EQ(Bits<uint16_t>("-inf", "fp16"), 0xfc00);
  EXPECT_TRUE(std::isnan(HalfToFloat(Bits<uint16_t>("nan", "fp16"))));
  EXPECT_EQ(Bits<uint16_t>("0x1p-24", "fp16"), 0x0001);
}

TEST(Number, DecimalsAreRoundedToHalfOnceNotThroughDouble) {
  // 1 + 2^-11 is a tie between 0x3c00 and 0x3c01. The texts differ from it by less than a double
  // can tell.
  const std::string tie = "1.00048828125";
  EXPECT_EQ(Bits<uint16_t>(tie, "fp16"), 0x3c00);
  EXPECT_EQ(Bits<uint16_t>(tie + "0000000000000000000000000001", "fp16"), 0x3c01);
  EXPECT_EQ(Bits<uint16_t>("1.0004882812499999999999999999999999", "fp16"), 0x3c00);
  EXPECT_EQ(Bits<uint16_t>("100048828125" + std::string(30, '0') + "1e-42", "fp16"), 0x3c01);
  // 1 + 3 * 2^-11: a tie whose even neighbour is above.
  const std::string odd_tie = "1.00146484375";
  EXPECT_EQ(Bits<uint16_t>(odd_tie, "fp16"), 0x3c02);
  EXPECT_EQ(Bits<uint16_t>("1.0014648437499999999999999999999", "fp16"), 0x3c01);
  EXPECT_EQ(Bits<uint16_t>("-1.0014648437499999999999999999999", "fp16"), 0xbc01);
}

TEST(Number, TiesAmongSubnormalsAndAtTheTopAreDecidedExactlyToo) {
  const std::string half_of_least = "2.98023223876953125e-8";  // 2^-25
  EXPECT_EQ(Bits<uint16_t>(half_of_least, "fp16"), 0x0000);
  EXPECT_EQ(Bits<uint16_t>("2.980232238769531250000000000000000001e-8", "fp16"), 0x0001);
  EXPECT_EQ(Bits<uint16_t>("0.0000000298023223876953125", "fp16"), 0x0000);
  EXPECT_EQ(Bits<uint16_t>("65519.99999999999999999999999", "fp16"), 0x7bff);
  EXPECT_EQ(Bits<uint16_t>("65520", "fp16", NumberResult::kInfinity), 0x7c00);
  EXPECT_EQ(Bits<uint16_t>("1e400", "bf16", NumberResult::kInfinity), 0x7f80);
  EXPECT_EQ(Bits<float>("1e39", "fp32", NumberResult::kInfinity), INFINITY);
  EXPECT_EQ(Bits<float>("1e-60", "fp32"), 0.0f);
}

TEST(Number, HexDigitsBeyondADoubleStillCount) {
  EXPECT_EQ(Bits<uint16_t>("0x1.002p0", "fp16"), 0x3c00);
  EXPECT_EQ(Bits<uint16_t>("0x1.00200000000000000000000000001p0", "fp16"), 0x3c01);
  EXPECT_EQ(Bits<float>("0x1.00000100000000000000000001p0", "fp32"), 1.0f + 0x1p-23f);
  EXPECT_EQ(Bits<double>("0x1.8p1", "fp64"), 3.0);
  EXPECT_EQ(Bits<uint16_t>("0x1p99999999999999999999", "fp16", NumberResult::kInfinity), 0x7c00);
  EXPECT_EQ(Bits<uint16_t>("0x1p-99999999999999999999", "fp16"), 0);
}

TEST(Number, RandomFloatsAgreeWithTheCLibrary) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20000; ++i) {
    const double value =
        std::ldexp(static_cast<double>(random()), -static_cast<int>(random() % 90));
    const std::string decimal = absl::StrCat(value), hex = absl::StrFormat("%a", value);
    ASSERT_EQ(Bits<double>(decimal, "fp64"), std::strtod(decimal.c_str(), nullptr));
    ASSERT_EQ(Bits<float>(decimal, "fp32"), std::strtof(decimal.c_str(), nullptr));
    ASSERT_EQ(Bits<float>(hex, "fp32"), static_cast<float>(value));
    std::byte out[2];
    ReadNumber(hex, *FindScalarType("fp16"), out);
    uint16_t half;
    std::memcpy(&half, out, 2);
    ASSERT_EQ(half, DoubleToHalf(value)) << hex;
  }
}

TEST(Number, IntegersKnowTheirRange) {
  EXPECT_EQ(Bits<int8_t>("-128", "int8"), -128);
  EXPECT_EQ(Refusal("128", "int8"), NumberResult::kOutOfRange);
  EXPECT_EQ(Bits<uint8_t>("15", "uint4"), 15);
  EXPECT_EQ(Refusal("16", "uint4"), NumberResult::kOutOfRange);
  EXPECT_EQ(Bits<int8_t>("-8", "int4"), -8);
  EXPECT_EQ(Refusal("-9", "int4"), NumberResult::kOutOfRange);
  EXPECT_EQ(Refusal("-1", "uint32"), NumberResult::kOutOfRange);
  EXPECT_EQ(Bits<uint64_t>("18446744073709551615", "uint64"), ~uint64_t{0});
  EXPECT_EQ(Refusal("18446744073709551616", "uint64"), NumberResult::kOutOfRange);
  EXPECT_EQ(Bits<int64_t>("-9223372036854775808", "int64"), INT64_MIN);
  EXPECT_EQ(Refusal("1.5", "int32"), NumberResult::kNotInteger);
  EXPECT_EQ(Refusal("0x10", "int32"), NumberResult::kNotInteger);
}

TEST(Number, WhatIsNoNumberIsRefused) {
  for (const char* text : {"", "-", "1.2.3", "0x", "0xg", "1e", "--1", "infinity", "1p3", "0x1p"}) {
    EXPECT_EQ(Refusal(text, "fp16"), NumberResult::kMalformed) << text;
  }
  EXPECT_EQ(Refusal("12a", "int32"), NumberResult::kMalformed);
  EXPECT_EQ(Refusal("yes", "bool"), NumberResult::kMalformed);
  EXPECT_EQ(Bits<uint8_t>("true", "bool"), 1);
}

}  // namespace
}  // namespace anex::mil
