// Reductions over axes.
#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "server/mil/op_context.h"
#include "server/mil/ops/families.h"

namespace anex::mil {
namespace {

std::optional<Shape> Reduced(OpContext& context, std::string_view argument,
                             const std::vector<int>& axes) {
  const Shape& x = context.ShapeOf("x");
  const bool keep = context.Bool("keep_dims");
  std::vector<int64_t> dims;
  for (int axis = 0; axis < x.rank(); ++axis) {
    const bool gone = std::ranges::find(axes, axis) != axes.end();
    if (!gone) dims.push_back(x[axis]);
    if (gone && keep) dims.push_back(1);
  }
  return context.MakeShape(argument, dims);
}

Inferred InferReduce(OpContext& context) {
  const int rank = context.ShapeOf("x").rank();
  if (!context.Has("axes")) {
    std::vector<int64_t> all(static_cast<size_t>(rank));
    std::iota(all.begin(), all.end(), int64_t{0});
    if (rank == 0) return context.Mismatch("x", "a scalar has no axes to reduce");
    context.FillInts("axes", all);
  }
  const std::optional<std::vector<int>> axes = context.AxesOf("axes", rank);
  if (!axes.has_value()) return std::nullopt;
  if (axes->empty()) {
    return context.Fail("axes", "no axes to reduce", "leave `axes` out to reduce all of them");
  }
  const std::optional<Shape> shape = Reduced(context, "axes", *axes);
  if (!shape.has_value()) return std::nullopt;
  return std::vector{TensorType{context.DTypeOf("x"), *shape}};
}

Inferred InferArgReduce(OpContext& context) {
  constexpr std::string_view kIndexTypes[] = {"int32", "uint16"};
  const std::optional<int> axis = context.AxisOf("axis", context.ShapeOf("x").rank());
  if (!axis.has_value() || !context.CheckText("output_dtype", kIndexTypes)) return std::nullopt;
  const int64_t size = context.ShapeOf("x")[*axis];
  if (context.Text("output_dtype") == "uint16" && size > 65536) {
    return context.Fail("output_dtype",
                        absl::StrCat("uint16 does not hold the indices of ", size, " elements"));
  }
  const std::optional<Shape> shape = Reduced(context, "axis", {*axis});
  if (!shape.has_value()) return std::nullopt;
  return std::vector{TensorType{*DTypeFromName(context.Text("output_dtype")), *shape}};
}

constexpr Parameter kReduce[] = {Arg("x", kNumbers), ConstInts("axes").Computed(),
                                 ConstBool("keep_dims").OrBool(false)};
constexpr Parameter kLogReduce[] = {Arg("x", kNumbers), ConstInts("axes").Computed(),
                                    ConstBool("keep_dims").OrBool(false)};
constexpr Parameter kArgReduce[] = {Arg("x", kNumbers), Axis().OrInt(-1),
                                    ConstBool("keep_dims").OrBool(false),
                                    ConstText("output_dtype").OrText("int32")};

constexpr OpSignature kOps[] = {
    {"reduce_sum", kReduce, InferReduce},          {"reduce_mean", kReduce, InferReduce},
    {"reduce_max", kReduce, InferReduce},          {"reduce_min", kReduce, InferReduce},
    {"reduce_prod", kReduce, InferReduce},         {"reduce_l1_norm", kReduce, InferReduce},
    {"reduce_l2_norm", kReduce, InferReduce},      {"reduce_sum_square", kReduce, InferReduce},
    {"reduce_log_sum", kLogReduce, InferReduce},   {"reduce_log_sum_exp", kLogReduce, InferReduce},
    {"reduce_argmax", kArgReduce, InferArgReduce}, {"reduce_argmin", kArgReduce, InferArgReduce},
};

}  // namespace

std::span<const OpSignature> ReduceOps() { return kOps; }

}  // namespace anex::mil
