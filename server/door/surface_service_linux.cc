// Memory goes over the side channel's socket here.
#include "server/door/surface_service.h"

namespace anex::door {

absl::StatusOr<std::unique_ptr<SurfaceService>> StartSurfaceService(const SurfaceService::Options&,
                                                                    SurfaceServiceEvents&) {
  return nullptr;
}
bool HasSurfaceService() { return false; }

}  // namespace anex::door
