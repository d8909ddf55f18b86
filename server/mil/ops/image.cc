// Trading depth for space and enlarging images, [N, C, H, W].
#include <cmath>

#include "absl/strings/str_cat.h"
#include "server/mil/op_context.h"
#include "server/mil/ops/families.h"

namespace anex::mil {
namespace {

bool IsImage(OpContext& context) {
  if (context.ShapeOf("x").rank() == 4) return true;
  context.Mismatch("x",
                   absl::StrCat("x must be [N, C, H, W], found ", context.ShapeOf("x").ToString()));
  return false;
}

Inferred Result(OpContext& context, std::initializer_list<int64_t> dims) {
  const std::optional<Shape> shape = context.MakeShape("x", std::vector<int64_t>(dims));
  if (!shape.has_value()) return std::nullopt;
  return std::vector{TensorType{context.DTypeOf("x"), *shape}};
}

Inferred ToSpace(OpContext& context, std::string_view factor) {
  if (!IsImage(context) || !context.CheckInts(factor, 1, 1)) return std::nullopt;
  const Shape& x = context.ShapeOf("x");
  const int64_t n = context.Int(factor);
  if (n > (1 << 20) || x[1] % (n * n) != 0) {
    return context.Mismatch("x", absl::StrCat(x[1], " channels do not divide by ", n, " squared"));
  }
  return Result(context, {x[0], x[1] / (n * n), x[2] * n, x[3] * n});
}

Inferred ToDepth(OpContext& context, std::string_view factor) {
  if (!IsImage(context) || !context.CheckInts(factor, 1, 1)) return std::nullopt;
  const Shape& x = context.ShapeOf("x");
  const int64_t n = context.Int(factor);
  if (x[2] % n != 0 || x[3] % n != 0) {
    return context.Mismatch("x", absl::StrCat(x[2], "x", x[3], " does not divide by ", n));
  }
  return Result(context, {x[0], x[1] * n * n, x[2] / n, x[3] / n});
}

Inferred InferDepthToSpace(OpContext& context) { return ToSpace(context, "block_size"); }
Inferred InferPixelShuffle(OpContext& context) { return ToSpace(context, "upscale_factor"); }
Inferred InferSpaceToDepth(OpContext& context) { return ToDepth(context, "block_size"); }
Inferred InferPixelUnshuffle(OpContext& context) { return ToDepth(context, "downscale_factor"); }

Inferred InferUpsample(OpContext& context) {
  if (!IsImage(context)) return std::nullopt;
  const Shape& x = context.ShapeOf("x");
  const double height = context.Double("scale_factor_height");
  const double width = context.Double("scale_factor_width");
  const double limit = 1 << 20;
  if (!(height > 0 && height < limit && width > 0 && width < limit)) {
    return context.Fail("scale_factor_height", "scale factors must be above 0 and below 2^20");
  }
  const double tall = std::floor(height * static_cast<double>(x[2]));
  const double wide = std::floor(width * static_cast<double>(x[3]));
  if (tall >= 0x1p47 || wide >= 0x1p47) {
    return context.Fail("scale_factor_height", "the result would have more than 2^47 elements");
  }
  return Result(context, {x[0], x[1], static_cast<int64_t>(tall), static_cast<int64_t>(wide)});
}

constexpr Parameter Scale(std::string_view name) {
  return Arg(name, kNumbers).Constant().Scalar().OrInt(1);
}
constexpr Parameter Factor(std::string_view name) {
  return Arg(name, kIntegers).Constant().Scalar();
}

constexpr Parameter kBlocks[] = {Arg("x", kTensors), Factor("block_size")};
constexpr Parameter kShuffle[] = {Arg("x", kTensors), Factor("upscale_factor")};
constexpr Parameter kUnshuffle[] = {Arg("x", kTensors), Factor("downscale_factor")};
constexpr Parameter kNearest[] = {Arg("x", kFloats), Scale("scale_factor_height"),
                                  Scale("scale_factor_width")};
constexpr Parameter kBilinear[] = {
    Arg("x", kFloats), Scale("scale_factor_height"), Scale("scale_factor_width"),
    ConstBool("align_corners").OrBool(true), ConstBool("half_pixel_centers").Optional()};

constexpr OpSignature kOps[] = {
    {"depth_to_space", kBlocks, InferDepthToSpace},
    {"space_to_depth", kBlocks, InferSpaceToDepth},
    {"pixel_shuffle", kShuffle, InferPixelShuffle},
    {"pixel_unshuffle", kUnshuffle, InferPixelUnshuffle},
    {"upsample_nearest_neighbor", kNearest, InferUpsample},
    {"upsample_bilinear", kBilinear, InferUpsample},
};

}  // namespace

std::span<const OpSignature> ImageOps() { return kOps; }

}  // namespace anex::mil
