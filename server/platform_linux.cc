#include "server/device/cpu/cpu_device.h"
#include "server/platform.h"

namespace anex::server {

std::vector<std::string> DeviceNames() { return {"cpu"}; }

std::vector<device::DeviceFactory> DeviceFactories(const Config& config) {
  return {device::cpu::CpuDeviceFactory({.threads = config.cpu_threads})};
}

absl::StatusOr<std::shared_ptr<shm::SharedRegion>> CreateSurfaceRegion(uint64_t bytes,
                                                                       std::string_view label) {
  return shm::CreateRegion(bytes, label);
}

bool SurfaceRegionsShareReadOnly() { return true; }

}  // namespace anex::server
