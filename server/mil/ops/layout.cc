// Operations that only move elements: reshape, transpose, concat, split, stack, pad, tile, ...
#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/mil/op_context.h"
#include "server/mil/ops/families.h"

namespace anex::mil {
namespace {

using Dims = std::vector<int64_t>;

Dims DimsOf(const Shape& shape) { return {shape.dims().begin(), shape.dims().end()}; }

Inferred Result(OpContext& context, std::string_view argument, const Dims& dims) {
  const std::optional<Shape> shape = context.MakeShape(argument, dims);
  if (!shape.has_value()) return std::nullopt;
  return std::vector{TensorType{context.DTypeOf("x"), *shape}};
}

// 0 copies the dimension of x at that place; one -1 takes what is left.
Inferred InferReshape(OpContext& context) {
  const Shape& x = context.ShapeOf("x");
  const Dims wanted = context.Ints("shape");
  Dims dims = wanted;
  std::optional<size_t> open;
  int64_t known = 1;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 0) {
      if (static_cast<int>(i) >= x.rank()) {
        return context.Fail("shape", absl::StrCat("0 at place ", i, " copies a dimension that x ",
                                                  x.ToString(), " does not have"));
      }
      dims[i] = x[static_cast<int>(i)];
    }
    if (dims[i] == -1 && !open.has_value()) {
      open = i;
      continue;
    }
    if (dims[i] < 1) {
      return context.Fail("shape", dims[i] == -1 ? std::string("only one dimension can be -1")
                                                 : absl::StrCat("a dimension cannot be ", dims[i]));
    }
    if (dims[i] > x.ElementCount() / known) known = 0;  // more elements than x has
    if (known == 0) break;
    known *= dims[i];
  }
  const int64_t count = x.ElementCount();
  if (open.has_value() && known > 0 && count % known == 0) {
    dims[*open] = count / known;
    known = count;
  }
  if (known != count) {
    return context.Mismatch(
        "shape", absl::StrCat("x ", x.ToString(), " has ", count, " elements, which do not fill [",
                              absl::StrJoin(wanted, ", "), "]"));
  }
  return Result(context, "shape", dims);
}

Inferred InferTranspose(OpContext& context) {
  const Shape& x = context.ShapeOf("x");
  const std::optional<std::vector<int>> perm = context.AxesOf("perm", x.rank());
  if (!perm.has_value()) return std::nullopt;
  if (static_cast<int>(perm->size()) != x.rank()) {
    return context.Fail("perm",
                        absl::StrCat("perm needs ", x.rank(), " axes, found ", perm->size()));
  }
  Dims dims;
  for (int axis : *perm) dims.push_back(x[axis]);
  return Result(context, "perm", dims);
}

// Axes count in the result: expand_dims(x [3, 5], axes [0, -1]) is [1, 3, 5, 1].
Inferred InferExpandDims(OpContext& context) {
  const Shape& x = context.ShapeOf("x");
  const size_t added = context.Ints("axes").size();
  const int rank = x.rank() + static_cast<int>(std::min<size_t>(added, 64));
  const std::optional<std::vector<int>> axes = context.AxesOf("axes", rank);
  if (!axes.has_value()) return std::nullopt;
  Dims dims;
  int from = 0;
  for (int axis = 0; axis < rank; ++axis) {
    const bool fresh = std::ranges::find(*axes, axis) != axes->end();
    dims.push_back(fresh ? 1 : x[from++]);
  }
  return Result(context, "axes", dims);
}

Inferred InferSqueeze(OpContext& context) {
  const Shape x = context.ShapeOf("x");
  if (!context.Has("axes")) {
    Dims ones;
    for (int axis = 0; axis < x.rank(); ++axis) {
      if (x[axis] == 1) ones.push_back(axis);
    }
    if (ones.empty()) return context.Mismatch("x", "no dimension of size 1 to squeeze");
    context.FillInts("axes", ones);
  }
  const std::optional<std::vector<int>> axes = context.AxesOf("axes", x.rank());
  if (!axes.has_value()) return std::nullopt;
  Dims dims;
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (std::ranges::find(*axes, axis) == axes->end()) {
      dims.push_back(x[axis]);
    } else if (x[axis] != 1) {
      return context.Mismatch("axes", absl::StrCat("axis ", axis, " of x ", x.ToString(),
                                                   " has size ", x[axis], ", not 1"));
    }
  }
  return Result(context, "axes", dims);
}

Inferred InferConcat(OpContext& context) {
  const std::vector<TensorType> values = context.TypesOf("values");
  const Shape& first = values[0].shape;
  const std::optional<int> axis = context.AxisOf("axis", first.rank());
  if (!axis.has_value()) return std::nullopt;
  const bool interleave = context.Bool("interleave");
  Dims dims = DimsOf(first);
  dims[static_cast<size_t>(*axis)] = 0;
  for (const TensorType& value : values) {
    bool fits = value.dtype == values[0].dtype && value.shape.rank() == first.rank();
    for (int i = 0; fits && i < first.rank(); ++i) {
      fits = value.shape[i] == first[i] || (i == *axis && !interleave);
    }
    if (!fits) {
      return context.Mismatch("values",
                              absl::StrCat("cannot concatenate ", values[0].ToString(), " and ",
                                           value.ToString(), " along axis ", *axis),
                              "all but that axis, and the element type, must be equal");
    }
    int64_t& total = dims[static_cast<size_t>(*axis)];
    total += value.shape[*axis];
    if (total > int64_t{1} << 47) {
      return context.Fail("values", "the result would have more than 2^47 elements");
    }
  }
  const std::optional<Shape> shape = context.MakeShape("values", dims);
  if (!shape.has_value()) return std::nullopt;
  return std::vector{TensorType{values[0].dtype, *shape}};
}

Inferred InferStack(OpContext& context) {
  const std::vector<TensorType> values = context.TypesOf("values");
  const std::optional<int> axis = context.AxisOf("axis", values[0].shape.rank() + 1);
  if (!axis.has_value()) return std::nullopt;
  for (const TensorType& value : values) {
    if (value == values[0]) continue;
    return context.Mismatch(
        "values", absl::StrCat("cannot stack ", values[0].ToString(), " and ", value.ToString()));
  }
  Dims dims = DimsOf(values[0].shape);
  dims.insert(dims.begin() + *axis, static_cast<int64_t>(values.size()));
  const std::optional<Shape> shape = context.MakeShape("values", dims);
  if (!shape.has_value()) return std::nullopt;
  return std::vector{TensorType{values[0].dtype, *shape}};
}

// Sizes along the axis, from split_sizes or num_splits.
std::optional<Dims> SplitSizes(OpContext& context, int64_t size) {
  if (context.Has("split_sizes")) {
    const Dims sizes = context.Ints("split_sizes");
    int64_t left = size;
    for (int64_t part : sizes) {
      if (part < 1 || part > left) left = -1;
      if (left < 0) break;
      left -= part;
    }
    if (left == 0) return sizes;
    return context.Fail("split_sizes", absl::StrCat("the sizes do not add up to ", size));
  }
  if (!context.Has("num_splits")) {
    return context.Fail("x", "needs num_splits or split_sizes");
  }
  const int64_t parts = context.Int("num_splits");
  if (parts < 1 || parts > size || size % parts != 0) {
    return context.Fail("num_splits",
                        absl::StrCat(size, " elements do not split into ", parts, " equal parts"));
  }
  // No need to work through more parts than there are results: the count is wrong already.
  const size_t listed = std::min(static_cast<size_t>(parts), context.result_count() + 1);
  return Dims(listed, size / parts);
}

Inferred InferSplit(OpContext& context) {
  const Shape x = context.ShapeOf("x");
  const std::optional<int> axis = context.AxisOf("axis", x.rank());
  if (!axis.has_value()) return std::nullopt;
  const std::optional<Dims> sizes = SplitSizes(context, x[*axis]);
  if (!sizes.has_value()) return std::nullopt;
  std::vector<TensorType> types;
  for (int64_t size : *sizes) {
    Dims dims = DimsOf(x);
    dims[static_cast<size_t>(*axis)] = size;
    const std::optional<Shape> shape = context.MakeShape("x", dims);
    if (!shape.has_value()) return std::nullopt;
    types.push_back({context.DTypeOf("x"), *shape});
  }
  return types;
}

Inferred InferPad(OpContext& context) {
  constexpr std::string_view kModes[] = {"constant", "reflect", "replicate"};
  const Shape& x = context.ShapeOf("x");
  const Dims pad = context.Ints("pad");
  if (!context.CheckText("mode", kModes)) return std::nullopt;
  if (pad.size() % 2 != 0 || static_cast<int>(pad.size() / 2) > x.rank()) {
    return context.Fail("pad", absl::StrCat("pad holds two numbers for each of the last dimensions "
                                            "of x, found ",
                                            pad.size(), " for rank ", x.rank()));
  }
  if (!context.CheckInts("pad", pad.size(), 0)) return std::nullopt;
  Dims dims = DimsOf(x);
  const size_t first = dims.size() - pad.size() / 2;
  const bool reflect = context.Text("mode") == "reflect";
  for (size_t i = 0; i < pad.size() / 2; ++i) {
    const int64_t before = pad[2 * i], after = pad[2 * i + 1];
    if (reflect && std::max(before, after) >= dims[first + i]) {
      return context.Fail("pad", absl::StrCat("reflection by ", std::max(before, after),
                                              " needs more than ", dims[first + i], " elements"));
    }
    dims[first + i] += before + after;
  }
  return Result(context, "pad", dims);
}

Inferred InferTile(OpContext& context) {
  Dims dims = DimsOf(context.ShapeOf("x"));
  if (!context.CheckInts("reps", dims.size(), 1)) return std::nullopt;
  const Dims reps = context.Ints("reps");
  for (size_t i = 0; i < dims.size(); ++i) {
    if (reps[i] > (int64_t{1} << 47) / dims[i]) {
      return context.Fail("reps", "the result would have more than 2^47 elements");
    }
    dims[i] *= reps[i];
  }
  return Result(context, "reps", dims);
}

Inferred InferReverse(OpContext& context) {
  const Shape x = context.ShapeOf("x");
  if (!context.Has("axes")) {
    Dims all(static_cast<size_t>(x.rank()));
    std::iota(all.begin(), all.end(), int64_t{0});
    if (all.empty()) return context.Mismatch("x", "a scalar has no axes to reverse");
    context.FillInts("axes", all);
  }
  if (!context.AxesOf("axes", x.rank()).has_value()) return std::nullopt;
  return std::vector{context.TypeOf("x")};
}

Inferred InferFlatten2d(OpContext& context) {
  const Shape& x = context.ShapeOf("x");
  int64_t axis = context.Int("axis");
  if (axis < -x.rank() || axis > x.rank()) {
    return context.Fail("axis",
                        absl::StrCat("axis ", axis, " is outside a tensor of rank ", x.rank()));
  }
  if (axis < 0) axis += x.rank();
  Dims dims{1, 1};
  for (int i = 0; i < x.rank(); ++i) dims[i < axis ? 0 : 1] *= x[i];
  return Result(context, "axis", dims);
}

constexpr Parameter kReshape[] = {Arg("x", kTensors), ConstInts("shape")};
constexpr Parameter kTranspose[] = {Arg("x", kTensors), ConstInts("perm")};
constexpr Parameter kExpandDims[] = {Arg("x", kTensors), ConstInts("axes")};
constexpr Parameter kSqueeze[] = {Arg("x", kTensors), ConstInts("axes").Computed()};
constexpr Parameter kConcat[] = {Arg("values", kTensors).Variadic(), Axis(),
                                 ConstBool("interleave").OrBool(false)};
constexpr Parameter kStack[] = {Arg("values", kTensors).Variadic(), Axis()};
constexpr Parameter kSplit[] = {Arg("x", kTensors),
                                Arg("num_splits", kIntegers).Constant().Scalar().Optional(),
                                ConstInts("split_sizes").Optional(), Axis()};
constexpr Parameter kPad[] = {
    Arg("x", kTensors), ConstInts("pad"), ConstText("mode").OrText("constant"),
    Arg("constant_val", kTensors).Constant().Scalar().Like("x").OrNumber(0)};
constexpr Parameter kTile[] = {Arg("x", kTensors), ConstInts("reps")};
constexpr Parameter kReverse[] = {Arg("x", kTensors), ConstInts("axes").Computed()};
constexpr Parameter kFlatten2d[] = {Arg("x", kTensors), Axis().OrInt(1)};

constexpr OpSignature kOps[] = {
    {"reshape", kReshape, InferReshape},
    {"transpose", kTranspose, InferTranspose},
    {"expand_dims", kExpandDims, InferExpandDims},
    {"squeeze", kSqueeze, InferSqueeze},
    {"concat", kConcat, InferConcat},
    {"stack", kStack, InferStack},
    {"split", kSplit, InferSplit},
    {"pad", kPad, InferPad},
    {"tile", kTile, InferTile},
    {"reverse", kReverse, InferReverse},
    {"flatten2d", kFlatten2d, InferFlatten2d},
};

}  // namespace

std::span<const OpSignature> LayoutOps() { return kOps; }

}  // namespace anex::mil
