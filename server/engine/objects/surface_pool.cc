#include "server/engine/objects/surface_pool.h"

#include <cstring>
#include <new>
#include <utility>

namespace anex::engine {

absl::StatusOr<std::shared_ptr<Surface>> SurfacePool::Create(const TensorLayout& layout,
                                                             std::string_view label,
                                                             SurfaceOrigin origin) {
  const uint64_t bytes = layout.allocation_bytes;
  Idle memory = TakeIdle(bytes);
  if (memory.region) {
    std::memset(memory.region->data(), 0, memory.region->size());
  } else {
    absl::StatusOr<ByteCharge> charge = TakeBudget(bytes);
    if (!charge.ok()) return charge.status();
    absl::StatusOr<std::shared_ptr<shm::SharedRegion>> region = make_(bytes, label);
    if (!region.ok()) return region.status();
    memory = {*std::move(region), *std::move(charge)};
  }
  return std::make_shared<Surface>(std::move(memory.region), layout, std::string(label), origin,
                                   std::move(memory.charge), weak_from_this());
}

std::shared_ptr<Surface> SurfacePool::Adopt(std::shared_ptr<shm::SharedRegion> region,
                                            const TensorLayout& layout, std::string_view label,
                                            ByteCharge charge) {
  return std::make_shared<Surface>(std::move(region), layout, std::string(label),
                                   SurfaceOrigin::kImported, std::move(charge),
                                   std::weak_ptr<SurfacePool>());
}

// A region that is still referred to (by a prepared request, a hand-over, a client in this process)
// would be written under its next owner's feet: it is left to its holders.
void SurfacePool::Recycle(std::shared_ptr<shm::SharedRegion> region, ByteCharge charge) {
  if (region.use_count() != 1 || region->access() != shm::RegionAccess::kReadWrite) return;
  absl::MutexLock lock(&mutex_);
  const uint64_t bytes = charge.bytes();
  if (closed_ || bytes > kPooledBytes - pooled_) return;
  try {
    idle_.emplace(bytes, Idle{std::move(region), std::move(charge)});
    pooled_ += bytes;
  } catch (const std::bad_alloc&) {  // then it is freed: a dying surface cannot fail
  }
}

std::shared_ptr<const void> SurfacePool::Close() {
  auto freed = std::make_shared<std::multimap<uint64_t, Idle>>();
  absl::MutexLock lock(&mutex_);
  closed_ = true;
  freed->swap(idle_);
  pooled_ = 0;
  return freed;
}

uint64_t SurfacePool::pooled_bytes() const {
  absl::MutexLock lock(&mutex_);
  return pooled_;
}

SurfacePool::Idle SurfacePool::TakeIdle(uint64_t bytes) {
  absl::MutexLock lock(&mutex_);
  const auto found = idle_.lower_bound(bytes);
  if (found == idle_.end() || found->first > bytes + bytes / 4) return {};
  Idle taken = std::move(found->second);
  pooled_ -= found->first;
  idle_.erase(found);
  return taken;
}

absl::StatusOr<ByteCharge> SurfacePool::TakeBudget(uint64_t bytes) {
  absl::StatusOr<ByteCharge> charge = budget_->Take(bytes);
  if (charge.ok()) return charge;
  TakeAll().clear();
  return budget_->Take(bytes);
}

std::multimap<uint64_t, SurfacePool::Idle> SurfacePool::TakeAll() {
  absl::MutexLock lock(&mutex_);
  pooled_ = 0;
  return std::exchange(idle_, {});
}

}  // namespace anex::engine
