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
  if (const DType zero = context.DTypeOf("zero_point"); zero != dtype && zero != DType::kFp32) {
    return context.Mismatch("zero_point",
                            absl::StrCat("zero_point must be ", std::string(DTypeName(dtype)),
                                         " or fp32, found ", std::string(DTypeName(zero))));
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

// What the iOS 18 palettes, [blocks..., entries, vector], make of indices of shape `indices`. Each
// block of indices has a palette of its own, each index stands for a vector along vector_axis.
std::optional<Shape> Depalettized(OpContext& context, std::string_view argument,
                                  const Shape& indices) {
  const Shape lut = context.ShapeOf("lut");
  if (indices.rank() < 1 || lut.rank() != indices.rank() + 2) {
    return context.Mismatch("lut", absl::StrCat("lut needs two dimensions more than the indices ",
                                                indices.ToString(), ", found ", lut.ToString()));
  }
  const int64_t entries = lut[lut.rank() - 2];
  const int bits = context.BitsOf(argument);
  if (entries > 256 || (bits > 0 && entries != int64_t{1} << bits)) {
    return context.Mismatch(
        "lut", absl::StrCat("a palette has ",
                            bits > 0 ? absl::StrCat(1 << bits, " entries for indices of ", bits,
                                                    bits == 1 ? " bit" : " bits")
                                     : std::string("at most 256 entries"),
                            ", found ", entries));
  }
  for (int i = 0; i < indices.rank(); ++i) {
    if (indices[i] % lut[i] == 0) continue;
    return context.Mismatch("lut", absl::StrCat("axis ", i, ": ", lut[i], " blocks do not divide ",
                                                indices[i], " elements"));
  }
  std::vector<int64_t> dims(indices.dims().begin(), indices.dims().end());
  const int64_t vector = lut[lut.rank() - 1];
  if (vector > 1 && !context.Has("vector_axis")) {
    return context.Mismatch(
        "lut", absl::StrCat("palettes of vectors of ", vector, " elements need `vector_axis`"));
  }
  if (context.Has("vector_axis")) {
    const std::optional<int> axis = context.AxisOf("vector_axis", indices.rank());
    if (!axis.has_value()) return std::nullopt;
    if (dims[static_cast<size_t>(*axis)] > (int64_t{1} << 47) / vector) {
      return context.Mismatch("lut", "the result would have more than 2^47 elements");
    }
    dims[static_cast<size_t>(*axis)] *= vector;
  }
  return context.MakeShape("lut", dims);
}

Inferred InferShapedLut(OpContext& context) {
  const std::optional<Shape> shape = Depalettized(context, "indices", context.ShapeOf("indices"));
  if (!shape.has_value()) return std::nullopt;
  return std::vector{TensorType{context.DTypeOf("lut"), *shape}};
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

// scale (and offset) divide data of this shape into blocks: each of their dimensions divides its
// own.
bool CheckBlocks(OpContext& context, const Shape& data, DType dtype) {
  const Shape scale = context.ShapeOf("scale");
  bool fits = data.rank() == scale.rank() && data.rank() > 0;
  for (int i = 0; fits && i < data.rank(); ++i) fits = data[i] % scale[i] == 0;
  if (!fits) {
    context.Mismatch("scale", absl::StrCat("scale ", scale.ToString(), " does not divide data ",
                                           data.ToString(), " into blocks"));
    return false;
  }
  if (!context.Has("offset")) return true;
  if (context.ShapeOf("offset") != scale) {
    context.Mismatch("offset",
                     absl::StrCat("offset must have the shape of scale, ", scale.ToString(),
                                  ", found ", context.ShapeOf("offset").ToString()));
    return false;
  }
  const DType offset = context.DTypeOf("offset");
  if (offset == dtype || IsFloat(offset)) return true;
  context.Mismatch(
      "offset", absl::StrCat("offset must be ", std::string(DTypeName(dtype)),
                             " like the data, or a float, found ", std::string(DTypeName(offset))));
  return false;
}

Inferred InferBlockwise(OpContext& context) {
  const Shape data = context.ShapeOf("data");
  if (!CheckBlocks(context, data, context.DTypeOf("data"))) return std::nullopt;
  return std::vector{TensorType{context.DTypeOf("scale"), data}};
}

// The sparse pairs: a mask, and the elements where it is set, in row-major order.
Inferred InferSparseBlockwise(OpContext& context) {
  const TensorType mask = context.TypeOf("data_mask");
  if (!CheckBlocks(context, mask.shape, context.DTypeOf("nonzero_data"))) return std::nullopt;
  return std::vector{mask, TensorType{context.DTypeOf("scale"), context.ShapeOf("nonzero_data")}};
}

Inferred InferLutToSparse(OpContext& context) {
  const TensorType mask = context.TypeOf("indices_mask");
  const std::optional<Shape> dense = Depalettized(context, "indices_nonzero_data", mask.shape);
  if (!dense.has_value()) return std::nullopt;
  const Shape lut = context.ShapeOf("lut");
  const int64_t count = context.ShapeOf("indices_nonzero_data").ElementCount();
  const int64_t vector = lut[lut.rank() - 1];
  if (count > (int64_t{1} << 47) / vector) {
    return context.Mismatch("lut", "the result would have more than 2^47 elements");
  }
  const std::optional<Shape> found = context.MakeShape("lut", std::vector<int64_t>{count * vector});
  if (!found.has_value()) return std::nullopt;
  return std::vector{TensorType{mask.dtype, *dense}, TensorType{context.DTypeOf("lut"), *found}};
}

Inferred InferConstexprCast(OpContext& context) {
  constexpr std::string_view kTypes[] = {"fp32"};
  if (!context.CheckText("output_dtype", kTypes)) return std::nullopt;
  return std::vector{TensorType{DType::kFp32, context.ShapeOf("source_val")}};
}

// Constants, or what other constexpr_ operations made of them.
constexpr Parameter Compiled(std::string_view name, TypeSet types) {
  return Arg(name, types).Compiled();
}
constexpr Parameter VectorAxis() {
  return Arg("vector_axis", kIntegers).Constant().Scalar().Optional();
}

constexpr TypeSet kPaletteTypes = kBytes | kFloats;
constexpr Parameter kAffine[] = {
    Arg("quantized_data", kBytes).Constant(), Arg("scale", kFloats).Constant().Vector(),
    Arg("zero_point", kBytes | kFloats).Constant().Vector().Computed(), Axis().Optional()};
constexpr Parameter kLut[] = {Compiled("indices", kBytes), Compiled("lut", kPaletteTypes),
                              ConstInts("shape").Optional(), VectorAxis()};
constexpr Parameter kLutToSparse[] = {Compiled("indices_mask", kBytes | kBools),
                                      Compiled("indices_nonzero_data", kBytes).Vector(),
                                      Compiled("lut", kPaletteTypes), VectorAxis()};
constexpr Parameter kSparse[] = {Compiled("mask", kBytes | kBools),
                                 Compiled("nonzero_data", kTensors).Vector(),
                                 ConstInts("shape").Optional()};
constexpr Parameter kBlockwise[] = {Compiled("data", kPaletteTypes), Compiled("scale", kFloats),
                                    Compiled("offset", kPaletteTypes).Optional()};
constexpr Parameter kSparseBlockwise[] = {
    Compiled("data_mask", kBytes | kBools), Compiled("nonzero_data", kPaletteTypes).Vector(),
    Compiled("scale", kFloats), Compiled("offset", kPaletteTypes).Optional()};
constexpr Parameter kCast[] = {Arg("source_val", kFloats).Constant(), ConstText("output_dtype")};

constexpr OpSignature kOps[] = {
    {"constexpr_affine_dequantize", kAffine, InferAffineDequantize},
    {"constexpr_lut_to_dense", kLut, InferLut},
    {"constexpr_sparse_to_dense", kSparse, InferSparse},
    {"constexpr_blockwise_shift_scale", kBlockwise, InferBlockwise},
    {"constexpr_lut_to_sparse", kLutToSparse, InferLutToSparse},
    {"constexpr_sparse_blockwise_shift_scale", kSparseBlockwise, InferSparseBlockwise},
    {"constexpr_cast", kCast, InferConstexprCast},
};

}  // namespace

std::span<const OpSignature> ConstexprOps() { return kOps; }

}  // namespace anex::mil
