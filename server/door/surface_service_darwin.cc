#include "server/door/surface_service.h"
#include "server/door/surface_service_xpc.h"

namespace anex::door {

absl::StatusOr<std::unique_ptr<SurfaceService>> StartSurfaceService(
    const SurfaceService::Options& options, SurfaceServiceEvents& events) {
  return StartXpcSurfaceService(options, events);
}
bool HasSurfaceService() { return true; }

}  // namespace anex::door
