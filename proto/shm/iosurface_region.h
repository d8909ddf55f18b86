// A SharedRegion that is an IOSurface: what the Neural Engine reads and writes in place.
//
// A surface of our own is never global: another process gets it only by a port that is handed to it
// (Share), not by its number. It has the properties that every user of the engine gives it: one row
// of bytes, one byte an element.
//
// Threads: as SharedRegion. This header is plain C++; the .mm is compiled where there is an
// IOSurface library, or a double of it.
#ifndef ANEX_PROTO_SHM_IOSURFACE_REGION_H_
#define ANEX_PROTO_SHM_IOSURFACE_REGION_H_

#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "proto/shm/owned_descriptor.h"
#include "proto/shm/shared_region.h"

struct __IOSurface;  // IOSurfaceRef points to it

namespace anex::shm {

class IosurfaceRegion : public SharedRegion {
 public:
  // Stays alive as long as the region does.
  virtual __IOSurface* surface() const = 0;
  // The system's number of it, for logs: no call takes it for a surface's handle.
  virtual uint32_t id() const = 0;
};

// Zeroed, not global, touched. RESOURCE_EXHAUSTED when the system makes none.
absl::StatusOr<std::shared_ptr<SharedRegion>> CreateIosurfaceRegion(uint64_t bytes,
                                                                    std::string_view label);

// The surface behind a port that came from a peer; takes the port. INVALID_ARGUMENT if it is none,
// OUT_OF_RANGE (by the system's own figures, not the peer's) if it has less than `minimum_bytes` or
// more than one plane.
absl::StatusOr<std::shared_ptr<SharedRegion>> MapIosurfaceUntrusted(OwnedDescriptor port,
                                                                    uint64_t minimum_bytes,
                                                                    RegionAccess access);

// A surface that this process made with IOSurfaceCreate or was given, to be imported or bound: as
// large as it is, to read and write. The region keeps a reference of its own. INVALID_ARGUMENT for
// null, OUT_OF_RANGE as above.
absl::StatusOr<std::shared_ptr<SharedRegion>> WrapIosurface(__IOSurface* surface);

// See FindGlobalIosurface.
absl::StatusOr<std::shared_ptr<SharedRegion>> LookUpGlobalIosurface(uint32_t number,
                                                                    uint64_t minimum_bytes);

}  // namespace anex::shm

#endif  // ANEX_PROTO_SHM_IOSURFACE_REGION_H_
