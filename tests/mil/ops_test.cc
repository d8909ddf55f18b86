// Shape inference, operation by operation. Expected shapes are worked out by hand from the
// operations' definitions; no two dimensions of an operand are equal, so that a swap shows.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "server/mil/op_catalog.h"
#include "tests/mil/reading.h"

namespace anex::mil {
namespace {

using ::testing::HasSubstr;

constexpr char kX[] = "tensor<fp16, [2, 3, 5, 7]> x";

TEST(Elementwise, BroadcastsFromTheRight) {
  EXPECT_EQ(Infer("tensor<fp16, [2, 1, 5]> x, tensor<fp16, [3, 1]> z", "add(x = x, y = z)"),
            "tensor<fp16, [2, 3, 5]>");
  EXPECT_EQ(Infer(kX, "mul(x = x, y = fp16(0.5))"), "tensor<fp16, [2, 3, 5, 7]>");
  EXPECT_EQ(Infer(kX, "sub(x = fp16(1), y = x)"), "tensor<fp16, [2, 3, 5, 7]>");
  EXPECT_EQ(Infer("int32 x", "maximum(x = x, y = int32(-3))"), "int32");
  EXPECT_EQ(Infer(kX, "less(x = x, y = fp16(0))"), "tensor<bool, [2, 3, 5, 7]>");
  EXPECT_EQ(Infer("tensor<bool, [3, 1]> c, tensor<fp16, [5]> a",
                  "select(cond = c, a = a, b = fp16(-inf))"),
            "tensor<fp16, [3, 5]>");
}

TEST(Elementwise, RefusesWhatDoesNotBroadcastOrDiffersInType) {
  EXPECT_THAT(Infer("tensor<fp16, [2, 3]> x, tensor<fp16, [2, 5]> z", "add(x = x, y = z)"),
              HasSubstr("MIL0401 `add`: shapes [2, 3] and [2, 5] do not broadcast: 3 against 5"));
  EXPECT_THAT(Infer("tensor<fp16, [2]> x, tensor<fp32, [2]> z", "add(x = x, y = z)"),
              HasSubstr("MIL0307 argument `y` of `add` is fp32, but `x` is fp16"));
  EXPECT_THAT(Infer("tensor<bool, [2]> x", "relu(x = x)"),
              HasSubstr("must be floats, found tensor<bool, [2]>"));
}

TEST(Elementwise, CastTakesItsTypeFromTheText) {
  EXPECT_EQ(Infer(kX, "cast(x = x, dtype = string(\"int32\"))"), "tensor<int32, [2, 3, 5, 7]>");
  EXPECT_THAT(Infer(kX, "cast(x = x, dtype = string(\"half\"))"), HasSubstr("MIL0309"));
  EXPECT_THAT(Infer(kX, "cast(x = x)"), HasSubstr("MIL0305 `cast` needs the argument `dtype`"));
}

TEST(Matmul, MultipliesTheLastTwoDimensions) {
  const std::string in = "tensor<fp16, [4, 1, 2, 3]> x, tensor<fp16, [5, 3, 7]> z";
  EXPECT_EQ(Infer(in, "matmul(x = x, y = z)"), "tensor<fp16, [4, 5, 2, 7]>");
  EXPECT_EQ(Infer("tensor<fp16, [3, 2]> x, tensor<fp16, [7, 3]> z",
                  "matmul(x = x, y = z, transpose_x = bool(true), transpose_y = bool(true))"),
            "tensor<fp16, [2, 7]>");
  EXPECT_EQ(Infer("tensor<fp16, [3]> x, tensor<fp16, [5, 3, 7]> z", "matmul(x = x, y = z)"),
            "tensor<fp16, [5, 7]>");
  EXPECT_EQ(Infer("tensor<fp16, [5, 2, 3]> x, tensor<fp16, [3]> z", "matmul(x = x, y = z)"),
            "tensor<fp16, [5, 2]>");
  EXPECT_EQ(Infer("tensor<fp16, [3]> x, tensor<fp16, [3]> z", "matmul(x = x, y = z)"), "fp16");
}

TEST(Matmul, SaysWhichSizesDiffer) {
  EXPECT_THAT(Infer("tensor<fp16, [2, 3]> x, tensor<fp16, [7, 3]> z", "matmul(x = x, y = z)"),
              HasSubstr("the inner sizes 3 and 7 differ"));
  EXPECT_THAT(Infer("tensor<fp16, [2, 2, 3]> x, tensor<fp16, [5, 3, 7]> z", "matmul(x = x, y = z)"),
              HasSubstr("do not broadcast: 2 against 5"));
}

TEST(Linear, WeightIsOutputsByInputs) {
  EXPECT_EQ(Infer("tensor<fp16, [2, 3, 5]> x, tensor<fp16, [7, 5]> w", "linear(x = x, weight = w)"),
            "tensor<fp16, [2, 3, 7]>");
  EXPECT_THAT(Infer("tensor<fp16, [2, 5]> x, tensor<fp16, [5, 7]> w", "linear(x = x, weight = w)"),
              HasSubstr("MIL0401"));
}

TEST(Attention, TakesAMaskThatBroadcastsToTheScores) {
  const std::string in =
      "tensor<fp16, [2, 3, 5, 8]> q, tensor<fp16, [2, 3, 7, 8]> k, tensor<fp16, [2, 3, 7, 6]> v, "
      "tensor<bool, [1, 1, 5, 7]> m, tensor<fp16, [7, 5]> bad, tensor<int32, [5, 7]> ints";
  const std::string op = "scaled_dot_product_attention(query = q, key = k, value = v";
  EXPECT_EQ(Infer(in, op + ")"), "tensor<fp16, [2, 3, 5, 6]>");
  EXPECT_EQ(Infer(in, op + ", attn_mask = m)"), "tensor<fp16, [2, 3, 5, 6]>");
  EXPECT_THAT(Infer(in, op + ", attn_mask = bad)"), HasSubstr("MIL0401"));
  EXPECT_THAT(Infer(in, op + ", attn_mask = ints)"), HasSubstr("MIL0307"));
  EXPECT_THAT(Infer("tensor<fp16, [2, 3, 5, 8]> q, tensor<fp16, [2, 1, 7, 8]> k",
                    "scaled_dot_product_attention(query = q, key = k, value = k)"),
              HasSubstr("must agree in all but the last two"));
}

struct ConvCase {
  const char* what;
  const char* arguments;
  const char* type;
};

TEST(Conv, CountsWindowsInEveryPadMode) {
  const std::string in =
      "tensor<fp16, [2, 6, 11, 17]> x, tensor<fp16, [4, 6, 3, 5]> w, tensor<fp16, [4, 3, 1, 1]> g";
  const ConvCase cases[] = {
      {"valid by default", "weight = w", "tensor<fp16, [2, 4, 9, 13]>"},
      {"strides", "weight = w, strides = tensor<int32, [2]>([2, 3])", "tensor<fp16, [2, 4, 5, 5]>"},
      {"dilations", "weight = w, dilations = tensor<int32, [2]>([2, 1])",
       "tensor<fp16, [2, 4, 7, 13]>"},
      {"same", "weight = w, pad_type = string(\"same\"), strides = tensor<int32, [2]>([2, 3])",
       "tensor<fp16, [2, 4, 6, 6]>"},
      {"same_lower", "weight = w, pad_type = string(\"same_lower\")",
       "tensor<fp16, [2, 4, 11, 17]>"},
      {"custom",
       "weight = w, pad_type = string(\"custom\"), pad = tensor<int32, [4]>([1, 0, 2, 3])",
       "tensor<fp16, [2, 4, 10, 18]>"},
      {"pad without custom counts for nothing",
       "weight = w, pad = tensor<int32, [4]>([1, 0, 2, 3])", "tensor<fp16, [2, 4, 9, 13]>"},
      {"groups", "weight = g, groups = int32(2)", "tensor<fp16, [2, 4, 11, 17]>"},
  };
  for (const ConvCase& c : cases) {
    EXPECT_EQ(Infer(in, std::string("conv(x = x, ") + c.arguments + ")"), c.type) << c.what;
  }
  EXPECT_EQ(
      Infer("tensor<fp16, [2, 6, 11]> x, tensor<fp16, [4, 6, 3]> w", "conv(x = x, weight = w)"),
      "tensor<fp16, [2, 4, 9]>");
}

TEST(Conv, RefusesWhatDoesNotFit) {
  const std::string in = "tensor<fp16, [2, 6, 11, 3]> x, tensor<fp16, [4, 6, 3, 5]> w";
  EXPECT_THAT(Infer(in, "conv(x = x, weight = w)"), HasSubstr("a window of 5"));
  EXPECT_THAT(Infer(in, "conv(x = x, weight = w, groups = int32(4))"), HasSubstr("4 groups"));
  EXPECT_THAT(Infer(in, "conv(x = x, weight = w, groups = int32(0))"), HasSubstr("at least 1"));
  EXPECT_THAT(Infer(in, "conv(x = x, weight = w, strides = tensor<int32, [1]>([1]))"),
              HasSubstr("needs 2 numbers, found 1"));
  EXPECT_THAT(Infer(in, "conv(x = x, weight = w, pad_type = string(\"sane\"))"),
              HasSubstr("cannot be `sane`"));
  EXPECT_THAT(Infer(in,
                    "conv(x = x, weight = w, dilations = tensor<int64, [2]>"
                    "([1, 9223372036854775807]))"),
              HasSubstr("too large"));
  EXPECT_THAT(Infer("tensor<fp16, [1, 2, 3]> x, tensor<fp16, [4, 2, 1]> w, tensor<fp16, [3]> b",
                    "conv(x = x, weight = w, bias = b)"),
              HasSubstr("bias must have shape [4], found [3]"));
}

TEST(Pool, RoundsUpOnlyWhereAsked) {
  const std::string op =
      "max_pool(x = x, kernel_sizes = tensor<int32, [2]>([2, 3]), strides = tensor<int32, [2]>([2, "
      "2])";
  EXPECT_EQ(Infer("tensor<fp16, [1, 2, 7, 11]> x", op + ")"), "tensor<fp16, [1, 2, 3, 5]>");
  EXPECT_EQ(Infer("tensor<fp16, [1, 2, 7, 11]> x", op + ", ceil_mode = bool(true))"),
            "tensor<fp16, [1, 2, 4, 5]>");
}

TEST(Reduce, KeepsOrDropsItsAxes) {
  const std::string axes = "axes = tensor<int32, [2]>([-1, 1])";
  EXPECT_EQ(Infer(kX, "reduce_sum(x = x, " + axes + ")"), "tensor<fp16, [2, 5]>");
  EXPECT_EQ(Infer(kX, "reduce_mean(x = x, keep_dims = bool(true), " + axes + ")"),
            "tensor<fp16, [2, 1, 5, 1]>");
  EXPECT_EQ(Infer(kX, "reduce_max(x = x)"), "fp16");
  EXPECT_EQ(Infer(kX, "reduce_argmax(x = x, axis = int32(1))"), "tensor<int32, [2, 5, 7]>");
  const std::string narrow = "(x = x, axis = int32(0), output_dtype = string(\"uint16\"))";
  for (const char* op : {"reduce_argmax", "reduce_argmin"}) {
    EXPECT_EQ(Infer("tensor<fp16, [65536, 2]> x", op + narrow), "tensor<uint16, [2]>");
    EXPECT_THAT(Infer("tensor<fp16, [65537, 2]> x", op + narrow),
                HasSubstr("uint16 does not hold the indices of 65537 elements"));
  }
  EXPECT_THAT(Infer(kX, "reduce_sum(x = x, axes = tensor<int32, [1]>([4]))"),
              HasSubstr("axis 4 is outside a tensor of rank 4"));
  EXPECT_THAT(Infer(kX, "reduce_sum(x = x, axes = tensor<int32, [2]>([1, -3]))"),
              HasSubstr("named twice"));
}

TEST(Softmax, AxisMustExist) {
  EXPECT_EQ(Infer(kX, "softmax(x = x)"), "tensor<fp16, [2, 3, 5, 7]>");
  EXPECT_THAT(Infer(kX, "softmax(x = x, axis = int32(-5))"), HasSubstr("axis -5"));
}

TEST(Reshape, CopiesZerosAndInfersOneDimension) {
  EXPECT_EQ(Infer(kX, "reshape(x = x, shape = tensor<int32, [4]>([0, 5, -1, 0]))"),
            "tensor<fp16, [2, 5, 3, 7]>");
  EXPECT_EQ(Infer("tensor<fp16, [1, 1]> x", "reshape(x = x, shape = tensor<int32, [1]>([1]))"),
            "tensor<fp16, [1]>");
  EXPECT_THAT(Infer(kX, "reshape(x = x, shape = tensor<int32, [2]>([-1, -1]))"),
              HasSubstr("only one dimension can be -1"));
  EXPECT_THAT(Infer(kX, "reshape(x = x, shape = tensor<int32, [2]>([-1, 11]))"),
              HasSubstr("has 210 elements, which do not fill [-1, 11]"));
  EXPECT_THAT(Infer(kX, "reshape(x = x, shape = tensor<int64, [3]>([4611686018427387904, 4, 2]))"),
              HasSubstr("do not fill"));
  EXPECT_THAT(Infer(kX, "reshape(x = x, shape = tensor<int32, [1]>([-2]))"), HasSubstr("be -2"));
  EXPECT_THAT(Infer("tensor<fp16, [6]> x, tensor<int32, [2]> s", "reshape(x = x, shape = s)"),
              HasSubstr("MIL0308 argument `shape` of `reshape` must be a constant"));
}

TEST(Transpose, PermutesAllAxes) {
  EXPECT_EQ(Infer(kX, "transpose(x = x, perm = tensor<int32, [4]>([0, 3, -3, 2]))"),
            "tensor<fp16, [2, 7, 3, 5]>");
  EXPECT_THAT(Infer(kX, "transpose(x = x, perm = tensor<int32, [3]>([0, 2, 1]))"),
              HasSubstr("perm needs 4 axes, found 3"));
  EXPECT_THAT(Infer(kX, "transpose(x = x, perm = tensor<int32, [4]>([0, 2, 2, 1]))"),
              HasSubstr("named twice"));
}

TEST(SliceByIndex, TakesWhatNumpyTakes) {
  const auto slice = [](const std::string& arguments) {
    return Infer("tensor<fp16, [10, 13]> x", "slice_by_index(x = x, " + arguments + ")");
  };
  const auto ints = [](const std::string& name, const std::string& values) {
    return name + " = tensor<int32, [2]>([" + values + "])";
  };
  EXPECT_EQ(slice(ints("begin", "2, 1") + ", " + ints("end", "7, 13")), "tensor<fp16, [5, 12]>");
  EXPECT_EQ(slice(ints("begin", "-3, 0") + ", " + ints("end", "99, -1")), "tensor<fp16, [3, 12]>");
  EXPECT_EQ(
      slice(ints("begin", "0, 1") + ", " + ints("end", "10, 13") + ", " + ints("stride", "3, 5")),
      "tensor<fp16, [4, 3]>");
  EXPECT_EQ(
      slice(ints("begin", "8, 0") + ", " + ints("end", "2, 1") + ", " + ints("stride", "-2, 1")),
      "tensor<fp16, [3, 1]>");
  EXPECT_EQ(slice(ints("begin", "5, 5") + ", " + ints("end", "6, 6") +
                  ", begin_mask = tensor<bool, [2]>([true, false])"
                  ", end_mask = tensor<bool, [2]>([false, true])"),
            "tensor<fp16, [6, 8]>");
  EXPECT_EQ(slice(ints("begin", "-1, 2") + ", " + ints("end", "0, 9") +
                  ", squeeze_mask = tensor<bool, [2]>([true, false])"),
            "tensor<fp16, [7]>");
  EXPECT_THAT(slice(ints("begin", "5, 0") + ", " + ints("end", "5, 1")),
              HasSubstr("takes nothing"));
  EXPECT_THAT(slice(ints("begin", "10, 0") + ", " + ints("end", "0, 9") +
                    ", squeeze_mask = tensor<bool, [2]>([true, false])"),
              HasSubstr("index 10 of axis 0"));
  EXPECT_THAT(
      slice(ints("begin", "0, 0") + ", " + ints("end", "1, 1") + ", " + ints("stride", "0, 1")),
      HasSubstr("a stride of 0"));
  EXPECT_THAT(slice("begin = tensor<int32, [1]>([0]), " + ints("end", "1, 1")),
              HasSubstr("needs 2 entries, found 1"));
}

TEST(SliceBySize, MinusOneGoesToTheEnd) {
  EXPECT_EQ(Infer(kX,
                  "slice_by_size(x = x, begin = tensor<int32, [4]>([0, 1, 0, 3]), size = "
                  "tensor<int32, [4]>([1, -1, 5, 2]))"),
            "tensor<fp16, [1, 2, 5, 2]>");
  EXPECT_THAT(Infer("tensor<fp16, [4]> x",
                    "slice_by_size(x = x, begin = tensor<int32, [1]>([3]), "
                    "size = tensor<int32, [1]>([2]))"),
              HasSubstr("cannot take 2 elements of axis 0 from 3 on: it has 4"));
  EXPECT_THAT(Infer("tensor<fp16, [4]> x",
                    "slice_by_size(x = x, begin = tensor<int32, [1]>([4]), "
                    "size = tensor<int32, [1]>([-1]))"),
              HasSubstr("begin 4"));
}

TEST(Concat, AddsUpItsAxis) {
  const std::string in = "tensor<fp16, [2, 3]> a, tensor<fp16, [2, 5]> b, tensor<fp16, [4, 3]> c";
  EXPECT_EQ(Infer(in, "concat(values = (a, b), axis = int32(-1), interleave = bool(false))"),
            "tensor<fp16, [2, 8]>");
  EXPECT_EQ(Infer(in, "concat(values = (a, c, a), axis = int32(0))"), "tensor<fp16, [8, 3]>");
  EXPECT_EQ(Infer(in, "concat(values = a, axis = int32(0))"), "tensor<fp16, [2, 3]>");
  EXPECT_THAT(Infer(in, "concat(values = (a, b), axis = int32(0))"),
              HasSubstr("cannot concatenate tensor<fp16, [2, 3]> and tensor<fp16, [2, 5]>"));
  EXPECT_THAT(Infer(in, "concat(values = (), axis = int32(0))"), HasSubstr("found 0"));
}

TEST(Layout, TheOtherMoves) {
  EXPECT_EQ(Infer(kX, "expand_dims(x = x, axes = tensor<int32, [2]>([0, -1]))"),
            "tensor<fp16, [1, 2, 3, 5, 7, 1]>");
  EXPECT_EQ(Infer("tensor<fp16, [1, 3, 1]> x", "squeeze(x = x)"), "tensor<fp16, [3]>");
  EXPECT_EQ(Infer(kX, "squeeze(x = x)"), Infer(kX, "identity(x = x)"));  // nothing to squeeze
  EXPECT_EQ(Infer("fp16 x", "squeeze(x = x)"), "fp16");
  EXPECT_EQ(Infer("tensor<fp16, [1, 3, 1]> x", "squeeze(x = x, axes = tensor<int32, [1]>([-1]))"),
            "tensor<fp16, [1, 3]>");
  EXPECT_THAT(Infer(kX, "squeeze(x = x, axes = tensor<int32, [1]>([1]))"), HasSubstr("size 3"));
  EXPECT_EQ(Infer("tensor<fp16, [2, 3]> a", "stack(values = (a, a, a, a), axis = int32(1))"),
            "tensor<fp16, [2, 4, 3]>");
  EXPECT_EQ(Infer(kX, "pad(x = x, pad = tensor<int32, [4]>([1, 2, 0, 4]))"),
            "tensor<fp16, [2, 3, 8, 11]>");
  EXPECT_EQ(Infer(kX, "tile(x = x, reps = tensor<int32, [4]>([1, 3, 1, 2]))"),
            "tensor<fp16, [2, 9, 5, 14]>");
  EXPECT_THAT(Infer(kX, "expand_dims(x = x, axes = tensor<int32, [6]>([0, 1, 2, 3, 4, 5]))"),
              HasSubstr("MIL0203"));
}

TEST(Split, HasOneResultPerPart) {
  const auto split = [](const std::string& arguments) {
    return Good(Around("tensor<fp16, [2, 9]> x",
                       "tensor<fp16, [2, 4]> a, tensor<fp16, [2, 5]> b = split(x = x, axis = "
                       "int32(1), " +
                           arguments + ");",
                       "b, a"));
  };
  ASSERT_NE(split("split_sizes = tensor<int32, [2]>([4, 5])"), nullptr);
  EXPECT_EQ(OnlyError(Around("tensor<fp16, [2, 9]> x",
                             "tensor<fp16, [2, 3]> a, tensor<fp16, [2, 3]> b = split(x = x, axis "
                             "= int32(1), num_splits = int32(3));",
                             "a"))
                .code,
            "MIL0310");
  EXPECT_THAT(
      Infer("tensor<fp16, [2, 9]> x", "split(x = x, axis = int32(1), num_splits = int32(2))"),
      HasSubstr("9 elements do not split into 2"));
}

TEST(Gather, PutsTheIndicesWhereTheAxisWas) {
  const std::string in = "tensor<fp16, [2, 3, 5]> x, tensor<int32, [4, 6]> i";
  EXPECT_EQ(Infer(in, "gather(x = x, indices = i, axis = int32(1))"), "tensor<fp16, [2, 4, 6, 5]>");
  EXPECT_EQ(Infer("tensor<fp16, [2, 3, 5]> x, tensor<int32, [2, 6]> i",
                  "gather(x = x, indices = i, axis = int32(1), batch_dims = int32(1))"),
            "tensor<fp16, [2, 6, 5]>");
}

TEST(Quantize, ScaleIsAScalarOrOnePerChannel) {
  const std::string in = "tensor<fp16, [2, 3]> x, tensor<int8, [2, 3]> q";
  EXPECT_EQ(Infer(in, "quantize(input = x, scale = fp16(0.5), output_dtype = string(\"int8\"))"),
            "tensor<int8, [2, 3]>");
  EXPECT_EQ(Infer(in,
                  "dequantize(input = q, scale = tensor<fp16, [3]>([1, 2, 3]), axis = "
                  "int32(-1))"),
            "tensor<fp16, [2, 3]>");
  EXPECT_THAT(Infer(in, "dequantize(input = q, scale = tensor<fp16, [3]>([1, 2, 3]))"),
              HasSubstr("needs `axis`"));
  EXPECT_THAT(Infer(in,
                    "dequantize(input = q, scale = tensor<fp16, [2]>([1, 2]), axis = "
                    "int32(1))"),
              HasSubstr("shape [3], found [2]"));
  EXPECT_THAT(Infer(in, "dequantize(input = q, scale = fp16(1), zero_point = uint8(3))"),
              HasSubstr("zero_point must be int8"));
}

TEST(Constexpr, TakesParametersFromBracketsOrParentheses) {
  const std::string data = "quantized_data = tensor<int8, [2, 3]>([[1, 2, 3], [4, 5, 6]])";
  EXPECT_EQ(Infer("", "constexpr_affine_dequantize()[" + data +
                          ", scale = tensor<fp16, [2]>([1, 2]), zero_point = int8(1), axis = "
                          "int32(0), name = string(\"w\")]"),
            "tensor<fp16, [2, 3]>");
  EXPECT_EQ(Infer("", "constexpr_affine_dequantize(" + data + ", scale = fp32(2))"),
            "tensor<fp32, [2, 3]>");
  EXPECT_EQ(Infer("",
                  "constexpr_lut_to_dense()[indices = tensor<uint8, [3]>([1, 2, 3]), lut = "
                  "tensor<fp16, [4]>([1, 2, 3, 4]), shape = tensor<uint32, [2]>([3, 4])]"),
            "tensor<fp16, [3, 4]>");
  EXPECT_THAT(Infer("",
                    "constexpr_lut_to_dense()[indices = tensor<uint8, [3]>([1, 2, 3]), lut = "
                    "tensor<fp16, [4]>([1, 2, 3, 4]), shape = tensor<uint32, [2]>([3, 5])]"),
              HasSubstr("15 indices of 2 bits take 4 bytes"));
}

TEST(State, IsReadAndWritten) {
  const auto program = Good(Around("state<tensor<fp16, [2, 3]>> k, tensor<fp16, [2, 3]> x",
                                   "tensor<fp16, [2, 3]> v = read_state(input = k);\n"
                                   "tensor<fp16, [2, 3]> n = add(x = v, y = x);\n"
                                   "write_state(data = n, input = k)[name = string(\"w\")];",
                                   "n"));
  ASSERT_NE(program, nullptr);
  EXPECT_EQ(program->functions[0].value(0).type.kind, TypeKind::kState);
  EXPECT_TRUE(program->functions[0].operations[2].results.empty());
  EXPECT_THAT(Infer("state<tensor<fp16, [2]>> k", "relu(x = k)"), HasSubstr("MIL0106"));
}

TEST(Defaults, AreFilledInAsConstants) {
  const auto program = Good(Around(
      "tensor<fp16, [1, 2, 5, 6]> x, tensor<fp16, [4, 2, 1, 3]> w",
      "tensor<fp16, [1, 4, 5, 4]> c = conv(weight = w, x = x);\n"
      "tensor<fp16, [1, 4, 5, 4]> s = softmax(x = c);\n"
      "tensor<fp16, [1, 4, 5, 4]> r = rsqrt(x = s);\n"
      "tensor<fp16, [1, 4, 2, 4]> y = slice_by_index(x = r, begin = tensor<int32, [4]>([0, 0, 0, "
      "0]), end = tensor<int32, [4]>([1, 4, 2, 4]));\n"
      "tensor<fp16, []> z = reduce_sum(x = y);",
      "z"));
  ASSERT_NE(program, nullptr);
  const Function& f = program->functions[0];
  const Operation& conv = f.operations[0];
  EXPECT_EQ(f.Ints(conv, "strides"), (std::vector<int64_t>{1, 1}));
  EXPECT_EQ(f.Ints(conv, "pad"), (std::vector<int64_t>{0, 0, 0, 0}));
  EXPECT_EQ(f.Text(conv, "pad_type"), "valid");
  EXPECT_EQ(f.Int(conv, "groups"), 1);
  EXPECT_EQ(conv.Find("bias"), nullptr);
  EXPECT_EQ(conv.arguments[0].name, "x");  // the table's order, not the text's
  EXPECT_EQ(f.Int(f.operations[1], "axis"), -1);
  EXPECT_EQ(f.Double(f.operations[2], "epsilon"), 0.0);  // 1e-12 rounded to fp16, once
  EXPECT_EQ(f.Ints(f.operations[3], "squeeze_mask"), (std::vector<int64_t>{0, 0, 0, 0}));
  EXPECT_EQ(f.Ints(f.operations[4], "axes"), (std::vector<int64_t>{0, 1, 2, 3}));
  EXPECT_FALSE(f.Bool(f.operations[4], "keep_dims"));
}

TEST(Catalog, EveryRowIsWellFormed) {
  for (std::string_view name : SupportedOps()) {
    const OpSignature* signature = FindOp(name);
    ASSERT_NE(signature, nullptr);
    EXPECT_EQ(WhyUnsupported(name), "") << name;
    for (const Parameter& parameter : signature->parameters) {
      EXPECT_EQ(signature->Find(parameter.name), &parameter) << name << " " << parameter.name;
      EXPECT_NE(parameter.types, 0u) << name << " " << parameter.name;
      if (!parameter.same_as.empty()) {
        EXPECT_NE(signature->Find(parameter.same_as), nullptr) << name << " " << parameter.name;
      }
    }
  }
}

}  // namespace
}  // namespace anex::mil
