// Compressed weights: constants in, dense tensor out. All parameters are constants and are usually
// written in the attribute brackets.
#include <bit>

#include "absl/strings/str_cat.h"
#include "server/mil/op_context.h"
#include "server/mil/ops/families.h"

namespace anex::mil {
namespace {

// (quantized_data - zero_point) * scale, both scalars or [C] along axis.
Inferred InferAffineDequantize(OpContext& context) {
  const Shape data = context.ShapeOf("quantized_data");
  const DType dtype = context.DTypeOf("quantized_data");
  if (!context.Has("zero_point")) {
    context.Fill("zero_point", Constant::OfInts(dtype, Shape(), std::vector<int64_t>{0}));
  }
  for (std::string_view name : {"scale", "zero_point"}) {
    const Shape shape = context.ShapeOf(name);
    if (shape.rank() == 0) continue;
    if (!context.Has("axis")) {
      return context.Fail(name, absl::StrCat("a vector `", std::string(name), "` needs `axis`"));
    }
    const std::optional<int> axis = context.AxisOf("axis", data.rank());
    if (!axis.has_value()) return std::nullopt;
    if (shape == Shape{data[*axis]}) continue;
    return context.Mismatch(
        name, absl::StrCat("`", std::string(name), "` must be a scalar or have shape [",
                           data[*axis], "], found ", shape.ToString()));
  }
  return std::vector{TensorType{context.DTypeOf("scale"), data}};
}

// The iOS 16 form: packed indices, 2^bits entries in lut, the shape beside them.
Inferred InferPackedLut(OpContext& context) {
  const std::optional<Shape> shape = context.MakeShape("shape", context.Ints("shape"));
  if (!shape.has_value()) return std::nullopt;
  const int64_t entries = context.ShapeOf("lut").ElementCount();
  if (entries < 2 || entries > 256 || !std::has_single_bit(static_cast<uint64_t>(entries)) ||
      context.ShapeOf("lut").rank() != 1) {
    return context.Mismatch("lut", absl::StrCat("lut must have shape [2], [4], [16], [64] or "
                                                "[256], found ",
                                                context.ShapeOf("lut").ToString()));
  }
  const int64_t bits = std::bit_width(static_cast<uint64_t>(entries)) - 1;
  const int64_t bytes = (shape->ElementCount() * bits + 7) / 8;
  if (context.ShapeOf("indices").ElementCount() != bytes) {
    return context.Mismatch(
        "indices", absl::StrCat(shape->ElementCount(), " indices of ", bits, " bits take ", bytes,
                                " bytes, found ", context.ShapeOf("indices").ToString()));
  }
  return std::vector{TensorType{context.DTypeOf("lut"), *shape}};
}

// The iOS 18 form: one index per element, lut [blocks..., 2^bits, vector].
Inferred InferShapedLut(OpContext& context) {
  const Shape indices = context.ShapeOf("indices"), lut = context.ShapeOf("lut");
  if (lut.rank() != indices.rank() + 2) {
    return context.Mismatch("lut", absl::StrCat("lut needs two dimensions more than indices ",
                                                indices.ToString(), ", found ", lut.ToString()));
  }
  const int64_t vector = lut[lut.rank() - 1];
  if (vector != 1) {
    return context.Mismatch("lut", "vector palettes (last dimension above 1) are not supported");
  }
  for (int i = 0; i < indices.rank(); ++i) {
    if (indices[i] % lut[i] == 0) continue;
    return context.Mismatch("lut", absl::StrCat("axis ", i, ": ", lut[i], " blocks do not divide ",
                                                indices[i], " elements"));
  }
  return std::vector{TensorType{context.DTypeOf("lut"), indices}};
}

Inferred InferLut(OpContext& context) {
  return context.Has("shape") ? InferPackedLut(context) : InferShapedLut(context);
}

// mask holds one bit per element, lowest first; nonzero_data one value per set bit.
Inferred InferSparse(OpContext& context) {
  const Shape mask = context.ShapeOf("mask");
  if (!context.Has("shape")) {  // iOS 18: a mask of the result's shape, one byte per element here
    return std::vector{TensorType{context.DTypeOf("nonzero_data"), mask}};
  }
  const std::optional<Shape> shape = context.MakeShape("shape", context.Ints("shape"));
  if (!shape.has_value()) return std::nullopt;
  const int64_t bytes = (shape->ElementCount() + 7) / 8;
  if (mask.ElementCount() != bytes) {
    return context.Mismatch("mask", absl::StrCat(shape->ElementCount(), " bits take ", bytes,
                                                 " bytes, found ", mask.ToString()));
  }
  return std::vector{TensorType{context.DTypeOf("nonzero_data"), *shape}};
}

// scale (and offset) divide the data into blocks: each of their dimensions divides that of data.
Inferred InferBlockwise(OpContext& context) {
  const Shape data = context.ShapeOf("data"), scale = context.ShapeOf("scale");
  bool fits = data.rank() == scale.rank();
  for (int i = 0; fits && i < data.rank(); ++i) fits = data[i] % scale[i] == 0;
  if (!fits) {
    return context.Mismatch(
        "scale", absl::StrCat("scale ", scale.ToString(), " does not divide data ", data.ToString(),
                              " into blocks"));
  }
  if (context.Has("offset") && context.ShapeOf("offset") != scale) {
    return context.Mismatch("offset",
                            absl::StrCat("offset must have the shape of scale, ", scale.ToString(),
                                         ", found ", context.ShapeOf("offset").ToString()));
  }
  return std::vector{TensorType{context.DTypeOf("scale"), data}};
}

Inferred InferConstexprCast(OpContext& context) {
  constexpr std::string_view kTypes[] = {"fp32"};
  if (!context.CheckText("output_dtype", kTypes)) return std::nullopt;
  return std::vector{TensorType{DType::kFp32, context.ShapeOf("source_val")}};
}

constexpr Parameter kAffine[] = {
    Arg("quantized_data", kBytes).Constant(), Arg("scale", kFloats).Constant().Vector(),
    Arg("zero_point", kBytes).Constant().Vector().Like("quantized_data").Computed(),
    Axis().Optional()};
constexpr Parameter kLut[] = {Arg("indices", kBytes).Constant(), Arg("lut", kTensors).Constant(),
                              ConstInts("shape").Optional(),
                              Arg("vector_axis", kIntegers).Constant().Scalar().Optional()};
constexpr Parameter kSparse[] = {Arg("mask", kBytes).Constant(),
                                 Arg("nonzero_data", kTensors).Constant(),
                                 ConstInts("shape").Optional()};
constexpr Parameter kBlockwise[] = {Arg("data", kTensors).Constant(),
                                    Arg("scale", kFloats).Constant(),
                                    Arg("offset", kTensors).Constant().Optional()};
constexpr Parameter kCast[] = {Arg("source_val", kFloats).Constant(), ConstText("output_dtype")};

constexpr OpSignature kOps[] = {
    {"constexpr_affine_dequantize", kAffine, InferAffineDequantize},
    {"constexpr_lut_to_dense", kLut, InferLut},
    {"constexpr_sparse_to_dense", kSparse, InferSparse},
    {"constexpr_blockwise_shift_scale", kBlockwise, InferBlockwise},
    {"constexpr_cast", kCast, InferConstexprCast},
};

}  // namespace

std::span<const OpSignature> ConstexprOps() { return kOps; }

}  // namespace anex::mil
