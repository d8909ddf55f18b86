#include "proto/shm/global_iosurface.h"

namespace anex::shm {

absl::StatusOr<std::shared_ptr<SharedRegion>> FindGlobalIosurface(uint32_t, uint64_t) {
  return absl::UnimplementedError("there are no IOSurfaces on this machine: offer a sealed memfd");
}

}  // namespace anex::shm
