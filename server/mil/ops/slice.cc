// Cutting a box out of a tensor.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/mil/op_context.h"
#include "server/mil/ops/families.h"

namespace anex::mil {
namespace {

using Dims = std::vector<int64_t>;

Inferred Result(OpContext& context, std::string_view argument, const Dims& dims) {
  const std::optional<Shape> shape = context.MakeShape(argument, dims);
  if (!shape.has_value()) return std::nullopt;
  return std::vector{TensorType{context.DTypeOf("x"), *shape}};
}

// Of one dimension, as numpy has it: negative positions count from the end, what is outside is
// clamped. Returns how many elements are taken.
int64_t TakenElements(int64_t size, int64_t begin, int64_t end, int64_t stride, bool from_start,
                      bool to_end) {
  const int64_t lowest = stride > 0 ? 0 : -1;
  const int64_t highest = stride > 0 ? size : size - 1;
  if (begin < 0) begin += size;
  if (end < 0) end += size;
  begin = from_start ? (stride > 0 ? 0 : size - 1) : std::clamp(begin, lowest, highest);
  end = to_end ? (stride > 0 ? size : -1) : std::clamp(end, lowest, highest);
  const int64_t distance = stride > 0 ? end - begin : begin - end;
  const int64_t step = stride > 0 ? stride : -stride;
  return distance <= 0 ? 0 : (distance - 1) / step + 1;
}

bool CheckCounts(OpContext& context, size_t rank) {
  for (std::string_view name :
       {"begin", "end", "stride", "begin_mask", "end_mask", "squeeze_mask"}) {
    const size_t found = context.Ints(name).size();
    if (found == rank) continue;
    context.Fail(name,
                 absl::StrCat("`", std::string(name), "` needs ", rank, " entries, found ", found));
    return false;
  }
  return true;
}

Inferred InferSliceByIndex(OpContext& context) {
  const Shape x = context.ShapeOf("x");
  const size_t rank = static_cast<size_t>(x.rank());
  context.FillInts("stride", Dims(rank, 1));
  for (std::string_view mask : {"begin_mask", "end_mask", "squeeze_mask"}) {
    context.FillBools(mask, rank);
  }
  if (!CheckCounts(context, rank)) return std::nullopt;
  const Dims begin = context.Ints("begin"), end = context.Ints("end");
  const Dims stride = context.Ints("stride"), squeeze = context.Ints("squeeze_mask");
  const Dims from_start = context.Ints("begin_mask"), to_end = context.Ints("end_mask");
  Dims dims;
  for (size_t i = 0; i < rank; ++i) {
    const int64_t size = x[static_cast<int>(i)];
    if (squeeze[i]) {  // one element, and the dimension goes
      if (from_start[i] || (begin[i] >= -size && begin[i] < size)) continue;
      return context.Fail("begin", absl::StrCat("index ", begin[i], " of axis ", i,
                                                " is outside its ", size, " elements"));
    }
    // The least int64 has no negative; nor does any real stride come near it.
    if (stride[i] == 0 || stride[i] < -(int64_t{1} << 47)) {
      return context.Fail("stride", absl::StrCat("a stride of ", stride[i], " is not possible"));
    }
    const int64_t taken =
        TakenElements(size, begin[i], end[i], stride[i], from_start[i], to_end[i]);
    if (taken == 0) {
      return context.Fail("end",
                          absl::StrCat("takes nothing of axis ", i, ": from ", begin[i], " to ",
                                       end[i], " of ", size, " elements"),
                          "an empty tensor is not possible");
    }
    dims.push_back(taken);
  }
  return Result(context, "begin", dims);
}

Inferred InferSliceBySize(OpContext& context) {
  const Shape& x = context.ShapeOf("x");
  const Dims begin = context.Ints("begin");
  Dims size = context.Ints("size");
  const size_t rank = static_cast<size_t>(x.rank());
  for (const auto& [name, count] : {std::pair{"begin", begin.size()}, {"size", size.size()}}) {
    if (count == rank) continue;
    return context.Fail(name, absl::StrCat("`", name, "` needs ", rank, " entries, found ", count));
  }
  for (size_t i = 0; i < rank; ++i) {
    const int64_t have = x[static_cast<int>(i)];
    const int64_t from = begin[i] < 0 ? begin[i] + have : begin[i];
    if (from < 0 || from >= have) {
      return context.Fail("begin", absl::StrCat("begin ", begin[i], " of axis ", i,
                                                " is outside its ", have, " elements"));
    }
    if (size[i] == -1) size[i] = have - from;
    if (size[i] < 1 || size[i] > have - from) {
      return context.Fail("size", absl::StrCat("cannot take ", size[i], " elements of axis ", i,
                                               " from ", from, " on: it has ", have));
    }
  }
  return Result(context, "size", size);
}

constexpr Parameter Mask(std::string_view name) {
  return Arg(name, kBools).Constant().Vector().Computed();
}

constexpr Parameter kSliceByIndex[] = {
    Arg("x", kTensors), ConstInts("begin"), ConstInts("end"),    ConstInts("stride").Computed(),
    Mask("begin_mask"), Mask("end_mask"),   Mask("squeeze_mask")};
constexpr Parameter kSliceBySize[] = {Arg("x", kTensors), ConstInts("begin"), ConstInts("size")};

constexpr OpSignature kOps[] = {
    {"slice_by_index", kSliceByIndex, InferSliceByIndex},
    {"slice_by_size", kSliceBySize, InferSliceBySize},
};

}  // namespace

std::span<const OpSignature> SliceOps() { return kOps; }

}  // namespace anex::mil
