// Trading depth, batch and space, [N, C, H, W], and changing the size of images, [..., H, W].
#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "server/mil/op_context.h"
#include "server/mil/ops/families.h"

namespace anex::mil {
namespace {

constexpr int64_t kMostSize = int64_t{1}
                              << 40;  // of one axis: products with factors stay in 64 bits

bool IsImage(OpContext& context) {
  if (context.ShapeOf("x").rank() == 4) return true;
  context.Mismatch("x",
                   absl::StrCat("x must be [N, C, H, W], found ", context.ShapeOf("x").ToString()));
  return false;
}

bool HasHeightAndWidth(OpContext& context) {
  if (context.ShapeOf("x").rank() >= 3) return true;
  context.Mismatch("x", absl::StrCat("x must be [..., H, W] of rank 3 or more, found ",
                                     context.ShapeOf("x").ToString()));
  return false;
}

Inferred Result(OpContext& context, std::span<const int64_t> dims) {
  const std::optional<Shape> shape = context.MakeShape("x", dims);
  if (!shape.has_value()) return std::nullopt;
  return std::vector{TensorType{context.DTypeOf("x"), *shape}};
}

Inferred Result(OpContext& context, std::initializer_list<int64_t> dims) {
  return Result(context, std::span(dims.begin(), dims.size()));
}

// x with other sizes of its last two axes.
Inferred Resized(OpContext& context, int64_t height, int64_t width) {
  const Shape x = context.ShapeOf("x");
  std::vector<int64_t> dims(x.dims().begin(), x.dims().end());
  dims[dims.size() - 2] = height;
  dims[dims.size() - 1] = width;
  return Result(context, dims);
}

Inferred ToSpace(OpContext& context, std::string_view factor) {
  if (!IsImage(context) || !context.CheckInts(factor, 1, 1)) return std::nullopt;
  const Shape x = context.ShapeOf("x");
  const int64_t n = context.Int(factor);
  if (n > (1 << 20) || x[1] % (n * n) != 0) {
    return context.Mismatch("x", absl::StrCat(x[1], " channels do not divide by ", n, " squared"));
  }
  return Result(context, {x[0], x[1] / (n * n), x[2] * n, x[3] * n});
}

Inferred ToDepth(OpContext& context, std::string_view factor) {
  if (!IsImage(context) || !context.CheckInts(factor, 1, 1)) return std::nullopt;
  const Shape x = context.ShapeOf("x");
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

// block_shape [2] and the margins, [2, 2], of space_to_batch and batch_to_space.
bool CheckBlocks(OpContext& context, std::string_view margins) {
  if (!IsImage(context) || !context.CheckInts("block_shape", 2, 1) ||
      !context.CheckInts(margins, 4, 0)) {
    return false;
  }
  if (context.ShapeOf(margins) == Shape{2, 2}) return true;
  context.Mismatch(margins, absl::StrCat("`", std::string(margins), "` must have shape [2, 2]"));
  return false;
}

Inferred InferSpaceToBatch(OpContext& context) {
  if (!CheckBlocks(context, "paddings")) return std::nullopt;
  const Shape x = context.ShapeOf("x");
  const std::vector<int64_t> block = context.Ints("block_shape"), pad = context.Ints("paddings");
  std::vector<int64_t> dims{x[0], x[1]};
  for (int i = 0; i < 2; ++i) {
    const int64_t size = x[i + 2] + pad[2 * i] + pad[2 * i + 1];
    if (size % block[i] != 0 || block[i] > kMostSize / dims[0]) {
      return context.Mismatch(
          "x", absl::StrCat(size, " elements of axis ", i + 2,
                            " with padding do not divide into blocks of ", block[i]));
    }
    dims[0] *= block[i];
    dims.push_back(size / block[i]);
  }
  return Result(context, dims);
}

Inferred InferBatchToSpace(OpContext& context) {
  if (!CheckBlocks(context, "crops")) return std::nullopt;
  const Shape x = context.ShapeOf("x");
  const std::vector<int64_t> block = context.Ints("block_shape"), crop = context.Ints("crops");
  if (x[0] % block[0] != 0 || x[0] / block[0] % block[1] != 0) {
    return context.Mismatch(
        "x", absl::StrCat("a batch of ", x[0], " does not divide into blocks of ", block[0], "x",
                          block[1]));
  }
  std::vector<int64_t> dims{x[0] / block[0] / block[1], x[1]};
  for (int i = 0; i < 2; ++i) {
    if (x[i + 2] > kMostSize / block[i]) return context.Fail("block_shape", "it is too large");
    dims.push_back(x[i + 2] * block[i] - crop[2 * i] - crop[2 * i + 1]);
    if (dims.back() >= 1) continue;
    return context.Mismatch("crops", absl::StrCat("nothing is left of axis ", i + 2));
  }
  return Result(context, dims);
}

Inferred InferUpsample(OpContext& context) {
  if (!HasHeightAndWidth(context)) return std::nullopt;
  const Shape x = context.ShapeOf("x");
  const double height = context.Double("scale_factor_height");
  const double width = context.Double("scale_factor_width");
  const double limit = 1 << 20;
  if (!(height > 0 && height < limit && width > 0 && width < limit)) {
    return context.Fail("scale_factor_height", "scale factors must be above 0 and below 2^20");
  }
  const double tall = std::floor(height * static_cast<double>(x[x.rank() - 2]));
  const double wide = std::floor(width * static_cast<double>(x[x.rank() - 1]));
  if (tall >= 0x1p40 || wide >= 0x1p40) {
    return context.Fail("scale_factor_height", "the result would have more than 2^40 rows");
  }
  return Resized(context, static_cast<int64_t>(tall), static_cast<int64_t>(wide));
}

Inferred InferUpsampleBilinear(OpContext& context) {
  if (context.Has("half_pixel_centers") && context.Bool("half_pixel_centers") &&
      context.Bool("align_corners")) {
    return context.Fail("half_pixel_centers",
                        "half_pixel_centers and align_corners cannot both be true");
  }
  return InferUpsample(context);
}

constexpr std::string_view kSamplingModes[] = {"DEFAULT", "STRICT_ALIGN_CORNERS", "ALIGN_CORNERS",
                                               "OFFSET_CORNERS", "UNALIGN_CORNERS"};

Inferred InferResizeNearest(OpContext& context) {
  if (!HasHeightAndWidth(context) || !context.CheckInts("target_size_height", 1, 1) ||
      !context.CheckInts("target_size_width", 1, 1)) {
    return std::nullopt;
  }
  return Resized(context, context.Int("target_size_height"), context.Int("target_size_width"));
}

Inferred InferResizeBilinear(OpContext& context) {
  if (!context.CheckText("sampling_mode", kSamplingModes)) return std::nullopt;
  return InferResizeNearest(context);
}

// The last resized_dims entries of `shape` are the new sizes of the last axes; 0 keeps one.
Inferred InferResize(OpContext& context) {
  constexpr std::string_view kInterpolation[] = {"LINEAR", "NEAREST_NEIGHBOR"};
  const Shape x = context.ShapeOf("x");
  const std::vector<int64_t> wanted = context.Ints("shape");
  const int64_t count = context.Int("resized_dims");
  if (!context.CheckText("interpolation_mode", kInterpolation) ||
      !context.CheckText("sampling_mode", kSamplingModes) ||
      !context.CheckInts("shape", wanted.size(), 0)) {
    return std::nullopt;
  }
  const auto rank = static_cast<size_t>(x.rank());
  if (count < 0 || static_cast<size_t>(count) > wanted.size() || wanted.size() > rank) {
    return context.Fail("resized_dims", absl::StrCat(count, " axes of a shape with ", wanted.size(),
                                                     " entries and of a tensor of rank ", rank));
  }
  std::vector<int64_t> dims(x.dims().begin(), x.dims().end());
  for (size_t i = 1; i <= static_cast<size_t>(count); ++i) {
    const int64_t size = wanted[wanted.size() - i];
    if (size != 0) dims[rank - i] = size;
  }
  return Result(context, dims);
}

Inferred InferCrop(OpContext& context) {
  if (!HasHeightAndWidth(context) || !context.CheckInts("crop_height", 2, 0) ||
      !context.CheckInts("crop_width", 2, 0)) {
    return std::nullopt;
  }
  const Shape x = context.ShapeOf("x");
  const std::vector<int64_t> height = context.Ints("crop_height"),
                             width = context.Ints("crop_width");
  const int64_t tall = x[x.rank() - 2] - height[0] - height[1];
  const int64_t wide = x[x.rank() - 1] - width[0] - width[1];
  if (tall < 1 || wide < 1) {
    return context.Mismatch(tall < 1 ? "crop_height" : "crop_width",
                            absl::StrCat("nothing is left of x ", x.ToString()));
  }
  return Resized(context, tall, wide);
}

bool CheckCropResize(OpContext& context) {
  constexpr std::string_view kBoxModes[] = {"CORNERS_HEIGHT_FIRST", "CORNERS_WIDTH_FIRST",
                                            "CENTER_SIZE_HEIGHT_FIRST", "CENTER_SIZE_WIDTH_FIRST"};
  return IsImage(context) && context.CheckInts("target_height", 1, 1) &&
         context.CheckInts("target_width", 1, 1) &&
         context.CheckText("sampling_mode", kSamplingModes) &&
         context.CheckText("box_coordinate_mode", kBoxModes);
}

// iOS 15 and 16: roi [N, 1, 4 or 5, 1, 1]; with 5, the first of them is the image's number.
Inferred InferCropByRoi(OpContext& context) {
  const Shape x = context.ShapeOf("x"), roi = context.ShapeOf("roi");
  const bool fits =
      roi.rank() == 5 && roi[1] == 1 && (roi[2] == 4 || roi[2] == 5) && roi[3] == 1 && roi[4] == 1;
  if (!fits) {
    return context.Mismatch("roi", absl::StrCat("roi must be [N, 1, 4, 1, 1] or [N, 1, 5, 1, 1], "
                                                "found ",
                                                roi.ToString()));
  }
  return Result(context, {roi[0], roi[2] == 4 ? x[0] : 1, x[1], context.Int("target_height"),
                          context.Int("target_width")});
}

// iOS 17: boxes [N, 4], box_indices [N].
Inferred InferCropByBoxes(OpContext& context) {
  const Shape x = context.ShapeOf("x"), boxes = context.ShapeOf("boxes");
  if (boxes.rank() != 2 || boxes[1] != 4) {
    return context.Mismatch("boxes",
                            absl::StrCat("boxes must be [N, 4], found ", boxes.ToString()));
  }
  if (context.Bool("normalized_coordinates") && !IsFloat(context.DTypeOf("boxes"))) {
    return context.Mismatch("boxes", "normalized coordinates must be floats");
  }
  if (context.Has("box_indices")) {
    if (context.ShapeOf("box_indices") != Shape{boxes[0]}) {
      return context.Mismatch(
          "box_indices", absl::StrCat("box_indices must have shape [", boxes[0], "], one per box"));
    }
  } else if (boxes[0] > x[0]) {
    return context.Mismatch("boxes", absl::StrCat("without box_indices box i is for image i; there "
                                                  "are ",
                                                  boxes[0], " boxes and ", x[0], " images"));
  }
  return Result(context,
                {boxes[0], x[1], context.Int("target_height"), context.Int("target_width")});
}

Inferred InferCropResize(OpContext& context) {
  if (!CheckCropResize(context)) return std::nullopt;
  if (context.Has("roi") != context.Has("boxes")) {
    return context.Has("roi") ? InferCropByRoi(context) : InferCropByBoxes(context);
  }
  return context.Fail("roi", "crop_resize needs either roi (iOS 15, 16) or boxes (iOS 17)");
}

// What resample and affine have in common.
bool CheckSampling(OpContext& context) {
  constexpr std::string_view kModes[] = {"bilinear", "nearest"};
  constexpr std::string_view kPadding[] = {"constant", "border", "reflection", "symmetric"};
  constexpr std::string_view kCoordinates[] = {"unnormalized", "normalized_minus_one_to_one",
                                               "normalized_zero_to_one"};
  return IsImage(context) && context.CheckText("sampling_mode", kModes) &&
         context.CheckText("padding_mode", kPadding) &&
         context.CheckText("coordinates_mode", kCoordinates);
}

Inferred InferResample(OpContext& context) {
  if (!CheckSampling(context)) return std::nullopt;
  const Shape x = context.ShapeOf("x"), at = context.ShapeOf("coordinates");
  if (at.rank() != 4 || at[0] != x[0] || at[3] != 2) {
    return context.Mismatch("coordinates", absl::StrCat("coordinates must be [", x[0],
                                                        ", H, W, 2], found ", at.ToString()));
  }
  return Result(context, {x[0], x[1], at[1], at[2]});
}

Inferred InferAffine(OpContext& context) {
  if (!CheckSampling(context) || !context.CheckInts("output_height", 1, 1) ||
      !context.CheckInts("output_width", 1, 1)) {
    return std::nullopt;
  }
  const Shape x = context.ShapeOf("x"), matrix = context.ShapeOf("transform_matrix");
  if (matrix.rank() != 2 || (matrix[0] != x[0] && matrix[0] != 1) || matrix[1] != 6) {
    return context.Mismatch("transform_matrix",
                            absl::StrCat("transform_matrix must be [", x[0],
                                         ", 6] or [1, 6], found ", matrix.ToString()));
  }
  return Result(context, {x[0], x[1], context.Int("output_height"), context.Int("output_width")});
}

constexpr Parameter Scale(std::string_view name) {
  return Arg(name, kNumbers).Constant().Scalar().OrInt(1);
}
constexpr Parameter Size(std::string_view name) { return Arg(name, kIntegers).Constant().Scalar(); }
constexpr Parameter SamplingMode() { return ConstText("sampling_mode").OrText("DEFAULT"); }

constexpr Parameter kBlocks[] = {Arg("x", kTensors), Size("block_size")};
constexpr Parameter kShuffle[] = {Arg("x", kTensors), Size("upscale_factor")};
constexpr Parameter kUnshuffle[] = {Arg("x", kTensors), Size("downscale_factor")};
constexpr Parameter kSpaceToBatch[] = {Arg("x", kTensors), ConstInts("block_shape"),
                                       Arg("paddings", kIntegers).Constant()};
constexpr Parameter kBatchToSpace[] = {Arg("x", kTensors), ConstInts("block_shape"),
                                       Arg("crops", kIntegers).Constant()};
constexpr Parameter kUpsampleNearest[] = {Arg("x", kFloats), Scale("scale_factor_height"),
                                          Scale("scale_factor_width")};
constexpr Parameter kUpsampleBilinear[] = {
    Arg("x", kFloats), Scale("scale_factor_height"), Scale("scale_factor_width"),
    ConstBool("align_corners").OrBool(true), ConstBool("half_pixel_centers").Optional()};
constexpr Parameter kResizeNearest[] = {Arg("x", kFloats), Size("target_size_height"),
                                        Size("target_size_width")};
constexpr Parameter kResizeBilinear[] = {Arg("x", kFloats), Size("target_size_height").OrInt(1),
                                         Size("target_size_width").OrInt(1), SamplingMode()};
constexpr Parameter kResize[] = {Arg("x", kNumbers), ConstInts("shape"), Size("resized_dims"),
                                 ConstText("interpolation_mode").OrText("LINEAR"), SamplingMode()};
constexpr Parameter kCrop[] = {Arg("x", kTensors), ConstInts("crop_height"),
                               ConstInts("crop_width")};
constexpr Parameter kCropResize[] = {
    Arg("x", kFloats),
    Arg("roi", kFloats).Optional(),
    Arg("boxes", kNumbers).Optional(),
    Arg("box_indices", kIntegers).Optional(),
    Size("target_height").OrInt(1),
    Size("target_width").OrInt(1),
    ConstBool("normalized_coordinates").OrBool(false),
    Arg("spatial_scale", kFloats).Constant().Scalar().OrNumber(1),
    ConstText("box_coordinate_mode").OrText("CORNERS_HEIGHT_FIRST"),
    SamplingMode(),
    Arg("pad_value", kFloats).Constant().Scalar().Like("x").OrNumber(0)};
constexpr Parameter kResample[] = {
    Arg("x", kFloats),
    Arg("coordinates", kNumbers),
    ConstText("sampling_mode"),
    ConstText("padding_mode"),
    Arg("padding_value", kFloats).Constant().Scalar().Like("x").OrNumber(0),
    ConstText("coordinates_mode"),
    ConstBool("align_corners")};
constexpr Parameter kAffine[] = {
    Arg("x", kFloats),
    Arg("transform_matrix", kFloats).Like("x"),
    Size("output_height"),
    Size("output_width"),
    ConstText("sampling_mode"),
    ConstText("padding_mode"),
    Arg("padding_value", kFloats).Constant().Scalar().Like("x").OrNumber(0),
    ConstText("coordinates_mode"),
    ConstBool("align_corners")};

constexpr OpSignature kOps[] = {
    {"depth_to_space", kBlocks, InferDepthToSpace},
    {"space_to_depth", kBlocks, InferSpaceToDepth},
    {"pixel_shuffle", kShuffle, InferPixelShuffle},
    {"pixel_unshuffle", kUnshuffle, InferPixelUnshuffle},
    {"space_to_batch", kSpaceToBatch, InferSpaceToBatch},
    {"batch_to_space", kBatchToSpace, InferBatchToSpace},
    {"upsample_nearest_neighbor", kUpsampleNearest, InferUpsample},
    {"upsample_bilinear", kUpsampleBilinear, InferUpsampleBilinear},
    {"resize_nearest_neighbor", kResizeNearest, InferResizeNearest},
    {"resize_bilinear", kResizeBilinear, InferResizeBilinear},
    {"resize", kResize, InferResize},
    {"crop", kCrop, InferCrop},
    {"crop_resize", kCropResize, InferCropResize},
    {"resample", kResample, InferResample},
    {"affine", kAffine, InferAffine},
};

}  // namespace

std::span<const OpSignature> ImageOps() { return kOps; }

}  // namespace anex::mil
