// The surface behind one bound port: the region's own if it is an IOSurface, else one of ours that
// the tensor is copied to before a run, or from after it.
//
// Regions that the daemon makes on a Mac are IOSurfaces; plain memory comes from sessions in this
// process and from tests.
//
// Threads: one at a time.
#ifndef ANEX_SERVER_DEVICE_APPLE_BOUND_SURFACE_H_
#define ANEX_SERVER_DEVICE_APPLE_BOUND_SURFACE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "proto/shm/iosurface_region.h"
#include "proto/shm/shared_region.h"
#include "server/device/executable.h"

namespace anex::device::apple {

class BoundSurface {
 public:
  // `live` is where the engine has the elements; the bound layout names the same.
  static absl::StatusOr<BoundSurface> Make(const BoundPort& port, const TensorLayout& live,
                                           PortDirection direction);

  __IOSurface* surface() const { return surface_->surface(); }
  // Before and after a run; nothing for surfaces that are the region's own. INTERNAL
  // if the surface cannot be locked.
  absl::Status CopyIn() const;
  absl::Status CopyOut() const;

 private:
  std::shared_ptr<shm::SharedRegion> region_;  // as it was bound
  std::shared_ptr<shm::SharedRegion> own_;     // keeps surface_ alive
  const shm::IosurfaceRegion* surface_ = nullptr;
  bool staged_ = false;
  PortDirection direction_ = PortDirection::kInput;
  TensorLayout layout_;
};

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_BOUND_SURFACE_H_
