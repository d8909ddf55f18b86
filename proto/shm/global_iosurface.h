// IOSurfaces that their maker made global, so that every process of the machine, of any user, may
// look them up by their numbers, which are small. For programs that cannot hand a surface over; the
// daemon does this only where it was told to.
//
// Threads: any.
#ifndef ANEX_PROTO_SHM_GLOBAL_IOSURFACE_H_
#define ANEX_PROTO_SHM_GLOBAL_IOSURFACE_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "proto/shm/shared_region.h"

namespace anex::shm {

// NOT_FOUND if there is none of this number, or it is not global: a process finds its own surfaces
// by their numbers too, and here those are of all sessions. OUT_OF_RANGE as MapIosurfaceUntrusted.
// UNIMPLEMENTED where there are no IOSurfaces.
absl::StatusOr<std::shared_ptr<SharedRegion>> FindGlobalIosurface(uint32_t number,
                                                                  uint64_t minimum_bytes);

}  // namespace anex::shm

#endif  // ANEX_PROTO_SHM_GLOBAL_IOSURFACE_H_
