// The programs that probes give an engine, beside those with weights (test_program.h). Pure; any
// thread.
#ifndef ANEX_SERVER_DEVICE_APPLE_PROBE_PROGRAMS_H_
#define ANEX_SERVER_DEVICE_APPLE_PROBE_PROGRAMS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "server/device/apple/test_program.h"

namespace anex::device::apple {

// y = a b - c. As declared, by name, the smallest first and the largest first are four different
// orders of its inputs.
absl::StatusOr<TestProgram> ThreeInputs();
// Two outputs of unequal sizes, declared against the order of their names.
absl::StatusOr<TestProgram> TwoOutputs();
// y = x - a, [1, channels, 1, width].
absl::StatusOr<TestProgram> Difference(int channels, int width);
// y = a over x, joined along their channels.
absl::StatusOr<TestProgram> Joined();

// A seed for weights that no other program has, in this process or in another: what is done to the
// program's files and to the system's copy of it concerns nobody else.
uint32_t NewSeed();

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_PROBE_PROGRAMS_H_
