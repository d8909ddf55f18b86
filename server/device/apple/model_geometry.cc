#include "server/device/apple/model_geometry.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace anex::device::apple {
namespace {

constexpr std::pair<std::string_view, DType> kTypes[] = {
    {"Float16", DType::kFp16}, {"Float32", DType::kFp32},  {"Int8", DType::kInt8},
    {"UInt8", DType::kUint8},  {"Int16", DType::kInt16},   {"UInt16", DType::kUint16},
    {"Int32", DType::kInt32},  {"UInt32", DType::kUint32}, {"Bool", DType::kBool},
};
// Surfaces are made of whole cache lines of the engine.
constexpr uint64_t kAllocationAlignment = 64;

std::string Say(const LiveTensor& live) {
  return absl::StrCat("[", absl::StrJoin(live.dims, ", "), "]");
}

// The stride of each of the five dimensions: said, or what a packed tensor would have.
std::array<int64_t, kLiveRank> FullStrides(const LiveTensor& live, int64_t element) {
  std::array<int64_t, kLiveRank> strides = live.strides;
  strides[kLiveRank - 1] = element;
  for (int axis = kLiveRank - 2; axis >= 0; --axis) {
    if (strides[axis] <= 0) strides[axis] = strides[axis + 1] * live.dims[axis + 1];
  }
  return strides;
}

absl::Status Differs(const LiveTensor& live, const Shape& shape) {
  return absl::FailedPreconditionError(absl::StrCat(
      "the engine holds '", live.name, "' as ", Say(live), ", the program says ", shape.ToString(),
      ": the two do not have the same dimensions in the same order"));
}

// For each dimension of `shape` the one of `live` that it is, -1 for a one.
absl::StatusOr<std::vector<int>> Match(const LiveTensor& live, const Shape& shape) {
  std::vector<int> axes;
  int next = 0;
  for (const int64_t dim : shape.dims()) {
    if (dim == 1) {
      axes.push_back(-1);
      continue;
    }
    while (next < kLiveRank && live.dims[next] == 1) ++next;
    if (next == kLiveRank || live.dims[next] != dim) return Differs(live, shape);
    axes.push_back(next++);
  }
  while (next < kLiveRank && live.dims[next] == 1) ++next;
  if (next != kLiveRank) return Differs(live, shape);
  return axes;
}

}  // namespace

DType DTypeOfLive(std::string_view type) {
  for (const auto& [name, dtype] : kTypes) {
    if (name == type) return dtype;
  }
  return DType::kInvalid;
}

absl::StatusOr<TensorLayout> LayoutOf(const LiveTensor& live, DType dtype, const Shape& shape) {
  if (!live.type.empty() && DTypeOfLive(live.type) != dtype) {
    return absl::FailedPreconditionError(absl::StrCat("the engine holds '", live.name, "' as ",
                                                      live.type, ", the program says ",
                                                      std::string(DTypeName(dtype))));
  }
  absl::StatusOr<std::vector<int>> axes = Match(live, shape);
  if (!axes.ok()) return axes.status();
  const auto element = static_cast<int64_t>(ElementSize(dtype));
  const std::array<int64_t, kLiveRank> strides = FullStrides(live, element);
  TensorLayout layout{.dtype = dtype, .shape = shape};
  // A one has no stride of its own; that of what follows it is as good as any.
  int64_t inner = element;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    const int from = (*axes)[axis];
    layout.strides[axis] = from < 0 ? inner : strides[from];
    inner = layout.strides[axis] * shape[axis];
  }
  const int64_t whole = strides[0] * live.dims[0];
  layout.allocation_bytes = std::max(static_cast<uint64_t>(whole), SpanBytes(layout));
  layout.allocation_bytes = (layout.allocation_bytes + kAllocationAlignment - 1) /
                            kAllocationAlignment * kAllocationAlignment;
  if (absl::Status good = CheckLayout(layout); !good.ok()) return good;
  return layout;
}

absl::StatusOr<const LiveFunction*> FindFunction(const ModelGeometry& geometry,
                                                 std::string_view name, size_t index,
                                                 size_t count) {
  for (const LiveFunction& function : geometry.functions) {
    if (function.name == name) return &function;
  }
  // Some names carry more than MIL's: "0@main".
  const std::string tail = absl::StrCat("@", std::string(name));
  for (const LiveFunction& function : geometry.functions) {
    if (absl::EndsWith(function.name, tail)) return &function;
  }
  if (count == 1 && geometry.functions.size() == 1) return &geometry.functions[0];
  if (index < geometry.functions.size() && geometry.functions.size() == count &&
      geometry.functions[index].name.empty()) {
    return &geometry.functions[index];
  }
  return absl::NotFoundError(absl::StrCat("the loaded program has no function '", std::string(name),
                                          "' among its ", geometry.functions.size()));
}

}  // namespace anex::device::apple
