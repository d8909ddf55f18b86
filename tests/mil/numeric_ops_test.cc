// Shape and type inference of the numeric families: windows, normalisations, images, compressed
// weights, einsum. Expected types are worked out by hand from the operations' definitions.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "tests/mil/reading.h"

namespace anex::mil {
namespace {

using ::testing::HasSubstr;

constexpr char kX[] = "tensor<fp16, [2, 6, 11, 17]> x";

std::string Ints(const std::string& name, const std::string& values, int count) {
  return name + " = tensor<int32, [" + std::to_string(count) + "]>([" + values + "])";
}

struct Case {
  const char* arguments;
  const char* says;
};

TEST(Pool, CountsWindows) {
  const std::string kernel = Ints("kernel_sizes", "3, 4", 2);
  const std::string strides = ", " + Ints("strides", "2, 3", 2);
  const auto pool = [&](const std::string& more) {
    return Infer(kX, "max_pool(x = x, " + kernel + more + ")");
  };
  EXPECT_EQ(pool(""), "tensor<fp16, [2, 6, 9, 14]>");
  EXPECT_EQ(pool(strides), "tensor<fp16, [2, 6, 5, 5]>");
  EXPECT_EQ(pool(strides + ", ceil_mode = bool(true)"), "tensor<fp16, [2, 6, 5, 6]>");
  const std::string custom = ", pad_type = string(\"custom\"), ";
  EXPECT_EQ(pool(strides + custom + Ints("pad", "1, 1, 2, 2", 4)), "tensor<fp16, [2, 6, 6, 6]>");
  EXPECT_EQ(pool(strides + custom + Ints("pad", "1, 1, 2, 2", 4) + ", ceil_mode = bool(true)"),
            "tensor<fp16, [2, 6, 6, 7]>");
  EXPECT_EQ(pool(strides + ", pad_type = string(\"same\")"), "tensor<fp16, [2, 6, 6, 6]>");
  EXPECT_THAT(pool(", pad_type = string(\"same\"), ceil_mode = bool(true)"),
              HasSubstr("ceil_mode"));
  EXPECT_THAT(pool(custom + Ints("pad", "1, 0, 2, 2", 4) + ", ceil_mode = bool(true)"),
              HasSubstr("the same in front and behind"));
  EXPECT_THAT(Infer("tensor<fp16, [1, 2, 3, 4, 5]> x",
                    "l2_pool(x = x, " + Ints("kernel_sizes", "1, 2, 2", 3) + ")"),
              HasSubstr("one or two spatial dimensions"));
}

TEST(ConvTranspose, CountsWhatAConvolutionCameFrom) {
  const std::string in = "tensor<fp16, [2, 6, 5, 7]> x, tensor<fp16, [6, 4, 3, 2]> w";
  const auto transposed = [&](const std::string& more) {
    return Infer(in, "conv_transpose(x = x, weight = w" + more + ")");
  };
  EXPECT_EQ(transposed(""), "tensor<fp16, [2, 4, 7, 8]>");
  EXPECT_EQ(transposed(", groups = int32(2), " + Ints("strides", "2, 3", 2)),
            "tensor<fp16, [2, 8, 11, 20]>");
  EXPECT_EQ(transposed(", pad_type = string(\"same\"), " + Ints("strides", "2, 3", 2)),
            "tensor<fp16, [2, 4, 10, 21]>");
  EXPECT_EQ(transposed(", pad_type = string(\"custom\"), " + Ints("pad", "1, 2, 0, 1", 4)),
            "tensor<fp16, [2, 4, 4, 7]>");
  EXPECT_EQ(transposed(", " + Ints("output_shape", "2, 4, 9, 8", 4)), "tensor<fp16, [2, 4, 9, 8]>");
  EXPECT_THAT(transposed(", " + Ints("output_shape", "2, 5, 9, 8", 4)),
              HasSubstr("must begin with 2, 4"));
  EXPECT_THAT(transposed(", pad_type = string(\"same_lower\")"), HasSubstr("same and custom"));
}

TEST(Conv, GroupsThatDoNotDivideTheOutputsAreDoubted) {
  const FrontEndResult result = ReadText(
      Around("tensor<fp16, [1, 6, 2, 2]> x, tensor<fp16, [7, 2, 1, 1]> w",
             "tensor<fp16, [1, 7, 2, 2]> y = conv(x = x, weight = w, groups = int32(3));", "y"));
  ASSERT_NE(result.program, nullptr);
  ASSERT_EQ(result.diagnostics.size(), 1u);
  EXPECT_EQ(result.diagnostics[0].code, "MIL0906");
  EXPECT_EQ(result.diagnostics[0].severity, Severity::kWarning);
  EXPECT_THAT(result.diagnostics[0].message, HasSubstr("7 outputs do not divide into 3 groups"));
}

// Text around one operation over fp16 x and fp32 numbers, in an opset of choice.
std::string InOpset(const std::string& opset, const std::string& operation) {
  return "program(1.3)\n{\n  func main<" + opset + ">(tensor<fp16, [2, 3, 4]> x) {\n" +
         "    tensor<fp16, [2, 3, 4]> y = " + operation + ";\n  } -> (y);\n}\n";
}

TEST(Opsets, NumbersMayHaveAFloatTypeOfTheirOwnFromIos17On) {
  const std::string three = "tensor<fp32, [3]>([1, 2, 3])";
  for (const std::string& operation : std::vector<std::string>{
           std::string("leaky_relu(x = x, alpha = fp32(0.5))"),
           std::string("log(x = x, epsilon = fp32(0.5))"), "prelu(x = x, alpha = " + three + ")",
           "instance_norm(x = x, beta = " + three + ")",
           std::string("instance_norm(x = x, epsilon = fp32(0.5))"),
           std::string(
               "linear(x = x, weight = tensor<fp32, [4, 4]>([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, "
               "11, 12, 13, 14, 15, 16]))")}) {
    Good(InOpset("ios17", operation));
    Good(InOpset("ios18", operation));
    EXPECT_EQ(OnlyError(InOpset("ios16", operation)).code, "MIL0307") << operation;
    EXPECT_EQ(OnlyError(InOpset("CoreML5", operation)).code, "MIL0307") << operation;
  }
  EXPECT_EQ(OnlyError(InOpset("ios18", "clip(x = x, alpha = fp32(0), beta = fp16(1))")).code,
            "MIL0307");
}

TEST(Opsets, ClipWantsItsBoundsInOrderFromIos17On) {
  const std::string clip = "clip(x = x, alpha = fp16(2), beta = fp16(1))";
  Good(InOpset("ios16", clip));
  EXPECT_THAT(OnlyError(InOpset("ios17", clip)).message, HasSubstr("must be below beta"));
}

TEST(Matmul, AConstantOfAnotherFloatTypeTakesTheOtherOperandsType) {
  const std::string in = "tensor<fp16, [2, 3]> x, tensor<fp32, [3, 2]> z";
  EXPECT_EQ(Infer(in, "matmul(x = x, y = tensor<fp32, [3, 1]>([1, 2, 3]))"),
            "tensor<fp16, [2, 1]>");
  EXPECT_EQ(Infer(in, "matmul(x = tensor<fp32, [1, 2]>([1, 2]), y = x)"), "tensor<fp16, [1, 3]>");
  EXPECT_THAT(Infer(in, "matmul(x = x, y = z)"), HasSubstr("different element types"));
}

TEST(Norms, WantParametersPerChannelAndEnoughAxes) {
  EXPECT_EQ(Infer(kX, "local_response_norm(x = x, size = int32(5))"),
            "tensor<fp16, [2, 6, 11, 17]>");
  EXPECT_THAT(Infer(kX, "local_response_norm(x = x, size = int32(0))"), HasSubstr("at least 1"));
  EXPECT_THAT(Infer("tensor<fp16, [3, 4]> x", "l2_norm(x = x)"), HasSubstr("rank 3 or more"));
  const std::string gamma = ", gamma = tensor<fp16, [2, 3]>([1, 2, 3, 4, 5, 6])";
  const std::string in = "tensor<fp16, [2, 4, 3]> x";
  EXPECT_EQ(Infer(in, "layer_norm(x = x, " + Ints("axes", "2, 0", 2) + gamma + ")"),
            "tensor<fp16, [2, 4, 3]>");
  EXPECT_THAT(Infer(in, "layer_norm(x = x, " + Ints("axes", "0, 1", 2) + gamma + ")"),
              HasSubstr("must have shape [2, 4]"));
}

TEST(Image, TradesBatchDepthAndSpace) {
  const std::string in = "tensor<fp16, [12, 8, 4, 6]> x";
  EXPECT_EQ(Infer(in, "depth_to_space(x = x, block_size = int32(2))"),
            "tensor<fp16, [12, 2, 8, 12]>");
  EXPECT_EQ(Infer(in, "pixel_unshuffle(x = x, downscale_factor = uint32(2))"),
            "tensor<fp16, [12, 32, 2, 3]>");
  const std::string block = Ints("block_shape", "2, 3", 2);
  const auto margins = [](const std::string& name, const std::string& values) {
    return ", " + name + " = tensor<int32, [2, 2]>([" + values + "])";
  };
  EXPECT_EQ(
      Infer(in, "space_to_batch(x = x, " + block + margins("paddings", "[1, 1], [0, 3]") + ")"),
      "tensor<fp16, [72, 8, 3, 3]>");
  EXPECT_EQ(Infer(in, "batch_to_space(x = x, " + block + margins("crops", "[1, 0], [2, 4]") + ")"),
            "tensor<fp16, [2, 8, 7, 12]>");
  EXPECT_THAT(
      Infer(in, "space_to_batch(x = x, " + block + margins("paddings", "[1, 0], [0, 0]") + ")"),
      HasSubstr("5 elements of axis 2"));
  EXPECT_THAT(
      Infer(in, "batch_to_space(x = x, " + block + margins("crops", "[4, 4], [0, 0]") + ")"),
      HasSubstr("nothing is left of axis 2"));
  EXPECT_EQ(Infer("tensor<fp16, [3, 7, 9]> x", "crop(x = x, " + Ints("crop_height", "1, 2", 2) +
                                                   ", " + Ints("crop_width", "0, 4", 2) + ")"),
            "tensor<fp16, [3, 4, 5]>");
}

TEST(Image, ChangesSizes) {
  EXPECT_EQ(Infer("tensor<fp16, [3, 5, 7]> x",
                  "upsample_bilinear(x = x, scale_factor_height = fp32(1.4), scale_factor_width = "
                  "fp32(2))"),
            "tensor<fp16, [3, 6, 14]>");  // fp32(1.4) is a little less than 1.4
  EXPECT_EQ(Infer(kX,
                  "resize_bilinear(x = x, target_size_height = int32(3), target_size_width = "
                  "int32(40))"),
            "tensor<fp16, [2, 6, 3, 40]>");
  EXPECT_EQ(
      Infer(kX, "resize(x = x, " + Ints("shape", "9, 0, 4", 3) + ", resized_dims = uint32(2))"),
      "tensor<fp16, [2, 6, 11, 4]>");
  EXPECT_THAT(
      Infer(kX, "resize(x = x, " + Ints("shape", "9, 4", 2) + ", resized_dims = uint32(3))"),
      HasSubstr("3 axes of a shape with 2 entries"));
  EXPECT_THAT(Infer(kX, "resize_bilinear(x = x, sampling_mode = string(\"ALIGN\"))"),
              HasSubstr("MIL0309"));
  EXPECT_THAT(Infer(kX, "upsample_bilinear(x = x, half_pixel_centers = bool(true))"),
              HasSubstr("cannot both be true"));
}

TEST(Image, CutsBoxesInBothForms) {
  const std::string in = std::string(kX) +
                         ", tensor<fp16, [5, 1, 4, 1, 1]> r, tensor<fp16, [5, 1, 5, 1, 1]> s, "
                         "tensor<fp32, [3, 4]> b, tensor<int32, [3]> i, tensor<uint16, [2, 4]> c";
  const std::string size = ", target_height = int32(8), target_width = int32(9)";
  EXPECT_EQ(Infer(in, "crop_resize(x = x, roi = r" + size + ")"), "tensor<fp16, [5, 2, 6, 8, 9]>");
  EXPECT_EQ(Infer(in, "crop_resize(x = x, roi = s" + size + ")"), "tensor<fp16, [5, 1, 6, 8, 9]>");
  EXPECT_EQ(Infer(in, "crop_resize(x = x, boxes = b, box_indices = i" + size + ")"),
            "tensor<fp16, [3, 6, 8, 9]>");
  EXPECT_THAT(Infer(in, "crop_resize(x = x, boxes = b" + size + ")"),
              HasSubstr("3 boxes and 2 images"));
  EXPECT_THAT(Infer(in, "crop_resize(x = x" + size + ")"), HasSubstr("either roi"));
  EXPECT_THAT(Infer(in, "crop_resize(x = x, boxes = c, normalized_coordinates = bool(true))"),
              HasSubstr("must be floats"));
}

TEST(Constexpr, PalettesOfVectorsStretchAnAxis) {
  const std::string indices = "indices = tensor<uint1, [2, 3]>([[0, 1, 1], [1, 0, 0]])";
  const std::string lut =
      ", lut = tensor<fp16, [1, 3, 2, 2]>([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])";
  EXPECT_EQ(Infer("", "constexpr_lut_to_dense(" + indices + lut + ", vector_axis = int32(-2))"),
            "tensor<fp16, [4, 3]>");
  EXPECT_THAT(Infer("", "constexpr_lut_to_dense(" + indices + lut + ")"), HasSubstr("vector_axis"));
  EXPECT_THAT(Infer("", "constexpr_lut_to_dense(" + indices +
                            ", lut = tensor<fp16, [1, 2, 2, 1]>([1, 2, 3, 4]))"),
              HasSubstr("2 blocks do not divide 3 elements"));
  EXPECT_THAT(Infer("", "constexpr_lut_to_dense(" + indices +
                            ", lut = tensor<fp16, [1, 1, 4, 1]>([1, 2, 3, 4]))"),
              HasSubstr("a palette has 2 entries for indices of 1 bit, found 4"));
}

TEST(Constexpr, OneFeedsTheNextButNothingThatIsComputedDoes) {
  const std::string sparse =
      "tensor<uint1, [4]> m, tensor<fp16, [2]> d = "
      "constexpr_sparse_blockwise_shift_scale(data_mask "
      "= tensor<uint1, [4]>([1, 0, 0, 1]), nonzero_data = tensor<int4, [2]>([-8, 7]), scale = "
      "tensor<fp16, [2]>([1, 2]));\n";
  Good(Around(
      "", sparse + "tensor<fp16, [4]> w = constexpr_sparse_to_dense(mask = m, nonzero_data = d);",
      "w"));
  const Diagnostic error = OnlyError(
      Around("tensor<fp16, [2]> x",
             "tensor<fp16, [4]> w = constexpr_sparse_to_dense(mask = tensor<uint1, [4]>([1, 0, 0, "
             "1]), nonzero_data = x);",
             "w"));
  EXPECT_EQ(error.code, "MIL0308");
  EXPECT_THAT(
      OnlyError(Around("", "tensor<int4, [1]> q = const()[val = tensor<int4, [1]>([8])];", "q"))
          .message,
      HasSubstr("range of int4"));
}

TEST(Constexpr, OffsetsAreOfTheDatasTypeOrFloats) {
  const std::string data =
      "constexpr_blockwise_shift_scale(data = tensor<int8, [4]>([1, 2, 3, 4]), scale = "
      "tensor<fp16, "
      "[2]>([1, 2]), offset = ";
  EXPECT_EQ(Infer("", data + "tensor<int8, [2]>([1, 2]))"), "tensor<fp16, [4]>");
  EXPECT_EQ(Infer("", data + "tensor<fp32, [2]>([1, 2]))"), "tensor<fp16, [4]>");
  EXPECT_THAT(Infer("", data + "tensor<uint8, [2]>([1, 2]))"), HasSubstr("must be int8"));
  EXPECT_THAT(Infer("", data + "tensor<int8, [1]>([1]))"), HasSubstr("the shape of scale"));
}

TEST(Einsum, NamesTheAxisThatDoesNotFit) {
  const std::string in =
      "tensor<fp16, [2, 3, 4, 5]> a, tensor<fp16, [1, 5, 4, 6]> b, tensor<fp32, [4]> c";
  const auto einsum = [&](const std::string& values, const std::string& equation) {
    return Infer(in, "einsum(values = (" + values + "), equation = string(\"" + equation + "\"))");
  };
  EXPECT_EQ(einsum("a, b", "nchw,nwhu->nchu"), "tensor<fp16, [2, 3, 4, 6]>");
  EXPECT_EQ(einsum("a, b", "nchw, nwhu -> un"), "tensor<fp16, [6, 2]>");
  EXPECT_THAT(einsum("a, b", "nchw,nhwu->nchu"), HasSubstr("axis `h` has size 4 and 5"));
  EXPECT_THAT(einsum("a, b", "nch,nwhu->nchu"), HasSubstr("does not have the 3 axes"));
  EXPECT_THAT(einsum("a, b", "nchw,nwhu->nchx"), HasSubstr("no operand has the axis `x`"));
  EXPECT_THAT(einsum("a, c", "nchw,h->n"), HasSubstr("one element type"));
  for (const std::string& bad :
       std::vector<std::string>{"nchw,nwhu", "nchw->n", "ncch,nwhu->n", "nch.,nwhu->n", ",->"}) {
    EXPECT_THAT(einsum("a, b", bad), HasSubstr("MIL0")) << bad;
  }
}

}  // namespace
}  // namespace anex::mil
