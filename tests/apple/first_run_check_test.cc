#include "server/device/apple/first_run_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/device/harness.h"

namespace anex::device::apple {
namespace {

using ::testing::HasSubstr;

constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNan = std::nan("");

absl::Status Compare(const std::vector<double>& expected, const std::vector<double>& found,
                     DType dtype = DType::kFp16) {
  const Shape shape{static_cast<int64_t>(expected.size())};
  const TensorLayout layout = *MakePackedLayout(dtype, shape);
  return CompareOutputs("y", layout, MakeTensor(dtype, shape, expected).bytes.data(), layout,
                        MakeTensor(dtype, shape, found).bytes.data());
}

TEST(FirstRunCheck, RoundingOfTheEnginesKindIsFine) {
  EXPECT_TRUE(Compare({100, 1, -0.5, 0}, {101, 0.5, 0.25, 1}).ok());  // within 2^-5 of 100
}

TEST(FirstRunCheck, AWrongElementIsNamedWithBothValues) {
  const absl::Status wrong = Compare({100, 1, -50, 0}, {100, 1, 50, 0});
  EXPECT_EQ(wrong.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(wrong.message()),
              HasSubstr("output 'y' wrongly: element [2] is 50, the program means -50"));
}

TEST(FirstRunCheck, SilentZerosAndSwapsAreSeen) {
  EXPECT_FALSE(Compare({1, 2, 3}, {0, 0, 0}).ok());
  EXPECT_FALSE(Compare({1, 2, 3}, {3, 2, 1}).ok());
}

TEST(FirstRunCheck, InfinitiesAndNanMustStandWhereTheyBelong) {
  EXPECT_TRUE(Compare({kInf, -kInf, kNan, 1}, {kInf, -kInf, kNan, 1}).ok());
  EXPECT_FALSE(Compare({kInf, 1}, {-kInf, 1}).ok());
  EXPECT_FALSE(Compare({kInf, 1}, {60000, 1}).ok());
  EXPECT_FALSE(Compare({1, 1}, {kNan, 1}).ok());
}

TEST(FirstRunCheck, IntegersAreExact) {
  EXPECT_TRUE(Compare({1000, 1}, {1000, 1}, DType::kInt32).ok());
  EXPECT_FALSE(Compare({1000, 1}, {1001, 1}, DType::kInt32).ok());
}

TEST(FirstRunCheck, StridesOfBothSidesAreFollowed) {
  const Shape shape{3, 5};
  const TensorLayout packed = *MakePackedLayout(DType::kFp16, shape);
  const TensorLayout padded = *MakePaddedLayout(DType::kFp16, shape, 64, 64, 0);
  const Tensor values = NoiseTensor(DType::kFp16, shape, 3);
  std::vector<std::byte> spread(padded.allocation_bytes, std::byte{0x7b});
  for (size_t row = 0; row < 3; ++row) {
    std::copy_n(values.bytes.data() + row * 10, 10, spread.data() + row * 64);
  }
  EXPECT_TRUE(CompareOutputs("y", packed, values.bytes.data(), padded, spread.data()).ok());
  spread[2 * 64 + 9] ^= std::byte{0x40};
  EXPECT_FALSE(CompareOutputs("y", packed, values.bytes.data(), padded, spread.data()).ok());
}

}  // namespace
}  // namespace anex::device::apple
