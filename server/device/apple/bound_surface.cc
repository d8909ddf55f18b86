#include "server/device/apple/bound_surface.h"

#include <utility>

#include "server/device/apple/copy_elements.h"

namespace anex::device::apple {
absl::StatusOr<BoundSurface> BoundSurface::Make(const BoundPort& port, const TensorLayout& live,
                                                PortDirection direction) {
  BoundSurface bound;
  bound.region_ = port.region;
  bound.direction_ = direction;
  bound.layout_ = live;
  bound.own_ = port.region;
  bound.surface_ = dynamic_cast<const shm::IosurfaceRegion*>(port.region.get());
  if (bound.surface_ != nullptr) return bound;
  auto made = shm::CreateIosurfaceRegion(live.allocation_bytes, "staging");
  if (!made.ok()) return made.status();
  bound.own_ = *std::move(made);
  bound.surface_ = static_cast<const shm::IosurfaceRegion*>(bound.own_.get());
  bound.staged_ = true;
  return bound;
}

absl::Status BoundSurface::CopyIn() const {
  if (!staged_ || direction_ == PortDirection::kOutput) return absl::OkStatus();
  if (absl::Status s = own_->Lock(shm::RegionAccess::kReadWrite); !s.ok()) return s;
  CopyElements(layout_, std::as_const(*region_).data(), layout_, own_->data());
  return own_->Unlock(shm::RegionAccess::kReadWrite);
}

absl::Status BoundSurface::CopyOut() const {
  if (!staged_ || direction_ == PortDirection::kInput) return absl::OkStatus();
  if (absl::Status s = own_->Lock(shm::RegionAccess::kReadOnly); !s.ok()) return s;
  CopyElements(layout_, std::as_const(*own_).data(), layout_, region_->data());
  return own_->Unlock(shm::RegionAccess::kReadOnly);
}

}  // namespace anex::device::apple
