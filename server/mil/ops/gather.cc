// Choosing elements by index.
#include "absl/strings/str_cat.h"
#include "server/mil/op_context.h"
#include "server/mil/ops/families.h"

namespace anex::mil {
namespace {

Inferred Result(OpContext& context, std::string_view argument, const std::vector<int64_t>& dims) {
  const std::optional<Shape> shape = context.MakeShape(argument, dims);
  if (!shape.has_value()) return std::nullopt;
  return std::vector{TensorType{context.DTypeOf("x"), *shape}};
}

// x[:axis] + indices[batch_dims:] + x[axis + 1:]
Inferred InferGather(OpContext& context) {
  const Shape& x = context.ShapeOf("x");
  const Shape& indices = context.ShapeOf("indices");
  const std::optional<int> axis = context.AxisOf("axis", x.rank());
  if (!axis.has_value()) return std::nullopt;
  const int64_t batch = context.Int("batch_dims");
  if (batch < 0 || batch > *axis || batch > indices.rank()) {
    return context.Fail("batch_dims", absl::StrCat("batch_dims ", batch,
                                                   " must lie between 0 and the axis, ", *axis));
  }
  std::vector<int64_t> dims;
  for (int i = 0; i < *axis; ++i) {
    if (i < batch && x[i] != indices[i]) {
      return context.Mismatch("indices",
                              absl::StrCat("x ", x.ToString(), " and indices ", indices.ToString(),
                                           " differ in a batch dimension"));
    }
    dims.push_back(x[i]);
  }
  for (int i = static_cast<int>(batch); i < indices.rank(); ++i) dims.push_back(indices[i]);
  for (int i = *axis + 1; i < x.rank(); ++i) dims.push_back(x[i]);
  return Result(context, "indices", dims);
}

Inferred InferGatherAlongAxis(OpContext& context) {
  const Shape& x = context.ShapeOf("x");
  const Shape& indices = context.ShapeOf("indices");
  const std::optional<int> axis = context.AxisOf("axis", x.rank());
  if (!axis.has_value()) return std::nullopt;
  bool fits = x.rank() == indices.rank();
  for (int i = 0; fits && i < x.rank(); ++i) fits = i == *axis || x[i] == indices[i];
  if (!fits) {
    return context.Mismatch(
        "indices", absl::StrCat("indices ", indices.ToString(), " must equal x ", x.ToString(),
                                " in all dimensions but axis ", *axis));
  }
  return std::vector{TensorType{context.DTypeOf("x"), indices}};
}

Inferred InferTopk(OpContext& context) {
  constexpr std::string_view kIndexTypes[] = {"int32", "uint16"};
  const Shape& x = context.ShapeOf("x");
  const std::optional<int> axis = context.AxisOf("axis", x.rank());
  if (!axis.has_value() || !context.CheckText("output_indices_dtype", kIndexTypes)) {
    return std::nullopt;
  }
  const int64_t k = context.Int("k");
  if (k != -1 && (k < 1 || k > x[*axis])) {
    return context.Fail(
        "k", absl::StrCat("k is ", k, ", but axis ", *axis, " has ", x[*axis], " elements"));
  }
  std::vector<int64_t> dims(x.dims().begin(), x.dims().end());
  if (k != -1) dims[static_cast<size_t>(*axis)] = k;
  Inferred types = Result(context, "k", dims);
  if (types.has_value() && context.Bool("return_indices")) {
    types->push_back({*DTypeFromName(context.Text("output_indices_dtype")), (*types)[0].shape});
  }
  return types;
}

constexpr Parameter kGather[] = {Arg("x", kTensors), Arg("indices", kIntegers), Axis().OrInt(0),
                                 Arg("batch_dims", kIntegers).Constant().Scalar().OrInt(0),
                                 ConstBool("validate_indices").OrBool(false)};
constexpr Parameter kGatherAlongAxis[] = {Arg("x", kTensors), Arg("indices", kIntegers),
                                          Axis().OrInt(0),
                                          ConstBool("validate_indices").OrBool(false)};
constexpr Parameter kTopk[] = {Arg("x", kNumbers),
                               Arg("k", kIntegers).Constant().Scalar().OrInt(1),
                               Axis().OrInt(-1),
                               ConstBool("ascending").OrBool(false),
                               ConstBool("sort").OrBool(true),
                               ConstBool("return_indices").OrBool(true),
                               ConstText("output_indices_dtype").OrText("int32")};

constexpr OpSignature kOps[] = {
    {"gather", kGather, InferGather},
    {"gather_along_axis", kGatherAlongAxis, InferGatherAlongAxis},
    {"topk", kTopk, InferTopk},
};

}  // namespace

std::span<const OpSignature> GatherOps() { return kOps; }

}  // namespace anex::mil
