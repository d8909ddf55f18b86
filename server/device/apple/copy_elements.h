// Copies a tensor, and nothing between its rows: that is the owner's. Pure; any thread.
#ifndef ANEX_SERVER_DEVICE_APPLE_COPY_ELEMENTS_H_
#define ANEX_SERVER_DEVICE_APPLE_COPY_ELEMENTS_H_

#include <cstddef>

#include "proto/wire/tensor_layout.h"

namespace anex::device::apple {

// REQUIRES: one dtype and one shape; the two do not overlap.
void CopyElements(const TensorLayout& from_layout, const std::byte* from,
                  const TensorLayout& to_layout, std::byte* to);

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_COPY_ELEMENTS_H_
