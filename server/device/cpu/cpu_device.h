// The embedded default device: runs programs on the processor's cores.
//
// fp16 storage, wide accumulation, one rounding per operation; README.md has the exact promises.
// Options: "numerics" = "default" | "reference". Results are bit-identical for a mode and a build,
// whatever the load of the machine and the number of threads.
//
// Threads: as device.h says. The pool of threads is the device's own, so that a fresh device made
// after a hang shares nothing with the old one.
#ifndef ANEX_SERVER_DEVICE_CPU_CPU_DEVICE_H_
#define ANEX_SERVER_DEVICE_CPU_CPU_DEVICE_H_

#include <memory>

#include "server/device/device.h"

namespace anex::device::cpu {

struct CpuConfig {
  int threads = 0;  // that compute, the caller of Run included; 0 = one per core
};

std::unique_ptr<Device> MakeCpuDevice(const CpuConfig& config = {});
// Named "cpu".
DeviceFactory CpuDeviceFactory(const CpuConfig& config = {});

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_CPU_DEVICE_H_
