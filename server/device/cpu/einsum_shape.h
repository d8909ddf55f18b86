// einsum of two operands as a product: which axes are batch, rows, columns and summed. Shared by
// both modes. Pure.
#ifndef ANEX_SERVER_DEVICE_CPU_EINSUM_SHAPE_H_
#define ANEX_SERVER_DEVICE_CPU_EINSUM_SHAPE_H_

#include <cstdint>
#include <vector>

#include "server/device/cpu/op_site.h"

namespace anex::device::cpu {

// One letter of the equation: its size, and how far apart its neighbours are in each operand and in
// the result. 0 where it does not occur, or is repeated.
struct EinsumAxis {
  int64_t size = 1;
  int64_t x = 0, y = 0, out = 0;
};

struct EinsumShape {
  std::vector<EinsumAxis> kept;    // of the result, in its order
  std::vector<EinsumAxis> summed;  // in the order of their first occurrence
};

// REQUIRES: a checked equation of two operands of these shapes, both packed.
EinsumShape ReadEinsum(const OpSite& site, const Shape& x, const Shape& y);

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_EINSUM_SHAPE_H_
