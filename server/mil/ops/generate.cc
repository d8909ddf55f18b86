// Tensors made from numbers and shapes: fill, range_1d, shape, band_part, cumsum.
#include <cmath>

#include "absl/strings/str_cat.h"
#include "server/mil/op_context.h"
#include "server/mil/ops/families.h"

namespace anex::mil {
namespace {

Inferred SameAsX(OpContext& context) { return std::vector{context.TypeOf("x")}; }

Inferred InferFill(OpContext& context) {
  const std::optional<Shape> shape = context.MakeShape("shape", context.Ints("shape"));
  if (!shape.has_value()) return std::nullopt;
  return std::vector{TensorType{context.DTypeOf("value"), *shape}};
}

Inferred InferFillLike(OpContext& context) {
  return std::vector{TensorType{context.DTypeOf("value"), context.ShapeOf("ref_tensor")}};
}

Inferred InferRange(OpContext& context) {
  const double start = context.Double("start"), end = context.Double("end");
  const double step = context.Double("step");
  const double count = std::ceil((end - start) / step);
  if (!(count >= 1 && count < 0x1p47)) {
    return context.Fail("step", absl::StrCat("from ", start, " to ", end, " in steps of ", step,
                                             " is no finite, non-empty range"));
  }
  const std::optional<Shape> shape =
      context.MakeShape("end", std::vector<int64_t>{static_cast<int64_t>(count)});
  if (!shape.has_value()) return std::nullopt;
  return std::vector{TensorType{context.DTypeOf("start"), *shape}};
}

Inferred InferShape(OpContext& context) {
  constexpr std::string_view kTypes[] = {"int32", "uint16", "int16"};
  if (!context.CheckText("output_dtype", kTypes)) return std::nullopt;
  const int rank = context.ShapeOf("x").rank();
  if (rank == 0) return context.Mismatch("x", "a scalar's shape is empty");
  return std::vector{TensorType{*DTypeFromName(context.Text("output_dtype")), Shape{rank}}};
}

Inferred InferCumsum(OpContext& context) {
  if (!context.AxisOf("axis", context.ShapeOf("x").rank()).has_value()) return std::nullopt;
  return SameAsX(context);
}

Inferred InferBandPart(OpContext& context) {
  if (context.ShapeOf("x").rank() >= 2) return SameAsX(context);
  return context.Mismatch("x", "needs matrices, rank 2 or more");
}

constexpr Parameter Number(std::string_view name) {
  return Arg(name, kNumbers).Constant().Scalar();
}
constexpr Parameter Count(std::string_view name) {
  return Arg(name, kIntegers).Constant().Scalar();
}

constexpr Parameter kFill[] = {ConstInts("shape"),
                               Arg("value", kTensors).Constant().Scalar().OrNumber(0)};
constexpr Parameter kFillLike[] = {Arg("ref_tensor", kTensors),
                                   Arg("value", kTensors).Constant().Scalar().OrNumber(0)};
constexpr Parameter kRange[] = {Number("end").Like("start"), Number("start"),
                                Number("step").Like("start")};
constexpr Parameter kShape[] = {Arg("x", kTensors), ConstText("output_dtype").OrText("int32")};
constexpr Parameter kCumsum[] = {Arg("x", kNumbers), Axis().OrInt(0),
                                 ConstBool("exclusive").OrBool(false),
                                 ConstBool("reverse").OrBool(false)};
constexpr Parameter kBandPart[] = {Arg("x", kTensors), Count("lower").OrInt(-1),
                                   Count("upper").OrInt(-1)};

constexpr OpSignature kOps[] = {
    {"fill", kFill, InferFill},       {"fill_like", kFillLike, InferFillLike},
    {"range_1d", kRange, InferRange}, {"shape", kShape, InferShape},
    {"cumsum", kCumsum, InferCumsum}, {"band_part", kBandPart, InferBandPart},
};

}  // namespace

std::span<const OpSignature> GenerateOps() { return kOps; }

}  // namespace anex::mil
