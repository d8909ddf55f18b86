// Integers that a double does not hold, and those of uint64 that an int64 does not, through every
// operation that takes them. What is right is what counting gives.

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/device/cpu/cpu_device.h"
#include "tests/cpu/ulps.h"
#include "tests/device/harness.h"

namespace anex::device::cpu {
namespace {

constexpr int64_t kOdd = (int64_t{1} << 53) + 1;               // a double makes it even
constexpr uint64_t kHigh = (uint64_t{1} << 63) + 5;            // negative as an int64
constexpr uint64_t kHigher = (uint64_t{1} << 63) + (1 << 10);  // the same as a double
constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();

template <typename T>
Tensor Of(DType dtype, const Shape& shape, const std::vector<T>& values) {
  Tensor tensor{dtype, shape, std::vector<std::byte>(values.size() * sizeof(T))};
  std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  return tensor;
}
Tensor Signed(const std::vector<int64_t>& values) {
  return Of(DType::kInt64, {static_cast<int64_t>(values.size())}, values);
}
Tensor Unsigned(const std::vector<uint64_t>& values) {
  return Of(DType::kUint64, {static_cast<int64_t>(values.size())}, values);
}

template <typename T>
std::vector<T> As(const Tensor& tensor) {
  EXPECT_EQ(tensor.bytes.size() % sizeof(T), 0u);
  std::vector<T> values(tensor.bytes.size() / sizeof(T));
  std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

std::string TypeText(const Tensor& tensor) {
  return absl::StrCat("tensor<", std::string(DTypeName(tensor.dtype)), ", [", tensor.elements(),
                      "]>");
}

// y of `body`, the same in both modes.
Tensor Result(const std::string& body, const Tensors& inputs, const std::string& output = "y") {
  std::string declared;
  for (const auto& [name, tensor] : inputs) {
    absl::StrAppend(&declared, declared.empty() ? "" : ", ", TypeText(tensor), " ", name);
  }
  const auto program = ReadProgram(MainText(declared, body, output));
  const auto device = MakeCpuDevice({.threads = 1});
  const Tensor right = Bound(*device, program, {{"numerics", "reference"}}).Run(inputs).at(output);
  EXPECT_EQ(Bound(*device, program).Run(inputs).at(output).bytes, right.bytes) << body;
  return right;
}

TEST(WideIntegersTest, BecomeFloatsThatAreRoundedOnce) {
  const std::string to_fp32 = "y = cast(x = x, dtype = string(\"fp32\"));";
  EXPECT_EQ(As<float>(Result("tensor<fp32, [2]> " + to_fp32, {{"x", Unsigned({kHigh, 3})}})),
            (std::vector<float>{0x1p63f, 3}));
  // Just above the middle between two floats, by less than a double sees.
  const int64_t above = (int64_t{1} << 60) + (int64_t{1} << 36) + 1;
  EXPECT_EQ(As<float>(Result("tensor<fp32, [2]> " + to_fp32, {{"x", Signed({above, -above})}})),
            (std::vector<float>{0x1.000002p60f, -0x1.000002p60f}));
  EXPECT_EQ(As<double>(Result("tensor<fp64, [3]> y = cast(x = x, dtype = string(\"fp64\"));",
                              {{"x", Unsigned({kHigh, kHigher, UINT64_MAX})}})),
            (std::vector<double>{0x1p63, 0x1p63, 0x1p64}));
  EXPECT_EQ(As<uint16_t>(Result("tensor<fp16, [2]> y = cast(x = x, dtype = string(\"fp16\"));",
                                {{"x", Unsigned({kHigh, 2049})}})),
            (std::vector<uint16_t>{0x7c00, 0x6800}));
}

TEST(WideIntegersTest, AreReduced) {
  const auto reduced = [](const std::string& op, const Tensor& x) {
    const std::string type = "tensor<" + std::string(DTypeName(x.dtype)) + ", [1]>";
    return Result(type + " y = " + op +
                      "(x = x, axes = tensor<int32, [1]>([0]), keep_dims = " + "bool(true));",
                  {{"x", x}});
  };
  const Tensor high = Unsigned({7, kHigher, kHigh});
  EXPECT_EQ(As<uint64_t>(reduced("reduce_max", high)), (std::vector<uint64_t>{kHigher}));
  EXPECT_EQ(As<uint64_t>(reduced("reduce_min", high)), (std::vector<uint64_t>{7}));
  EXPECT_EQ(As<uint64_t>(reduced("reduce_l1_norm", Unsigned({kHigh}))),
            (std::vector<uint64_t>{kHigh}));
  EXPECT_EQ(As<int64_t>(reduced("reduce_max", Signed({-kOdd, -kOdd - 1}))),
            (std::vector<int64_t>{-kOdd}));
  EXPECT_EQ(As<int64_t>(reduced("reduce_l1_norm", Signed({-kOdd, 1}))),
            (std::vector<int64_t>{kOdd + 1}));
}

TEST(WideIntegersTest, HaveALargestAndASmallest) {
  const auto where = [](const std::string& op, const Tensor& x) {
    return As<int32_t>(
        Result("tensor<int32, [1]> y = " + op + "(x = x, axis = int32(0), keep_dims = bool(true));",
               {{"x", x}}))[0];
  };
  EXPECT_EQ(where("reduce_argmax", Signed({kOdd - 1, kOdd, kOdd})), 1);
  EXPECT_EQ(where("reduce_argmin", Signed({-kOdd + 1, -kOdd, kLowest + 1, kLowest})), 3);
  EXPECT_EQ(where("reduce_argmax", Unsigned({7, kHigh, kHigh + 1})), 2);
  EXPECT_EQ(where("reduce_argmin", Unsigned({kHigh, kHigh - 1, kHigh})), 1);
}

TEST(WideIntegersTest, AreSorted) {
  const Tensors x = {{"x", Unsigned({kHigh, 7, kHigher, UINT64_MAX, kHigh + 1})}};
  EXPECT_EQ(
      As<int32_t>(Result("tensor<int32, [5]> y = argsort(x = x, ascending = bool(true));", x)),
      (std::vector<int32_t>{1, 0, 4, 2, 3}));
  EXPECT_EQ(As<uint64_t>(Result("tensor<uint64, [2]> y, tensor<int32, [2]> i = topk(x = x, k = "
                                "int32(2), axis = int32(0));",
                                x)),
            (std::vector<uint64_t>{UINT64_MAX, kHigher}));
}

TEST(WideIntegersTest, AreScattered) {
  const auto scattered = [](const std::string& mode) {
    return As<uint64_t>(
        Result("tensor<uint64, [3]> y = scatter(data = x, indices = tensor<int32, [3]>([0, 1, 2]), "
               "updates = z, axis = int32(0), mode = string(\"" +
                   mode + "\"));",
               {{"x", Unsigned({7, kHigh, kHigher})}, {"z", Unsigned({kHigh, 7, kHigh})}}));
  };
  EXPECT_EQ(scattered("max"), (std::vector<uint64_t>{kHigh, kHigh, kHigher}));
  EXPECT_EQ(scattered("min"), (std::vector<uint64_t>{7, 7, kHigh}));
  EXPECT_EQ(scattered("div"), (std::vector<uint64_t>{0, 1317624576693539328u, 1}));
}

TEST(WideIntegersTest, AreWholeAlready) {
  const std::vector<int64_t> values = {kOdd, -kOdd, kLowest, 0};
  for (const char* op : {"floor", "ceil", "round"}) {
    EXPECT_EQ(As<int64_t>(Result(absl::StrCat("tensor<int64, [4]> y = ", op, "(x = x);"),
                                 {{"x", Signed(values)}})),
              values)
        << op;
  }
  EXPECT_EQ(As<int64_t>(Result("tensor<int64, [4]> y = sign(x = x);", {{"x", Signed(values)}})),
            (std::vector<int64_t>{1, -1, -1, 0}));
  EXPECT_EQ(
      As<uint64_t>(Result("tensor<uint64, [2]> y = sign(x = x);", {{"x", Unsigned({kHigh, 0})}})),
      (std::vector<uint64_t>{1, 0}));
  EXPECT_EQ(
      As<uint64_t>(Result("tensor<uint64, [2]> y = round(x = x);", {{"x", Unsigned({kHigh, 1})}})),
      (std::vector<uint64_t>{kHigh, 1}));
}

TEST(WideIntegersTest, StayWithinBounds) {
  EXPECT_EQ(As<int64_t>(Result(absl::StrCat("tensor<int64, [4]> y = clip(x = x, alpha = int64(",
                                            -kOdd, "), beta = int64(", kOdd, "));"),
                               {{"x", Signed({kOdd + 1, kOdd - 1, -kOdd - 1, kOdd})}})),
            (std::vector<int64_t>{kOdd, kOdd - 1, -kOdd, kOdd}));
  EXPECT_EQ(As<uint64_t>(Result(absl::StrCat("tensor<uint64, [3]> y = clip(x = x, alpha = uint64(",
                                             kHigh, "), beta = uint64(", kHigh + 1, "));"),
                                {{"x", Unsigned({7, UINT64_MAX, kHigh + 1})}})),
            (std::vector<uint64_t>{kHigh, kHigh + 1, kHigh + 1}));
  EXPECT_EQ(As<int64_t>(Result(
                absl::StrCat("tensor<int64, [2]> y = threshold(x = x, alpha = int64(", kOdd, "));"),
                {{"x", Signed({kOdd - 1, kOdd + 1})}})),
            (std::vector<int64_t>{kOdd, kOdd + 1}));
}

TEST(WideIntegersTest, AreMadeExactly) {
  // So many that the device makes them and not the front end.
  const std::vector<int64_t> odd(5000, kOdd);
  EXPECT_EQ(As<int64_t>(Result(absl::StrCat("tensor<int64, [5000]> y = fill(shape = tensor<int32, "
                                            "[1]>([5000]), value = int64(",
                                            kOdd, "));"),
                               {})),
            odd);
  EXPECT_EQ(As<int64_t>(Result(absl::StrCat("tensor<int64, [5000]> y = fill_like(ref_tensor = x, "
                                            "value = int64(",
                                            kOdd, "));"),
                               {{"x", Signed(odd)}})),
            odd);
  EXPECT_EQ(
      As<uint64_t>(Result(absl::StrCat("tensor<uint64, [3]> y = pad(x = x, pad = tensor<int32, "
                                       "[2]>([1, 1]), constant_val = uint64(",
                                       kHigh, "));"),
                          {{"x", Unsigned({2})}})),
      (std::vector<uint64_t>{kHigh, 2, kHigh}));
  EXPECT_EQ(As<int64_t>(Result(absl::StrCat("tensor<int64, [3]> y = range_1d(start = int64(", kOdd,
                                            "), end = int64(", kOdd + 6, "), step = int64(2));"),
                               {})),
            (std::vector<int64_t>{kOdd, kOdd + 2, kOdd + 4}));
  EXPECT_EQ(As<int64_t>(Result(absl::StrCat("tensor<int64, [2]> y = range_1d(start = int64(", kOdd,
                                            "), end = int64(", kOdd - 3, "), step = int64(-2));"),
                               {})),
            (std::vector<int64_t>{kOdd, kOdd - 2}));
}

// The yardstick itself: a double holds neither of two neighbours, and no slack is for them.
TEST(WideIntegers, AreComparedBitByBit) {
  const auto one = [](DType dtype, int64_t value) {
    Tensor tensor = MakeTensor(dtype, {1}, {0});
    std::memcpy(tensor.bytes.data(), &value, tensor.bytes.size());
    return tensor;
  };
  constexpr int64_t kWide = (int64_t{1} << 53) + 1;
  for (const DType dtype : {DType::kInt64, DType::kUint64}) {
    ExpectClose(one(dtype, kWide), one(dtype, kWide), 0, 0);
    EXPECT_NONFATAL_FAILURE(ExpectClose(one(dtype, kWide), one(dtype, kWide - 1), 0, 0),
                            "other bits");
  }
  EXPECT_NONFATAL_FAILURE(ExpectClose(one(DType::kInt32, 7), one(DType::kInt32, 8), 16, 2.0),
                          "other bits");
}

}  // namespace
}  // namespace anex::device::cpu
