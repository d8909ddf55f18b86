// How the elements of a value lie in its buffer. Strides count elements, not bytes; they may be 0
// (broadcast) or negative (a slice that runs backwards). Values only, any thread.
#ifndef ANEX_SERVER_DEVICE_CPU_VIEW_H_
#define ANEX_SERVER_DEVICE_CPU_VIEW_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "proto/wire/tensor_layout.h"

namespace anex::device::cpu {

using Strides = std::array<int64_t, kMaxRank>;

struct View {
  DType dtype = DType::kInvalid;
  Shape shape;
  Strides strides{};   // elements
  int64_t offset = 0;  // elements from the start of the buffer to element [0, 0, ...]

  int64_t elements() const { return shape.ElementCount(); }
  uint64_t bytes() const { return static_cast<uint64_t>(elements()) * ElementSize(dtype); }
};

// Row-major without gaps.
Strides PackedStrides(const Shape& shape);
View PackedView(DType dtype, const Shape& shape);
bool IsContiguous(const View& view);  // row-major without gaps, wherever it starts

// `view` repeated to `shape` by numpy's right-aligned rules. REQUIRES: it fits.
View BroadcastTo(const View& view, const Shape& shape);
// The same elements in another shape, or nothing if that takes a copy.
std::optional<View> Reshaped(const View& view, const Shape& shape);

// The same elements in row-major order, as few loops as possible: dimensions of size 1 dropped,
// neighbours merged. `sizes` and `strides` are outermost first; rank 0 is a single element.
struct Loops {
  int rank = 0;
  std::array<int64_t, kMaxRank> sizes{};
  Strides strides{};
};
Loops Coalesce(const View& view);

// An axis as written, -rank .. rank-1, counted from 0.
inline int FromZero(int64_t axis, int rank) {
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_VIEW_H_
