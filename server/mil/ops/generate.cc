// Tensors made from numbers and shapes: fill, range_1d, shape, one_hot, band_part, cumsum.
#include <cmath>

#include "absl/strings/str_cat.h"
#include "server/mil/op_context.h"
#include "server/mil/ops/families.h"

namespace anex::mil {
namespace {

std::shared_ptr<const Constant> NumberConstant(DType dtype, int value) {
  if (IsFloat(dtype)) return Constant::OfDoubles(dtype, {}, {{static_cast<double>(value)}});
  return Constant::OfInts(dtype, {}, {{int64_t{value}}});
}

Inferred SameAsX(OpContext& context) { return std::vector{context.TypeOf("x")}; }

Inferred InferFill(OpContext& context) {
  const std::optional<Shape> shape = context.MakeShape("shape", context.Ints("shape"));
  if (!shape.has_value()) return std::nullopt;
  return std::vector{TensorType{context.DTypeOf("value"), *shape}};
}

Inferred InferFillLike(OpContext& context) {
  return std::vector{TensorType{context.DTypeOf("value"), context.ShapeOf("ref_tensor")}};
}

// How many integers start, start + step, ... come before end; 0 if there is no end to them either.
double CountOfIntegers(const OpContext& context) {
  const auto start = static_cast<uint64_t>(context.Int("start"));
  const auto end = static_cast<uint64_t>(context.Int("end"));
  const int64_t step = context.Int("step");
  const bool is_unsigned = context.DTypeOf("start") == DType::kUint64;
  const bool ascends = is_unsigned ? start < end : context.Int("start") < context.Int("end");
  if (start == end || step == 0 || ascends != (step > 0 || is_unsigned)) return 0;
  const uint64_t distance = ascends ? end - start : start - end;
  const auto stride = static_cast<uint64_t>(step);
  return static_cast<double>((distance - 1) / (ascends ? stride : 0 - stride) + 1);
}

Inferred InferRange(OpContext& context) {
  const double start = context.Double("start"), end = context.Double("end");
  const double step = context.Double("step");
  const double count = IsFloat(context.DTypeOf("start")) ? std::ceil((end - start) / step)
                                                         : CountOfIntegers(context);
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
  const Shape x = context.ShapeOf("x");
  if (x.rank() == 0) return context.Mismatch("x", "a scalar's shape is empty");
  const std::string& dtype = context.Text("output_dtype");
  const int64_t most = dtype == "int16" ? INT16_MAX : dtype == "uint16" ? UINT16_MAX : INT32_MAX;
  for (const int64_t dim : x.dims()) {
    if (dim <= most) continue;
    return context.Fail("output_dtype", absl::StrCat(dtype, " does not hold the dimension ", dim));
  }
  return std::vector{TensorType{*DTypeFromName(dtype), Shape{x.rank()}}};
}

Inferred InferCumsum(OpContext& context) {
  if (!context.AxisOf("axis", context.ShapeOf("x").rank()).has_value()) return std::nullopt;
  return SameAsX(context);
}

Inferred InferBandPart(OpContext& context) {
  if (context.ShapeOf("x").rank() >= 2) return SameAsX(context);
  return context.Mismatch("x", "needs matrices, rank 2 or more");
}

// The type of both values is that of the one that is written.
Inferred InferOneHot(OpContext& context) {
  const Shape indices = context.ShapeOf("indices");
  const std::optional<int> axis = context.AxisOf("axis", indices.rank() + 1);
  if (!axis.has_value()) return std::nullopt;
  const std::string_view typed = context.Has("on_value") ? "on_value" : "off_value";
  const DType dtype = context.Has(typed) ? context.DTypeOf(typed) : DType::kInt32;
  for (const auto& [name, value] : {std::pair{"on_value", 1}, {"off_value", 0}}) {
    context.Fill(name, NumberConstant(dtype, value));
  }
  if (context.DTypeOf("off_value") != dtype) {
    return context.Fail("off_value", "on_value and off_value must have the same element type");
  }
  if (!context.CheckInts("one_hot_vector_size", 1, 1)) return std::nullopt;
  std::vector<int64_t> dims(indices.dims().begin(), indices.dims().end());
  dims.insert(dims.begin() + *axis, context.Int("one_hot_vector_size"));
  const std::optional<Shape> shape = context.MakeShape("one_hot_vector_size", dims);
  if (!shape.has_value()) return std::nullopt;
  return std::vector{TensorType{dtype, *shape}};
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

constexpr Parameter kOneHot[] = {Arg("indices", kIntegers), Count("one_hot_vector_size"),
                                 Axis().OrInt(-1),
                                 Arg("on_value", kTensors).Constant().Scalar().Computed(),
                                 Arg("off_value", kTensors).Constant().Scalar().Computed()};

constexpr OpSignature kOps[] = {
    {"fill", kFill, InferFill},
    {"fill_like", kFillLike, InferFillLike},
    {"range_1d", kRange, InferRange},
    {"shape", kShape, InferShape},
    {"one_hot", kOneHot, InferOneHot},
    {"cumsum", kCumsum, InferCumsum},
    {"band_part", kBandPart, InferBandPart},
};

}  // namespace

std::span<const OpSignature> GenerateOps() { return kOps; }

}  // namespace anex::mil
