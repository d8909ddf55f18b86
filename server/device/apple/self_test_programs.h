// The programs of the self-test. Pure; any thread.
#ifndef ANEX_SERVER_DEVICE_APPLE_SELF_TEST_PROGRAMS_H_
#define ANEX_SERVER_DEVICE_APPLE_SELF_TEST_PROGRAMS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "server/device/apple/test_program.h"

namespace anex::device::apple {

// * operands: a product of two inputs of different sizes, whose names, sizes and places in the
//   declaration are in three different orders;
// * order: a difference of two inputs of one size;
// * weights a, b: two programs of one text with different weights.
absl::StatusOr<std::vector<TestProgram>> SelfTestPrograms();
// A difference of two inputs whose rows have five elements: shows where the engine wants rows to
// begin. Not every engine has to take it.
absl::StatusOr<TestProgram> NarrowProgram();

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_SELF_TEST_PROGRAMS_H_
