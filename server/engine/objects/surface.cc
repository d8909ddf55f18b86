#include "server/engine/objects/surface.h"

#include "server/engine/objects/surface_pool.h"

namespace anex::engine {

Surface::Surface(std::shared_ptr<shm::SharedRegion> region, const TensorLayout& layout,
                 std::string label, SurfaceOrigin origin, ByteCharge charge,
                 std::weak_ptr<SurfacePool> pool)
    : region_(std::move(region)),
      layout_(layout),
      label_(std::move(label)),
      origin_(origin),
      charge_(std::move(charge)),
      pool_(std::move(pool)) {}

Surface::~Surface() {
  if (shared_.load(std::memory_order_relaxed) || quarantined()) return;
  if (const std::shared_ptr<SurfacePool> pool = pool_.lock()) {
    pool->Recycle(std::move(region_), std::move(charge_));
  }
}

SurfaceInfo SurfaceEntry::Info(SurfaceId id) const {
  SurfaceInfo info;
  info.id = id;
  info.layout = surface()->layout();
  info.access = access;
  info.origin = origin;
  info.label = surface()->label();
  info.pins = surface()->pins();
  const uint32_t holders = surface()->holders();
  info.grants = holders > 0 ? holders - 1 : 0;
  return info;
}

}  // namespace anex::engine
