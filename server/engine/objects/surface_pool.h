// Makes the surfaces of one session and recycles their memory within that session only: memory that
// a client has mapped stays mapped by it, so another session must never get it.
//
// Threads: any. Invariants: what comes out is zeroed and touched; what was granted, imported or
// quarantined never comes in; a region that somebody still refers to never comes in.
// Bound: kPooledBytes wait for reuse; the rest is freed. Pooled memory stays charged to the session
// and is given up before an allocation would fail for want of budget.
#ifndef ANEX_SERVER_ENGINE_OBJECTS_SURFACE_POOL_H_
#define ANEX_SERVER_ENGINE_OBJECTS_SURFACE_POOL_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "proto/shm/shared_region.h"
#include "server/engine/objects/byte_budget.h"
#include "server/engine/objects/surface.h"

namespace anex::engine {

// shm::CreateRegion, or heap for sessions in this process.
using RegionMaker = std::function<absl::StatusOr<std::shared_ptr<shm::SharedRegion>>(
    uint64_t bytes, std::string_view label)>;

class SurfacePool : public std::enable_shared_from_this<SurfacePool> {
 public:
  static constexpr uint64_t kPooledBytes = 256ull << 20;

  SurfacePool(RegionMaker make, std::shared_ptr<ByteBudget> budget)
      : make_(std::move(make)), budget_(std::move(budget)) {}

  // REQUIRES: `layout` came out of Make* or CheckLayout; the pool is owned by a shared_ptr.
  absl::StatusOr<std::shared_ptr<Surface>> Create(const TensorLayout& layout,
                                                  std::string_view label,
                                                  SurfaceOrigin origin = SurfaceOrigin::kCreated);
  // Wraps memory that the client made, never recycled; `charge` is what it costs.
  static std::shared_ptr<Surface> Adopt(std::shared_ptr<shm::SharedRegion> region,
                                        const TensorLayout& layout, std::string_view label,
                                        ByteCharge charge);
  // Bytes of the session's budget; what waits for reuse is freed if there is no room else.
  absl::StatusOr<ByteCharge> TakeBudget(uint64_t bytes);
  // Called by a dying surface.
  void Recycle(std::shared_ptr<shm::SharedRegion> region, ByteCharge charge);
  // Takes nothing more: the session has ended. What waits for reuse is freed with what this
  // returns.
  std::shared_ptr<const void> Close();

  uint64_t pooled_bytes() const;
  ByteBudget& budget() { return *budget_; }

 private:
  struct Idle {
    std::shared_ptr<shm::SharedRegion> region;
    ByteCharge charge;
  };
  // A waiting region that fits without wasting more than a quarter.
  Idle TakeIdle(uint64_t bytes);
  std::multimap<uint64_t, Idle> TakeAll();

  const RegionMaker make_;
  const std::shared_ptr<ByteBudget> budget_;
  mutable absl::Mutex mutex_;
  std::multimap<uint64_t, Idle> idle_ ABSL_GUARDED_BY(mutex_);  // by size
  uint64_t pooled_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_OBJECTS_SURFACE_POOL_H_
