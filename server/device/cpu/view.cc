#include "server/device/cpu/view.h"

namespace anex::device::cpu {

Strides PackedStrides(const Shape& shape) {
  Strides strides{};
  int64_t next = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    strides[axis] = next;
    next *= shape[axis];
  }
  return strides;
}

View PackedView(DType dtype, const Shape& shape) { return {dtype, shape, PackedStrides(shape), 0}; }

bool IsContiguous(const View& view) {
  int64_t next = 1;
  for (int axis = view.shape.rank() - 1; axis >= 0; --axis) {
    if (view.shape[axis] == 1) continue;
    if (view.strides[axis] != next) return false;
    next *= view.shape[axis];
  }
  return true;
}

View BroadcastTo(const View& view, const Shape& shape) {
  View result{view.dtype, shape, {}, view.offset};
  const int missing = shape.rank() - view.shape.rank();
  for (int axis = missing; axis < shape.rank(); ++axis) {
    const bool repeated = view.shape[axis - missing] == 1 && shape[axis] != 1;
    result.strides[axis] = repeated ? 0 : view.strides[axis - missing];
  }
  return result;
}

Loops Coalesce(const View& view) {
  Loops loops;
  for (int axis = 0; axis < view.shape.rank(); ++axis) {
    const int64_t size = view.shape[axis];
    if (size == 1) continue;
    const int last = loops.rank - 1;
    if (loops.rank > 0 && loops.strides[last] == view.strides[axis] * size) {
      loops.sizes[last] *= size;
      loops.strides[last] = view.strides[axis];
    } else {
      loops.sizes[loops.rank] = size;
      loops.strides[loops.rank++] = view.strides[axis];
    }
  }
  return loops;
}

// Splits the coalesced loops, innermost first, into the new dimensions. Where a new dimension
// would straddle two loops no strides can describe it.
std::optional<View> Reshaped(const View& view, const Shape& shape) {
  const Loops loops = Coalesce(view);
  View result{view.dtype, shape, PackedStrides(shape), view.offset};
  int loop = loops.rank - 1;
  int64_t left = loop >= 0 ? loops.sizes[loop] : 1;
  int64_t stride = loop >= 0 ? loops.strides[loop] : 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    const int64_t size = shape[axis];
    if (size == 1) continue;
    if (left == 1) {
      if (--loop < 0) return std::nullopt;
      left = loops.sizes[loop];
      stride = loops.strides[loop];
    }
    if (left % size != 0) return std::nullopt;
    result.strides[axis] = stride;
    stride *= size;
    left /= size;
  }
  return result;
}

}  // namespace anex::device::cpu
