// Quantisation at run time: scale and zero point are scalars, or vectors along one axis.
#include "absl/strings/str_cat.h"
#include "server/mil/op_context.h"
#include "server/mil/ops/families.h"

namespace anex::mil {
namespace {

// Scalars, or [C] along `axis`, which is then needed; scalar zero point 0 where none is given.
bool CheckScale(OpContext& context, DType quantized) {
  if (!context.Has("zero_point")) {
    context.Fill("zero_point", Constant::OfInts(quantized, Shape(), std::vector<int64_t>{0}));
  }
  if (context.DTypeOf("zero_point") != quantized) {
    context.Fail("zero_point",
                 absl::StrCat("zero_point must be ", std::string(DTypeName(quantized)), ", found ",
                              std::string(DTypeName(context.DTypeOf("zero_point")))));
    return false;
  }
  const Shape input = context.ShapeOf("input");
  for (std::string_view name : {"scale", "zero_point"}) {
    const Shape shape = context.ShapeOf(name);
    if (shape.rank() == 0) continue;
    if (!context.Has("axis")) {
      context.Fail(name, absl::StrCat("a vector `", std::string(name), "` needs `axis`"));
      return false;
    }
    const std::optional<int> axis = context.AxisOf("axis", input.rank());
    if (!axis.has_value()) return false;
    if (shape != Shape{input[*axis]}) {
      context.Mismatch(name, absl::StrCat("`", std::string(name), "` must be a scalar or have ",
                                          "shape [", input[*axis], "], found ", shape.ToString()));
      return false;
    }
  }
  return true;
}

Inferred InferQuantize(OpContext& context) {
  constexpr std::string_view kTypes[] = {"int8", "uint8"};
  if (!context.CheckText("output_dtype", kTypes)) return std::nullopt;
  const DType dtype = *DTypeFromName(context.Text("output_dtype"));
  if (!CheckScale(context, dtype)) return std::nullopt;
  return std::vector{TensorType{dtype, context.ShapeOf("input")}};
}

Inferred InferDequantize(OpContext& context) {
  if (!CheckScale(context, context.DTypeOf("input"))) return std::nullopt;
  return std::vector{TensorType{context.DTypeOf("scale"), context.ShapeOf("input")}};
}

constexpr Parameter kQuantize[] = {
    Arg("input", kFloats),
    Arg("scale", kFloats).Constant().Vector().Like("input"),
    Arg("zero_point", kBytes).Constant().Vector().Computed(),
    Axis().Optional(),
    ConstText("output_dtype"),
};
constexpr Parameter kDequantize[] = {
    Arg("input", kBytes),
    Arg("scale", kFloats).Constant().Vector(),
    Arg("zero_point", kBytes).Constant().Vector().Computed(),
    Axis().Optional(),
};

constexpr OpSignature kOps[] = {
    {"quantize", kQuantize, InferQuantize},
    {"dequantize", kDequantize, InferDequantize},
};

}  // namespace

std::span<const OpSignature> QuantizeOps() { return kOps; }

}  // namespace anex::mil
