// A SharedRegion that is an IOSurface: what the Neural Engine reads and writes in place.
//
// A surface of our own is never global: its number resolves in no other process. It is not handed
// to another one yet (Share). It has the properties that every user of the engine gives it: one row
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
#include "proto/shm/shared_region.h"

struct __IOSurface;  // IOSurfaceRef points to it

namespace anex::shm {

class IosurfaceRegion : public SharedRegion {
 public:
  // Stays alive as long as the region does.
  virtual __IOSurface* surface() const = 0;
  // The system's number of it: for logs, and as an alias in the session that has it.
  virtual uint32_t id() const = 0;
};

// Zeroed, not global, touched. RESOURCE_EXHAUSTED when the system makes none.
absl::StatusOr<std::shared_ptr<SharedRegion>> CreateIosurfaceRegion(uint64_t bytes,
                                                                    std::string_view label);

}  // namespace anex::shm

#endif  // ANEX_PROTO_SHM_IOSURFACE_REGION_H_
