// Arithmetic of integers where 64 bits say more than a double: sums, products and powers wrap
// around, comparisons and divisions are exact. For the reference. Pure.
#ifndef ANEX_SERVER_DEVICE_CPU_REFERENCE_INTEGERS_H_
#define ANEX_SERVER_DEVICE_CPU_REFERENCE_INTEGERS_H_

#include <cstdint>
#include <optional>

#include "server/device/cpu/elementwise_op.h"

namespace anex::device::cpu::reference {

// The result of the operation, or nothing for those that doubles compute just as well, or that end
// in a fraction or a division by 0. `is_unsigned`: the 64 bits of x and y are those of a uint64. An
// operation with one operand ignores `y`.
std::optional<int64_t> IntegerResult(const Elementwise& what, int64_t x, int64_t y,
                                     bool is_unsigned);

}  // namespace anex::device::cpu::reference

#endif  // ANEX_SERVER_DEVICE_CPU_REFERENCE_INTEGERS_H_
