// How far the cpu device's default mode may be from the reference, for one operation on the same
// operands: the table of server/device/cpu/README.md.
#ifndef ANEX_TESTS_FUZZ_ALLOWANCE_H_
#define ANEX_TESTS_FUZZ_ALLOWANCE_H_

#include <string>

#include "server/mil/program.h"
#include "tests/device/harness.h"

namespace anex::device::cpu {

struct Allowance {
  int64_t ulps = 0;
  double slack = 0;  // absolute; infinite where terms of a product may leave the range of floats
  bool signed_zeros = true;  // false where nothing defines the sign of a zero
};

// `values` has the operands that are no constants.
Allowance AllowanceOf(const mil::Function& function, const mil::Operation& operation,
                      const Tensors& values);

}  // namespace anex::device::cpu

#endif  // ANEX_TESTS_FUZZ_ALLOWANCE_H_
