// One walk over the elements of a tensor, whatever its strides. Pure; any thread.
#ifndef ANEX_SERVER_DEVICE_APPLE_ELEMENT_WALK_H_
#define ANEX_SERVER_DEVICE_APPLE_ELEMENT_WALK_H_

#include <array>
#include <cstdint>
#include <span>

#include "proto/wire/tensor_layout.h"

namespace anex::device::apple {

using ElementIndex = std::array<int64_t, kMaxRank>;

// Calls `visit` with the index of each element of `dims`, in row-major order, until it says false.
template <typename Visit>
void ForEachIndex(std::span<const int64_t> dims, const Visit& visit) {
  ElementIndex at{};
  for (;;) {
    if (!visit(at)) return;
    int axis = static_cast<int>(dims.size()) - 1;
    while (axis >= 0 && ++at[axis] == dims[axis]) at[axis--] = 0;
    if (axis < 0) return;
  }
}

// The byte offset of the element `at`; axes beyond `at`'s own count as 0.
inline int64_t OffsetOf(const TensorLayout& layout, const ElementIndex& at) {
  int64_t offset = 0;
  for (int axis = 0; axis < layout.shape.rank(); ++axis) offset += at[axis] * layout.strides[axis];
  return offset;
}

// Calls `visit` with the number and byte offset of each element, in row-major order.
template <typename Visit>
void ForEachOffset(const TensorLayout& layout, const Visit& visit) {
  size_t number = 0;
  ForEachIndex(layout.shape.dims(), [&](const ElementIndex& at) {
    visit(number++, OffsetOf(layout, at));
    return true;
  });
}

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_ELEMENT_WALK_H_
