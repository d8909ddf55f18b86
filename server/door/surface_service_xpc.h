// The surface service over XPC: the .mm is compiled where there is XPC, or a double of it.
#ifndef ANEX_SERVER_DOOR_SURFACE_SERVICE_XPC_H_
#define ANEX_SERVER_DOOR_SURFACE_SERVICE_XPC_H_

#include <memory>

#include "absl/status/statusor.h"
#include "server/door/surface_service.h"

namespace anex::door {

absl::StatusOr<std::unique_ptr<SurfaceService>> StartXpcSurfaceService(
    const SurfaceService::Options& options, SurfaceServiceEvents& events);

}  // namespace anex::door

#endif  // ANEX_SERVER_DOOR_SURFACE_SERVICE_XPC_H_
