// What differs between the machines that anexd serves: the devices that it may find there, and what
// surfaces are made of. One file for each kind of machine, the linker takes one: platform_linux.cc,
// platform_darwin.cc. The tests' daemon has the latter on doubles of Apple's libraries.
//
// Threads: any.
#ifndef ANEX_SERVER_PLATFORM_H_
#define ANEX_SERVER_PLATFORM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/shm/shared_region.h"
#include "server/config.h"
#include "server/device/device.h"

namespace anex::server {

// Of the devices, in order of preference: the first that the machine has is the default.
std::vector<std::string> DeviceNames();
// Those of these names, in that order.
std::vector<device::DeviceFactory> DeviceFactories(const Config& config);

// Memory for a surface of another process, see shm::CreateRegion: of the kind that the preferred
// device reads and writes in place. For daemons whose side channel hands it over, see
// door::HasSurfaceService.
absl::StatusOr<std::shared_ptr<shm::SharedRegion>> CreateSurfaceRegion(uint64_t bytes,
                                                                       std::string_view label);
// See EngineOptions.
bool SurfaceRegionsShareReadOnly();

}  // namespace anex::server

#endif  // ANEX_SERVER_PLATFORM_H_
