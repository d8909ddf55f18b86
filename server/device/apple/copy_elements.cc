#include "server/device/apple/copy_elements.h"

#include <cstdint>
#include <cstring>

#include "server/device/apple/element_walk.h"

namespace anex::device::apple {
namespace {

// Dimension `axis` goes on where the `run` bytes inside it end.
bool Continues(const TensorLayout& layout, int axis, size_t run) {
  return layout.shape[axis] == 1 || layout.strides[axis] == static_cast<int64_t>(run);
}

}  // namespace

void CopyElements(const TensorLayout& from_layout, const std::byte* from,
                  const TensorLayout& to_layout, std::byte* to) {
  // The innermost dimensions that lie without gaps in both are one run.
  size_t run = ElementSize(from_layout.dtype);
  int outer = from_layout.shape.rank();
  while (outer > 0 && Continues(from_layout, outer - 1, run) &&
         Continues(to_layout, outer - 1, run)) {
    run *= static_cast<size_t>(from_layout.shape[--outer]);
  }
  const auto dims = from_layout.shape.dims().first(static_cast<size_t>(outer));
  ForEachIndex(dims, [&](const ElementIndex& at) {
    std::memcpy(to + OffsetOf(to_layout, at), from + OffsetOf(from_layout, at), run);
    return true;
  });
}

}  // namespace anex::device::apple
