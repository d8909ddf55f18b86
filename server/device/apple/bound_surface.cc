#include "server/device/apple/bound_surface.h"

#include <cstring>
#include <utility>

#include "server/device/apple/element_walk.h"

namespace anex::device::apple {
namespace {

// Copies the elements of `layout`, and nothing between its rows: that is the owner's.
void CopyElements(const TensorLayout& layout, const std::byte* from, std::byte* to) {
  const int rank = layout.shape.rank();
  const size_t element = ElementSize(layout.dtype);
  // The innermost dimensions that lie without gaps are one run.
  size_t run = element;
  int outer = rank;
  while (outer > 0 &&
         (layout.shape[outer - 1] == 1 || layout.strides[outer - 1] == static_cast<int64_t>(run))) {
    run *= static_cast<size_t>(layout.shape[--outer]);
  }
  ForEachIndex(layout.shape.dims().first(static_cast<size_t>(outer)), [&](const ElementIndex& at) {
    const int64_t offset = OffsetOf(layout, at);
    std::memcpy(to + offset, from + offset, run);
    return true;
  });
}

}  // namespace

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
  CopyElements(layout_, std::as_const(*region_).data(), own_->data());
  return own_->Unlock(shm::RegionAccess::kReadWrite);
}

absl::Status BoundSurface::CopyOut() const {
  if (!staged_ || direction_ == PortDirection::kInput) return absl::OkStatus();
  if (absl::Status s = own_->Lock(shm::RegionAccess::kReadOnly); !s.ok()) return s;
  CopyElements(layout_, std::as_const(*own_).data(), region_->data());
  return own_->Unlock(shm::RegionAccess::kReadOnly);
}

}  // namespace anex::device::apple
