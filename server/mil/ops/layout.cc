// Operations that only move elements: reshape, transpose, pad, tile, reverse, ...
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

// The dimension of x that a 0 at place `i` of `places` copies: the one that stands as far from the
// right, or 1 where x has none. -1: not possible, before ios17 both must have the same rank.
int64_t CopiedDimension(OpContext& context, const Shape& x, size_t i, size_t places) {
  if (context.opset() < 17 && static_cast<int>(places) != x.rank()) return -1;
  const int at = static_cast<int>(i) - (static_cast<int>(places) - x.rank());
  return at >= 0 && at < x.rank() ? x[at] : 1;
}

// A 0 copies a dimension of x; one -1 takes what is left.
Inferred InferReshape(OpContext& context) {
  const Shape& x = context.ShapeOf("x");
  const Dims wanted = context.Ints("shape");
  Dims dims = wanted;
  std::optional<size_t> open;
  int64_t known = 1;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 0) {
      dims[i] = CopiedDimension(context, x, i, dims.size());
      if (dims[i] < 0) {
        return context.Fail(
            "shape", absl::StrCat("0 at place ", i, " copies a dimension of x ", x.ToString(),
                                  ", so before ios17 the shape needs ", x.rank(),
                                  " entries, found ", dims.size()));
      }
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
    if (ones.empty()) return Result(context, "x", DimsOf(x));  // a list of axes cannot be empty
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

Inferred InferReverseSequence(OpContext& context) {
  const Shape x = context.ShapeOf("x");
  const std::optional<int> sequence = context.AxisOf("seq_axis", x.rank());
  const std::optional<int> batch = context.AxisOf("batch_axis", x.rank());
  if (!sequence.has_value() || !batch.has_value()) return std::nullopt;
  if (*sequence == *batch) {
    return context.Fail("seq_axis", absl::StrCat("seq_axis and batch_axis are both ", *batch));
  }
  if (context.ShapeOf("lengths") != Shape{x[*batch]}) {
    return context.Mismatch("lengths",
                            absl::StrCat("lengths must have shape [", x[*batch], "], found ",
                                         context.ShapeOf("lengths").ToString()));
  }
  return std::vector{context.TypeOf("x")};
}

// Every window becomes a row of a new axis behind `axis`.
Inferred InferSlidingWindows(OpContext& context) {
  const Shape x = context.ShapeOf("x");
  const std::optional<int> axis = context.AxisOf("axis", x.rank());
  if (!axis.has_value()) return std::nullopt;
  const int64_t size = context.Int("size"), stride = context.Int("stride");
  if (size < 1 || size > x[*axis]) {
    return context.Fail("size", absl::StrCat("a window of ", size, " does not fit axis ", *axis,
                                             " of ", x[*axis], " elements"));
  }
  if (stride < 1) {
    return context.Fail("stride", absl::StrCat("a stride of ", stride, " is not possible"));
  }
  Dims dims = DimsOf(x);
  const auto at = static_cast<size_t>(*axis);
  dims[at] = (x[*axis] - size) / stride + 1;
  dims.insert(dims.begin() + *axis + 1, size);
  return Result(context, "size", dims);
}

// The shape is cut out of the shapes of other tensors.
Inferred InferReshapeLike(OpContext& context) {
  const std::vector<TensorType> references = context.TypesOf("ref_tensors");
  const Dims begins = context.AllInts("begins"), ends = context.AllInts("ends");
  const Dims masks = context.AllInts("end_masks");
  if (begins.size() != references.size() || ends.size() != begins.size() ||
      masks.size() != begins.size()) {
    return context.Fail("begins", "ref_tensors, begins, ends and end_masks must be of one length");
  }
  Dims dims;
  for (size_t i = 0; i < references.size(); ++i) {
    const Shape& shape = references[i].shape;
    const auto place = [&](int64_t at) {
      return std::clamp<int64_t>(at < 0 ? at + shape.rank() : at, 0, shape.rank());
    };
    const int64_t end = masks[i] ? shape.rank() : place(ends[i]);
    for (int64_t at = place(begins[i]); at < end; ++at) dims.push_back(shape[static_cast<int>(at)]);
  }
  const std::optional<Shape> shape = context.MakeShape("ref_tensors", dims);
  if (!shape.has_value()) return std::nullopt;
  if (shape->ElementCount() != context.ShapeOf("x").ElementCount()) {
    return context.Mismatch("ref_tensors", absl::StrCat("x ", context.ShapeOf("x").ToString(),
                                                        " does not fill ", shape->ToString()));
  }
  return std::vector{TensorType{context.DTypeOf("x"), *shape}};
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
constexpr Parameter kPad[] = {
    Arg("x", kTensors), ConstInts("pad"), ConstText("mode").OrText("constant"),
    Arg("constant_val", kTensors).Constant().Scalar().Like("x").OrNumber(0)};
constexpr Parameter kTile[] = {Arg("x", kTensors), ConstInts("reps")};
constexpr Parameter kReverse[] = {Arg("x", kTensors), ConstInts("axes").Computed()};
constexpr Parameter kReverseSequence[] = {
    Arg("x", kTensors), Arg("lengths", kIntegers),
    Arg("seq_axis", kIntegers).Constant().Scalar().OrInt(0),
    Arg("batch_axis", kIntegers).Constant().Scalar().OrInt(0)};
constexpr Parameter kSlidingWindows[] = {Arg("x", kTensors), Axis(),
                                         Arg("size", kIntegers).Constant().Scalar(),
                                         Arg("stride", kIntegers).Constant().Scalar().OrInt(1)};
constexpr Parameter kReshapeLike[] = {Arg("x", kTensors), Arg("ref_tensors", kTensors).Variadic(),
                                      Arg("begins", kIntegers).Constant().Scalar().Variadic(),
                                      Arg("ends", kIntegers).Constant().Scalar().Variadic(),
                                      Arg("end_masks", kBools).Constant().Scalar().Variadic()};
constexpr Parameter kFlatten2d[] = {Arg("x", kTensors), Axis().OrInt(1)};

constexpr OpSignature kOps[] = {
    {"reshape", kReshape, InferReshape},
    {"transpose", kTranspose, InferTranspose},
    {"expand_dims", kExpandDims, InferExpandDims},
    {"squeeze", kSqueeze, InferSqueeze},
    {"pad", kPad, InferPad},
    {"tile", kTile, InferTile},
    {"reverse", kReverse, InferReverse},
    {"reverse_sequence", kReverseSequence, InferReverseSequence},
    {"sliding_windows", kSlidingWindows, InferSlidingWindows},
    {"reshape_like", kReshapeLike, InferReshapeLike},
    {"flatten2d", kFlatten2d, InferFlatten2d},
};

}  // namespace

std::span<const OpSignature> LayoutOps() { return kOps; }

}  // namespace anex::mil
