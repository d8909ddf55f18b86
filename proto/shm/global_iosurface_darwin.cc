#include "proto/shm/global_iosurface.h"
#include "proto/shm/iosurface_region.h"

namespace anex::shm {

absl::StatusOr<std::shared_ptr<SharedRegion>> FindGlobalIosurface(uint32_t number,
                                                                  uint64_t minimum_bytes) {
  return LookUpGlobalIosurface(number, minimum_bytes);
}

}  // namespace anex::shm
