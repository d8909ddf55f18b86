// What the cpu device answers to the questions that are asked of a Neural Engine: how it behaves
// itself, never what an engine would do. Every answer is emulated.
#ifndef ANEX_SERVER_DEVICE_CPU_CPU_PROBE_H_
#define ANEX_SERVER_DEVICE_CPU_CPU_PROBE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "server/device/device.h"

namespace anex::device::cpu {

// Compiles and runs small programs on `device`. CANCELLED when told to stop.
absl::StatusOr<std::vector<ProbeFinding>> ProbeCpu(Device& device, CallControl& control);

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_CPU_PROBE_H_
