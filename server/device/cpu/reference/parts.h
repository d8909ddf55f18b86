// A tensor cut into the axes that are worked along and the others. For the reference. Pure.
#ifndef ANEX_SERVER_DEVICE_CPU_REFERENCE_PARTS_H_
#define ANEX_SERVER_DEVICE_CPU_REFERENCE_PARTS_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "server/device/cpu/reference/element.h"

namespace anex::device::cpu::reference {

// The part of a shape that a reduction keeps, and the part that it runs over; each has the rank of
// the whole, with 1 where the other has the size.
struct Parts {
  Shape kept, reduced;
  int64_t count = 1;  // elements of `reduced`
};

inline Parts PartsOf(const Shape& shape, const std::vector<int>& axes) {
  std::vector<int64_t> kept(shape.dims().begin(), shape.dims().end());
  std::vector<int64_t> reduced(kept.size(), 1);
  for (const int axis : axes) std::swap(kept[axis], reduced[axis]);
  Parts parts{*Shape::Make(kept), *Shape::Make(reduced)};
  parts.count = parts.reduced.ElementCount();
  return parts;
}

// Calls f(position, number) for every element that goes into the one at `kept`.
template <typename F>
void ForReduced(const Shape& shape, const Parts& parts, const Index& kept, F f) {
  Index reduced{};
  int64_t number = 0;
  do {
    Index index{};
    for (int axis = 0; axis < shape.rank(); ++axis) index[axis] = kept[axis] + reduced[axis];
    f(Position(shape, index, shape.rank()), number++);
  } while (Advance(parts.reduced, reduced));
}

}  // namespace anex::device::cpu::reference

#endif  // ANEX_SERVER_DEVICE_CPU_REFERENCE_PARTS_H_
