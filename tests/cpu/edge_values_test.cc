// Numbers at the ends of what there is, where a formula that is right in the middle goes wrong.
// Expected values are those of numpy, or follow from what padding means.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/device/cpu/cpu_device.h"
#include "tests/device/harness.h"

namespace anex::device::cpu {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(EdgeValuesTest, AQuotientJustBelowZeroIsRoundedDown) {
  const std::vector<double> x = {-1, 1, -1, 1, 0, 5, -5, -6e-8};
  const std::vector<double> y = {kInf, -kInf, -kInf, kInf, -kInf, -3, 3, kInf};
  const auto device = MakeCpuDevice({.threads = 1});
  for (const DType dtype : {DType::kFp16, DType::kFp32}) {
    const std::string type = absl::StrCat("tensor<", std::string(DTypeName(dtype)), ", [8]>");
    const auto program = ReadProgram(
        MainText(type + " x, " + type + " y", type + " z = floor_div(x = x, y = y);", "z"));
    for (const char* mode : {"default", "reference"}) {
      const Tensors out =
          Bound(*device, program, {{"numerics", mode}})
              .Run({{"x", MakeTensor(dtype, {8}, x)}, {"y", MakeTensor(dtype, {8}, y)}});
      EXPECT_EQ(ValuesOf(out.at("z")), (std::vector<double>{-1, -1, 0, 0, 0, -2, -2, -1}))
          << mode << " " << type;
    }
  }
}

// Of an image of tens, at (x, y) in pixels, with 1 around it.
std::vector<double> Sampled(const std::vector<double>& points, const std::string& sampling) {
  const auto count = static_cast<int64_t>(points.size() / 2);
  const std::string result = absl::StrCat("tensor<fp32, [1, 1, 1, ", count, "]>");
  const auto program = ReadProgram(MainText(
      absl::StrCat("tensor<fp32, [1, 1, 2, 3]> image, tensor<fp32, [1, 1, ", count, ", 2]> at"),
      result + " y = resample(x = image, coordinates = at, sampling_mode = string(\"" + sampling +
          "\"), padding_mode = string(\"constant\"), padding_value = fp32(1), coordinates_mode = "
          "string(\"unnormalized\"), align_corners = bool(true));",
      "y"));
  const auto device = MakeCpuDevice({.threads = 1});
  const Tensors out =
      Bound(*device, program)
          .Run({{"image", MakeTensor(DType::kFp32, {1, 1, 2, 3}, {10, 20, 30, 40, 50, 60})},
                {"at", MakeTensor(DType::kFp32, {1, 1, count, 2}, points)}});
  return ValuesOf(out.at("y"));
}

TEST(EdgeValuesTest, FarOutsideOfAnImageIsThePadding) {
  const std::vector<double> far = {1e17, 0,    -1e17, 0, 0,     1e17, 1e17, -1e17, 1e30,
                                   1e30, kInf, 0,     0, -kInf, kNan, 0,    0,     kNan,
                                   3,    0,    0,     2, -1,    -1,   1e9,  1};
  for (const char* sampling : {"bilinear", "nearest"}) {
    EXPECT_EQ(Sampled(far, sampling), std::vector<double>(far.size() / 2, 1)) << sampling;
  }
  // Just outside, the image still has its share.
  EXPECT_EQ(Sampled({2.5, 0, -0.5, 1, 1, 1.75, 2, 1}, "bilinear"),
            (std::vector<double>{15.5, 20.5, 13.25, 60}));
}

}  // namespace
}  // namespace anex::device::cpu
