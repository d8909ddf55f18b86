// What the front end folds against what the device computes of the same numbers as inputs: two
// implementations that share nothing.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "server/device/cpu/cpu_device.h"
#include "tests/device/harness.h"

namespace anex::device::cpu {
namespace {

struct FoldCase {
  const char* name;
  const char* x_type;  // constants a (and b) of these types
  const char* x_value;
  const char* y_type;
  const char* y_value;
  const char* call;  // of a and b
  const char* result;
};
void PrintTo(const FoldCase& it, std::ostream* out) { *out << it.name; }

constexpr char kMatrix[] = "tensor<int32, [2, 3]>";
constexpr char kMatrixValue[] = "([[7, -8, 9], [2147483647, 0, -2147483648]])";
constexpr char kRow[] = "tensor<int32, [3]>";
constexpr char kRowValue[] = "([2, -3, 5])";
constexpr char kHalves[] = "tensor<fp16, [5]>";
constexpr char kHalvesValue[] = "([1.5, -2.5, 0x1p-24, 65504, -0.1])";
constexpr char kFloats[] = "tensor<fp32, [5]>";
constexpr char kFloatsValue[] = "([2.5, -0.3, 1e30, 70000, -128.9])";

// Whose sums, differences and products leave 32 bits.
constexpr char kUints[] = "tensor<uint32, [2, 3]>";
constexpr char kUintsValue[] = "([[7, 4294967295, 9], [2147483648, 0, 65536]])";
constexpr char kUintRow[] = "tensor<uint32, [3]>";
constexpr char kUintRowValue[] = "([4294967295, 4294967294, 3])";
// What a double does not hold.
constexpr char kLongs[] = "tensor<int64, [2, 2]>";
constexpr char kLongsValue[] =
    "([[9007199254740993, -9007199254740993], [9223372036854775807, -9223372036854775808]])";
constexpr char kUlongs[] = "tensor<uint64, [2, 2]>";
constexpr char kUlongsValue[] = "([[9223372036854775813, 9007199254740993], [3, 0]])";
// Infinities and zeros of both signs, each with each.
constexpr char kEdges[] = "tensor<fp32, [5, 1]>";
constexpr char kEdgesValue[] = "([[inf], [-inf], [0.0], [-0.0], [-1.5]])";
constexpr char kEdgeRow[] = "tensor<fp32, [5]>";
constexpr char kEdgeRowValue[] = "([-0.0, 0.0, inf, -inf, 2.5])";
constexpr char kEdgeTable[] = "tensor<fp32, [5, 5]>";
constexpr char kFiniteRowValue[] = "([-1e30, 3, 0x1p-149, -7, 2.5])";
constexpr char kNans[] = "tensor<fp16, [5]>";
constexpr char kNansValue[] = "([nan, inf, -inf, -0.0, 0x1p-24])";

const FoldCase kCases[] = {
    {"uint32_add", kUints, kUintsValue, kUintRow, kUintRowValue, "add(x = a, y = b)", kUints},
    {"uint32_sub", kUints, kUintsValue, kUintRow, kUintRowValue, "sub(x = a, y = b)", kUints},
    {"uint32_mul", kUints, kUintsValue, kUintRow, kUintRowValue, "mul(x = a, y = b)", kUints},
    {"uint32_floor_div", kUints, kUintsValue, kUintRow, kUintRowValue, "floor_div(x = a, y = b)",
     kUints},
    {"uint32_mod", kUints, kUintsValue, kUintRow, kUintRowValue, "mod(x = a, y = b)", kUints},
    {"uint32_real_div", kUints, kUintsValue, kUintRow, kUintRowValue, "real_div(x = a, y = b)",
     kUints},
    {"uint32_maximum", kUints, kUintsValue, kUintRow, kUintRowValue, "maximum(x = a, y = b)",
     kUints},
    {"uint32_greater", kUints, kUintsValue, kUintRow, kUintRowValue, "greater(x = a, y = b)",
     "tensor<bool, [2, 3]>"},
    {"uint32_reduce_sum", kUints, kUintsValue, nullptr, nullptr,
     "reduce_sum(x = a, axes = tensor<int32, [1]>([1]))", "tensor<uint32, [2]>"},
    {"uint32_reduce_max", kUints, kUintsValue, nullptr, nullptr,
     "reduce_max(x = a, axes = tensor<int32, [1]>([0]))", "tensor<uint32, [3]>"},
    {"uint32_fp32", kUints, kUintsValue, nullptr, nullptr, "cast(x = a, dtype = string(\"fp32\"))",
     "tensor<fp32, [2, 3]>"},
    {"uint32_int8", kUints, kUintsValue, nullptr, nullptr, "cast(x = a, dtype = string(\"int8\"))",
     "tensor<int8, [2, 3]>"},
    {"int64_transpose", kLongs, kLongsValue, nullptr, nullptr,
     "transpose(x = a, perm = tensor<int32, [2]>([1, 0]))", kLongs},
    {"int64_gather", kLongs, kLongsValue, "tensor<int32, [2]>", "([1, -2])",
     "gather(x = a, indices = b, axis = int32(1))", kLongs},
    {"int64_select", kLongs, kLongsValue, kLongs, "([[1, 2], [3, 4]])",
     "select(cond = tensor<bool, [2, 1]>([[true], [false]]), a = a, b = b)", kLongs},
    {"uint64_concat", kUlongs, kUlongsValue, kUlongs, "([[1, 2], [3, 18446744073709551615]])",
     "concat(values = (b, a), axis = int32(0), interleave = bool(false))",
     "tensor<uint64, [4, 2]>"},
    {"uint64_tile", kUlongs, kUlongsValue, nullptr, nullptr,
     "tile(x = a, reps = tensor<int32, [2]>([1, 2]))", "tensor<uint64, [2, 4]>"},
    {"edges_add", kEdges, kEdgesValue, kEdgeRow, kEdgeRowValue, "add(x = a, y = b)", kEdgeTable},
    {"edges_sub", kEdges, kEdgesValue, kEdgeRow, kEdgeRowValue, "sub(x = a, y = b)", kEdgeTable},
    {"edges_mul", kEdges, kEdgesValue, kEdgeRow, kEdgeRowValue, "mul(x = a, y = b)", kEdgeTable},
    {"edges_maximum", kEdges, kEdgesValue, kEdgeRow, kEdgeRowValue, "maximum(x = a, y = b)",
     kEdgeTable},
    {"edges_minimum", kEdges, kEdgesValue, kEdgeRow, kEdgeRowValue, "minimum(x = a, y = b)",
     kEdgeTable},
    {"edges_real_div", kEdges, kEdgesValue, kEdgeRow, kFiniteRowValue, "real_div(x = a, y = b)",
     kEdgeTable},
    {"edges_equal", kEdges, kEdgesValue, kEdgeRow, kEdgeRowValue, "equal(x = a, y = b)",
     "tensor<bool, [5, 5]>"},
    {"nans_add", kNans, kNansValue, "fp16", "(inf)", "add(x = a, y = b)", kNans},
    {"nans_less", kNans, kNansValue, "fp16", "(nan)", "less(x = a, y = b)", "tensor<bool, [5]>"},
    {"nans_not_equal", kNans, kNansValue, "fp16", "(nan)", "not_equal(x = a, y = b)",
     "tensor<bool, [5]>"},
    {"nans_floor", kNans, kNansValue, nullptr, nullptr, "floor(x = a)", kNans},
    {"nans_ceil", kNans, kNansValue, nullptr, nullptr, "ceil(x = a)", kNans},
    {"nans_round", kNans, kNansValue, nullptr, nullptr, "round(x = a)", kNans},
    {"nans_abs", kNans, kNansValue, nullptr, nullptr, "abs(x = a)", kNans},
    {"nans_uint32", kNans, kNansValue, nullptr, nullptr, "cast(x = a, dtype = string(\"uint32\"))",
     "tensor<uint32, [5]>"},
    {"nans_int8", kNans, kNansValue, nullptr, nullptr, "cast(x = a, dtype = string(\"int8\"))",
     "tensor<int8, [5]>"},
    {"nans_bool", kNans, kNansValue, nullptr, nullptr, "cast(x = a, dtype = string(\"bool\"))",
     "tensor<bool, [5]>"},
    {"add", kMatrix, kMatrixValue, kRow, kRowValue, "add(x = a, y = b)", kMatrix},
    {"sub", kMatrix, kMatrixValue, kRow, kRowValue, "sub(x = a, y = b)", kMatrix},
    {"mul", kMatrix, kMatrixValue, kRow, kRowValue, "mul(x = a, y = b)", kMatrix},
    {"floor_div", kMatrix, kMatrixValue, kRow, kRowValue, "floor_div(x = a, y = b)", kMatrix},
    {"mod", kMatrix, kMatrixValue, kRow, kRowValue, "mod(x = a, y = b)", kMatrix},
    {"real_div", kMatrix, kMatrixValue, kRow, kRowValue, "real_div(x = a, y = b)", kMatrix},
    {"maximum", kMatrix, kMatrixValue, kRow, kRowValue, "maximum(x = a, y = b)", kMatrix},
    {"less", kMatrix, kMatrixValue, kRow, kRowValue, "less(x = a, y = b)", "tensor<bool, [2, 3]>"},
    {"fp16_mul", kHalves, kHalvesValue, "fp16", "(0.3)", "mul(x = a, y = b)", kHalves},
    {"fp16_real_div", kHalves, kHalvesValue, "fp16", "(3)", "real_div(x = a, y = b)", kHalves},
    {"fp16_add", kHalves, kHalvesValue, "fp16", "(2048)", "add(x = a, y = b)", kHalves},
    {"fp16_floor_div", kHalves, kHalvesValue, "fp16", "(-0.7)", "floor_div(x = a, y = b)", kHalves},
    {"floor", kFloats, kFloatsValue, nullptr, nullptr, "floor(x = a)", kFloats},
    {"ceil", kFloats, kFloatsValue, nullptr, nullptr, "ceil(x = a)", kFloats},
    {"round", kFloats, kFloatsValue, nullptr, nullptr, "round(x = a)", kFloats},
    {"abs", kMatrix, kMatrixValue, nullptr, nullptr, "abs(x = a)", kMatrix},
    {"cast_int8", kFloats, kFloatsValue, nullptr, nullptr, "cast(x = a, dtype = string(\"int8\"))",
     "tensor<int8, [5]>"},
    {"cast_uint16", kFloats, kFloatsValue, nullptr, nullptr,
     "cast(x = a, dtype = string(\"uint16\"))", "tensor<uint16, [5]>"},
    {"cast_fp16", kFloats, kFloatsValue, nullptr, nullptr, "cast(x = a, dtype = string(\"fp16\"))",
     "tensor<fp16, [5]>"},
    {"cast_bool", kMatrix, kMatrixValue, nullptr, nullptr, "cast(x = a, dtype = string(\"bool\"))",
     "tensor<bool, [2, 3]>"},
    {"cast_int16", kMatrix, kMatrixValue, nullptr, nullptr,
     "cast(x = a, dtype = string(\"int16\"))", "tensor<int16, [2, 3]>"},
    {"int32_fp16", kMatrix, kMatrixValue, nullptr, nullptr, "cast(x = a, dtype = string(\"fp16\"))",
     "tensor<fp16, [2, 3]>"},
    {"reduce_sum", kMatrix, kMatrixValue, nullptr, nullptr,
     "reduce_sum(x = a, axes = tensor<int32, [1]>([0]), keep_dims = bool(true))",
     "tensor<int32, [1, 3]>"},
    {"reduce_prod", kMatrix, kMatrixValue, nullptr, nullptr,
     "reduce_prod(x = a, axes = tensor<int32, [1]>([1]), keep_dims = bool(false))",
     "tensor<int32, [2]>"},
    {"reduce_min", kMatrix, kMatrixValue, nullptr, nullptr,
     "reduce_min(x = a, axes = tensor<int32, [2]>([0, 1]), keep_dims = bool(false))", "int32"},
    {"gather", kMatrix, kMatrixValue, kRow, "([2, -3, 0])",
     "gather(x = a, indices = b, axis = "
     "int32(1))",
     "tensor<int32, [2, 3]>"},
    {"concat", kMatrix, kMatrixValue, "tensor<int32, [1, 3]>", "([[1, 2, 3]])",
     "concat(values = (b, a), axis = int32(0), interleave = bool(false))", "tensor<int32, [3, 3]>"},
    {"interleave", kMatrix, kMatrixValue, kMatrix, "([[1, 2, 3], [4, 5, 6]])",
     "concat(values = (b, a), axis = int32(1), interleave = bool(true))", "tensor<int32, [2, 6]>"},
    {"stack", kMatrix, kMatrixValue, kMatrix, "([[1, 2, 3], [4, 5, 6]])",
     "stack(values = (b, a), axis = int32(-1))", "tensor<int32, [2, 3, 2]>"},
    {"tile", kMatrix, kMatrixValue, nullptr, nullptr,
     "tile(x = a, reps = tensor<int32, [2]>([3, 2]))", "tensor<int32, [6, 6]>"},
    {"reverse", kMatrix, kMatrixValue, nullptr, nullptr, "reverse(x = a)", kMatrix},
    {"transpose", kMatrix, kMatrixValue, nullptr, nullptr,
     "transpose(x = a, perm = tensor<int32, [2]>([1, 0]))", "tensor<int32, [3, 2]>"},
    {"slice", kMatrix, kMatrixValue, nullptr, nullptr,
     "slice_by_index(x = a, begin = tensor<int32, [2]>([-1, 9]), end = tensor<int32, [2]>([9, "
     "-9]), "
     "stride = tensor<int32, [2]>([1, -2]))",
     "tensor<int32, [1, 2]>"},
    {"slice_squeezed_backwards", kMatrix, kMatrixValue, nullptr, nullptr,
     "slice_by_index(x = a, begin = tensor<int32, [2]>([0, 1]), end = tensor<int32, [2]>([0, 3]), "
     "stride = tensor<int32, [2]>([-1, 1]), begin_mask = tensor<bool, [2]>([true, false]), "
     "squeeze_mask = tensor<bool, [2]>([true, false]))",
     "tensor<int32, [2]>"},
    {"select", kMatrix, kMatrixValue, kRow, kRowValue,
     "select(cond = tensor<bool, [2, 1]>([[true], [false]]), a = a, b = b)", kMatrix},
};

// To the last bit, the sign of a zero too; of NaNs there is one.
void ExpectSame(const Tensor& folded, const Tensor& computed) {
  ASSERT_EQ(folded.dtype, computed.dtype);
  ASSERT_EQ(folded.bytes.size(), computed.bytes.size());
  const size_t size = ElementSize(folded.dtype);
  for (int64_t i = 0; i < folded.elements(); ++i) {
    if (IsFloat(folded.dtype) && std::isnan(folded.at(i)) && std::isnan(computed.at(i))) continue;
    const auto at = static_cast<ptrdiff_t>(i) * static_cast<ptrdiff_t>(size);
    EXPECT_TRUE(std::equal(folded.bytes.begin() + at,
                           folded.bytes.begin() + at + static_cast<ptrdiff_t>(size),
                           computed.bytes.begin() + at))
        << "element " << i << ": " << folded.at(i) << " and " << computed.at(i);
  }
}

class FoldAgreementTest : public ::testing::TestWithParam<FoldCase> {};

TEST_P(FoldAgreementTest, FoldsToWhatTheDeviceComputes) {
  const FoldCase& c = GetParam();
  const auto typed = [](const char* type, const char* value) { return std::string(type) + value; };
  const auto device = MakeCpuDevice({.threads = 1});
  std::string constants =
      "  " + std::string(c.x_type) + " a = const()[val = " + typed(c.x_type, c.x_value) + "];\n";
  std::string inputs = std::string(c.x_type) + " a";
  std::string echo = std::string(c.x_type) + " a_ = identity(x = a);";
  if (c.y_type != nullptr) {
    constants +=
        "  " + std::string(c.y_type) + " b = const()[val = " + typed(c.y_type, c.y_value) + "];\n";
    inputs += ", " + std::string(c.y_type) + " b";
    echo += std::string(c.y_type) + " b_ = identity(x = b);";
  }
  const std::string call = std::string(c.result) + " y = " + c.call + ";";
  const auto folded = ReadProgram(
      MainText("", constants + echo + call, c.y_type != nullptr ? "y, a_, b_" : "y, a_"));
  ASSERT_NE(folded, nullptr);
  EXPECT_TRUE(folded->functions[0].operations.empty());
  const Tensors known = Bound(*device, folded).Run();
  Tensors given = {{"a", known.at("a_")}};
  if (c.y_type != nullptr) given["b"] = known.at("b_");
  const auto computed = ReadProgram(MainText(inputs, call, "y"));
  ASSERT_EQ(computed->functions[0].operations.size(), 1u);
  const Tensors run = Bound(*device, computed, {{"numerics", "reference"}}).Run(given);
  ExpectSame(known.at("y"), run.at("y"));
}

INSTANTIATE_TEST_SUITE_P(Fold, FoldAgreementTest, ::testing::ValuesIn(kCases),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace anex::device::cpu
