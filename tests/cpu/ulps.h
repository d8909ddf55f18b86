// Distance of tensors in units in the last place.
#ifndef ANEX_TESTS_CPU_ULPS_H_
#define ANEX_TESTS_CPU_ULPS_H_

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/device/harness.h"

namespace anex::device {

// Whether a zero has to have the sign that was expected. Sums that cancel, and the larger of 0 and
// -0, have none that anything defines.
enum class Zeros : uint8_t { kSigned, kAlike };

// How many numbers of the type lie between element `i` of both; 0 and -0 are the same, and so are
// all NaNs. A NaN and a number are infinitely far apart.
inline int64_t UlpsApart(const Tensor& a, const Tensor& b, int64_t i) {
  const size_t size = ElementSize(a.dtype);
  int64_t left = 0, right = 0;
  std::memcpy(&left, &a.bytes[static_cast<size_t>(i) * size], size);
  std::memcpy(&right, &b.bytes[static_cast<size_t>(i) * size], size);
  if (!IsFloat(a.dtype)) return left == right ? 0 : INT64_MAX;
  const int64_t sign = int64_t{1} << (8 * size - 1);
  const int64_t infinity = a.dtype == DType::kFp16 ? 0x7c00 : 0x7f800000;
  const bool left_nan = (left & ~sign) > infinity, right_nan = (right & ~sign) > infinity;
  if (left_nan || right_nan) return left_nan && right_nan ? 0 : INT64_MAX;
  const auto place = [&](int64_t bits) { return bits & sign ? -(bits & ~sign) : bits; };
  return std::llabs(place(left) - place(right));
}

inline bool ZerosDiffer(double a, double b) {
  return a == 0 && b == 0 && std::signbit(a) != std::signbit(b);
}

// REQUIRES: fp16, fp32 or types that are no floats, whose bits must be equal. `slack` is an
// absolute difference that is forgiven.
inline void ExpectClose(const Tensor& expected, const Tensor& found, int64_t ulps, double slack,
                        Zeros zeros = Zeros::kSigned) {
  ASSERT_EQ(expected.dtype, found.dtype);
  ASSERT_EQ(expected.bytes.size(), found.bytes.size());
  const std::vector<double> want = ValuesOf(expected), have = ValuesOf(found);
  // Whole numbers and bools are equal or they are not, and a double does not hold all of them.
  const bool exact = !IsFloat(expected.dtype);
  int shown = 0;
  for (size_t i = 0; i < want.size() && shown < 5; ++i) {
    const int64_t apart = UlpsApart(expected, found, static_cast<int64_t>(i));
    if (exact && apart == 0) continue;
    const bool sign_lost = zeros == Zeros::kSigned && ZerosDiffer(want[i], have[i]);
    if (!exact && !sign_lost && (apart <= ulps || std::fabs(want[i] - have[i]) <= slack)) continue;
    ++shown;
    ADD_FAILURE() << "element " << i << ": expected " << want[i] << ", found " << have[i]
                  << (exact ? ", other bits" : absl::StrCat(", ", apart, " units apart"));
  }
}

}  // namespace anex::device

#endif  // ANEX_TESTS_CPU_ULPS_H_
