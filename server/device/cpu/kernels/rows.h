// A tensor seen along one run of axes: outer x length x inner elements, packed. Pure.
#ifndef ANEX_SERVER_DEVICE_CPU_KERNELS_ROWS_H_
#define ANEX_SERVER_DEVICE_CPU_KERNELS_ROWS_H_

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "proto/wire/tensor_layout.h"

namespace anex::device::cpu {

struct Rows {
  int64_t outer = 1, length = 1, inner = 1;
};

// Nothing if the axes are not neighbours (axes of size 1 do not matter).
inline std::optional<Rows> RowsAlong(const Shape& shape, const std::vector<int>& axes) {
  Rows rows;
  int part = 0;  // 0 before the axes, 1 among them, 2 behind
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] == 1) continue;
    const bool chosen = std::find(axes.begin(), axes.end(), axis) != axes.end();
    if (chosen && part == 2) return std::nullopt;
    if (chosen) part = 1;
    if (!chosen && part == 1) part = 2;
    (part == 0 ? rows.outer : part == 1 ? rows.length : rows.inner) *= shape[axis];
  }
  return rows;
}

// How many tasks of at least 16K elements a loop over `count` items of `size` elements makes, as
// items per task. By sizes only.
inline int64_t ItemsPerTask(int64_t size) {
  return std::max<int64_t>(1, (16 * 1024) / std::max<int64_t>(size, 1));
}

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_KERNELS_ROWS_H_
