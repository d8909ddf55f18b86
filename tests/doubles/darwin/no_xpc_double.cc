// Stands for the Objective-C++ behind three seams, which is tested by itself over doubles of XPC and
// of IOSurface (tests/doubles/apple): a daemon here is not launchd's agent and serves no surfaces.
#include "proto/shm/iosurface_region.h"
#include "proto/shm/side_channel_xpc.h"
#include "server/door/surface_service_xpc.h"

namespace anex {

absl::StatusOr<std::shared_ptr<shm::SharedRegion>> shm::LookUpGlobalIosurface(uint32_t, uint64_t) {
  return absl::UnimplementedError("there are no IOSurfaces here");
}

absl::StatusOr<std::unique_ptr<shm::SideChannel>> shm::ConnectXpcSideChannel(const std::string&) {
  return absl::UnimplementedError("there is no XPC here");
}

absl::StatusOr<std::unique_ptr<door::SurfaceService>> door::StartXpcSurfaceService(
    const SurfaceService::Options&, SurfaceServiceEvents&) {
  return absl::UnimplementedError("there is no XPC here");
}

}  // namespace anex
