// What matmul multiplies: sizes, and how its operands are repeated. Shared by both modes. Pure.
#ifndef ANEX_SERVER_DEVICE_CPU_MATMUL_SHAPE_H_
#define ANEX_SERVER_DEVICE_CPU_MATMUL_SHAPE_H_

#include <cstdint>

#include "server/device/cpu/view.h"

namespace anex::device::cpu {

// Operands as [..., m, k] and [..., k, n], whatever was written: transpositions and the missing
// axis of vectors are in the strides; batch axes of both have the shape `batch`.
struct MatmulShape {
  Shape batch;
  int64_t m = 0, n = 0, k = 0;
  View x, y;
};

// REQUIRES: the checker found that they go together.
MatmulShape MatmulShapeOf(const View& x, bool transpose_x, const View& y, bool transpose_y);

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_MATMUL_SHAPE_H_
