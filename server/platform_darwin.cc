#include "proto/shm/iosurface_region.h"
#include "server/device/apple/ane_device.h"
#include "server/device/cpu/cpu_device.h"
#include "server/platform.h"

// Where tests have another library.
#ifndef ANEX_ANE_FRAMEWORK
#define ANEX_ANE_FRAMEWORK ::anex::device::apple::kFrameworkPath
#endif

namespace anex::server {

std::vector<std::string> DeviceNames() { return {"ane", "cpu"}; }

std::vector<device::DeviceFactory> DeviceFactories(const Config& config) {
  const device::DeviceFactory cpu = device::cpu::CpuDeviceFactory({.threads = config.cpu_threads});
  device::apple::AneOptions ane;
  ane.framework_path = ANEX_ANE_FRAMEWORK;
  ane.reference = cpu;
  return {device::apple::AneDeviceFactory(ane), cpu};
}

absl::StatusOr<std::shared_ptr<shm::SharedRegion>> CreateSurfaceRegion(uint64_t bytes,
                                                                       std::string_view label) {
  return shm::CreateIosurfaceRegion(bytes, label);
}

bool SurfaceRegionsShareReadOnly() { return false; }

}  // namespace anex::server
