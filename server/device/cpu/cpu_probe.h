// What the cpu device answers to the questions that are asked of a Neural Engine: how it behaves
// itself, never what an engine would do. Every answer is emulated.
#ifndef ANEX_SERVER_DEVICE_CPU_CPU_PROBE_H_
#define ANEX_SERVER_DEVICE_CPU_CPU_PROBE_H_

#include "absl/status/status.h"
#include "server/device/device.h"

namespace anex::device::cpu {

// Compiles and runs small programs on `device`. As Device::Probe.
absl::Status ProbeCpu(Device& device, CallControl& control, ProbeLog& log);

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_CPU_PROBE_H_
