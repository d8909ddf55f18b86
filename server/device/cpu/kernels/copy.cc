#include "server/device/cpu/kernels/copy.h"

#include <algorithm>
#include <cstring>

#include "server/device/cpu/function_kernel.h"

namespace anex::device::cpu {
namespace {

// Square tiles of this many elements a side: both sides of a transposed copy touch whole cache
// lines before they are evicted.
constexpr int64_t kTile = 32;
constexpr int64_t kChunkElements = 32 * 1024;

// to[row, column] = from[row, column] for two loops of any strides; `to` has stride 1 inside.
template <typename T>
void CopyPlane(const T* from, int64_t row_stride, int64_t column_stride, T* to, int64_t rows,
               int64_t columns) {
  if (column_stride == 1) {
    for (int64_t row = 0; row < rows; ++row) {
      std::memcpy(to + row * columns, from + row * row_stride,
                  static_cast<size_t>(columns) * sizeof(T));
    }
    return;
  }
  for (int64_t r0 = 0; r0 < rows; r0 += kTile) {
    const int64_t r1 = std::min(rows, r0 + kTile);
    for (int64_t c0 = 0; c0 < columns; c0 += kTile) {
      const int64_t c1 = std::min(columns, c0 + kTile);
      for (int64_t r = r0; r < r1; ++r) {
        for (int64_t c = c0; c < c1; ++c) {
          to[r * columns + c] = from[r * row_stride + c * column_stride];
        }
      }
    }
  }
}

// What to copy, seen as `planes` planes of rows x columns. The row loop is the one that has
// neighbours in memory, if there is one: that makes the tiles of a transpose square.
struct Planes {
  Loops outer;  // loops around the plane
  int64_t planes = 1;
  int64_t rows = 1, columns = 1;
  int64_t row_stride = 0, column_stride = 1;
  Strides outer_to{};  // of the result, per outer loop
  int64_t row_to = 0;  // result elements from one row to the next
};

Planes PlanesOf(const View& view) {
  const Loops loops = Coalesce(view);
  Planes planes;
  if (loops.rank == 0) return planes;
  Strides to{};
  int64_t next = 1;
  for (int loop = loops.rank - 1; loop >= 0; --loop) {
    to[loop] = next;
    next *= loops.sizes[loop];
  }
  const int inner = loops.rank - 1;
  planes.columns = loops.sizes[inner];
  planes.column_stride = loops.strides[inner];
  int row = inner - 1;
  for (int loop = 0; loop < inner; ++loop) {
    if (loops.strides[loop] == 1) row = loop;
  }
  for (int loop = 0; loop < inner; ++loop) {
    if (loop == row) {
      planes.rows = loops.sizes[loop];
      planes.row_stride = loops.strides[loop];
      planes.row_to = to[loop];
      continue;
    }
    planes.outer_to[planes.outer.rank] = to[loop];
    planes.outer.sizes[planes.outer.rank] = loops.sizes[loop];
    planes.outer.strides[planes.outer.rank++] = loops.strides[loop];
    planes.planes *= loops.sizes[loop];
  }
  return planes;
}

// Copies rows [begin, end) of plane number `plane`.
template <typename T>
void CopyRows(const Planes& planes, const TensorRef& in, const TensorRef& out, int64_t plane,
              int64_t begin, int64_t end) {
  int64_t from = 0, to = 0;
  for (int loop = planes.outer.rank - 1; loop >= 0; --loop) {
    const int64_t i = plane % planes.outer.sizes[loop];
    plane /= planes.outer.sizes[loop];
    from += i * planes.outer.strides[loop];
    to += i * planes.outer_to[loop];
  }
  const T* source = in.as<const T>() + from;
  T* target = out.as<T>() + to;
  if (planes.row_to == planes.columns || end - begin == 1) {
    CopyPlane(source + begin * planes.row_stride, planes.row_stride, planes.column_stride,
              target + begin * planes.row_to, end - begin, planes.columns);
    return;
  }
  // Rows of the result are apart: a tile of rows at a time, column by column.
  for (int64_t r0 = begin; r0 < end; r0 += kTile) {
    const int64_t r1 = std::min(end, r0 + kTile);
    for (int64_t c = 0; c < planes.columns; ++c) {
      for (int64_t r = r0; r < r1; ++r) {
        target[r * planes.row_to + c] = source[r * planes.row_stride + c * planes.column_stride];
      }
    }
  }
}

template <typename T>
void RunCopy(const Planes& planes, const RunContext& run) {
  const int64_t rows_each = std::max<int64_t>(1, kChunkElements / planes.columns);
  const int64_t parts = (planes.rows + rows_each - 1) / rows_each;
  const bool few = planes.planes * planes.rows * planes.columns <= kChunkElements;
  const auto part = [&](int64_t i) {
    const int64_t begin = i % parts * rows_each;
    CopyRows<T>(planes, run.in[0], run.out[0], i / parts, begin,
                std::min(planes.rows, begin + rows_each));
  };
  const int64_t count = planes.planes * parts;
  if (few || run.pool == nullptr) {
    for (int64_t i = 0; i < count; ++i) part(i);
  } else {
    run.pool->ParallelFor(count, [&](int64_t i, int) { part(i); });
  }
}

template <typename T>
std::unique_ptr<Kernel> MakeCopy(const Planes& planes) {
  return MakeFunctionKernel([planes](const RunContext& run) { RunCopy<T>(planes, run); });
}

}  // namespace

std::unique_ptr<Kernel> MakeCopyKernel(const View& from) {
  const Planes planes = PlanesOf(from);
  switch (ElementSize(from.dtype)) {
    case 1:
      return MakeCopy<uint8_t>(planes);
    case 2:
      return MakeCopy<uint16_t>(planes);
    case 4:
      return MakeCopy<uint32_t>(planes);
    default:
      return MakeCopy<uint64_t>(planes);
  }
}

}  // namespace anex::device::cpu
