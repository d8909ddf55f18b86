#include "server/device/apple/bound_surface.h"

#include <cstring>
#include <utility>

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
  std::array<int64_t, kMaxRank> at{};
  for (;;) {
    int64_t offset = 0;
    for (int axis = 0; axis < outer; ++axis) offset += at[axis] * layout.strides[axis];
    std::memcpy(to + offset, from + offset, run);
    int axis = outer - 1;
    while (axis >= 0 && ++at[axis] == layout.shape[axis]) at[axis--] = 0;
    if (axis < 0) return;
  }
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

void BoundSurface::CopyIn() const {
  if (!staged_ || direction_ == PortDirection::kOutput) return;
  static_cast<void>(own_->Lock(shm::RegionAccess::kReadWrite));
  CopyElements(layout_, std::as_const(*region_).data(), own_->data());
  static_cast<void>(own_->Unlock(shm::RegionAccess::kReadWrite));
}

void BoundSurface::CopyOut() const {
  if (!staged_ || direction_ == PortDirection::kInput) return;
  static_cast<void>(own_->Lock(shm::RegionAccess::kReadOnly));
  CopyElements(layout_, std::as_const(*own_).data(), region_->data());
  static_cast<void>(own_->Unlock(shm::RegionAccess::kReadOnly));
}

}  // namespace anex::device::apple
