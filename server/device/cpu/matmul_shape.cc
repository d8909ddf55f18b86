#include "server/device/cpu/matmul_shape.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace anex::device::cpu {
namespace {

View SwapLast(const View& view) {
  const int rank = view.shape.rank();
  std::vector<int64_t> dims(view.shape.dims().begin(), view.shape.dims().end());
  std::swap(dims[rank - 2], dims[rank - 1]);
  View result = view;
  result.shape = *Shape::Make(dims);
  std::swap(result.strides[rank - 2], result.strides[rank - 1]);
  return result;
}

// A vector is a row on the left and a column on the right; it is never transposed.
View AsMatrix(const View& view, bool left, bool transposed) {
  if (view.shape.rank() >= 2) return transposed ? SwapLast(view) : view;
  const int64_t size = view.shape[0], stride = view.strides[0];
  View result{view.dtype, left ? Shape{1, size} : Shape{size, 1}, {}, view.offset};
  result.strides[left ? 1 : 0] = stride;
  return result;
}

Shape BatchOf(const View& x, const View& y) {
  const int rank = std::max(x.shape.rank(), y.shape.rank()) - 2;
  std::vector<int64_t> batch(static_cast<size_t>(rank), 1);
  for (const View* view : {&x, &y}) {
    const int missing = rank - (view->shape.rank() - 2);
    for (int axis = missing; axis < rank; ++axis) {
      batch[axis] = std::max(batch[axis], view->shape[axis - missing]);
    }
  }
  return *Shape::Make(batch);
}

View WithBatch(const View& view, const Shape& batch) {
  std::vector<int64_t> dims(batch.dims().begin(), batch.dims().end());
  const int rank = view.shape.rank();
  dims.push_back(view.shape[rank - 2]);
  dims.push_back(view.shape[rank - 1]);
  return BroadcastTo(view, *Shape::Make(dims));
}

}  // namespace

MatmulShape MatmulShapeOf(const View& x, bool transpose_x, const View& y, bool transpose_y) {
  const View left = AsMatrix(x, true, transpose_x), right = AsMatrix(y, false, transpose_y);
  MatmulShape shape;
  shape.batch = BatchOf(left, right);
  shape.m = left.shape[left.shape.rank() - 2];
  shape.k = left.shape[left.shape.rank() - 1];
  shape.n = right.shape[right.shape.rank() - 1];
  shape.x = WithBatch(left, shape.batch);
  shape.y = WithBatch(right, shape.batch);
  return shape;
}

}  // namespace anex::device::cpu
