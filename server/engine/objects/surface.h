// One tensor's memory: a region, its layout, and who holds it. Several sessions may hold the same
// surface (grants); each session's table has its own entry with its own access.
//
// Threads: immutable but for counters. The bytes are the users' business.
// Lifetime: whoever uses the memory holds the surface by shared_ptr: table entries, invocations,
// chains, parameter sets, and through them queued and running jobs. So a surface in use by a
// running kernel outlives its session until that kernel returns. When the last holder lets go,
// memory that was never granted nor imported goes back to the pool of the session that made it, if
// that lives.
#ifndef ANEX_SERVER_ENGINE_OBJECTS_SURFACE_H_
#define ANEX_SERVER_ENGINE_OBJECTS_SURFACE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "proto/shm/shared_region.h"
#include "proto/values/surface_values.h"
#include "server/engine/objects/byte_budget.h"

namespace anex::engine {

class SurfacePool;

class Surface {
 public:
  // `pool` may be empty: the memory is then never recycled. `charge` is what the memory costs.
  Surface(std::shared_ptr<shm::SharedRegion> region, const TensorLayout& layout, std::string label,
          SurfaceOrigin origin, ByteCharge charge, std::weak_ptr<SurfacePool> pool);
  ~Surface();
  Surface(const Surface&) = delete;
  Surface& operator=(const Surface&) = delete;

  const std::shared_ptr<shm::SharedRegion>& region() const { return region_; }
  const TensorLayout& layout() const { return layout_; }
  const std::string& label() const { return label_; }
  SurfaceOrigin origin() const { return origin_; }

  // Shared with another session once: never recycled from then on.
  void MarkShared() { shared_.store(true, std::memory_order_relaxed); }
  // A hung device may still write to it: refused by everything that would bind it, never recycled.
  void Quarantine() { quarantined_.store(true, std::memory_order_release); }
  bool quarantined() const { return quarantined_.load(std::memory_order_acquire); }

  uint32_t pins() const { return pins_.load(std::memory_order_relaxed); }
  uint32_t holders() const { return holders_.load(std::memory_order_relaxed); }

 private:
  friend class SurfacePin;
  friend class SurfaceHold;
  std::shared_ptr<shm::SharedRegion> region_;
  const TensorLayout layout_;
  const std::string label_;
  const SurfaceOrigin origin_;
  ByteCharge charge_;
  const std::weak_ptr<SurfacePool> pool_;
  std::atomic<bool> shared_{false}, quarantined_{false};
  std::atomic<uint32_t> pins_{0};     // invocations, chains and parameter sets
  std::atomic<uint32_t> holders_{0};  // table entries of sessions
};

// A counted reference by an invocation, chain or parameter set.
class SurfacePin {
 public:
  SurfacePin() = default;
  explicit SurfacePin(std::shared_ptr<Surface> surface) : surface_(std::move(surface)) {
    if (surface_) surface_->pins_.fetch_add(1, std::memory_order_relaxed);
  }
  SurfacePin(const SurfacePin& other) : SurfacePin(other.surface_) {}
  SurfacePin(SurfacePin&& other) noexcept = default;
  SurfacePin& operator=(SurfacePin other) noexcept {
    std::swap(surface_, other.surface_);
    return *this;
  }
  ~SurfacePin() {
    if (surface_) surface_->pins_.fetch_sub(1, std::memory_order_relaxed);
  }
  const std::shared_ptr<Surface>& surface() const { return surface_; }
  Surface* operator->() const { return surface_.get(); }

 private:
  std::shared_ptr<Surface> surface_;
};

// A session's counted reference; one per table entry, shared by copies of the entry.
class SurfaceHold {
 public:
  explicit SurfaceHold(std::shared_ptr<Surface> surface) : surface_(std::move(surface)) {
    surface_->holders_.fetch_add(1, std::memory_order_relaxed);
  }
  ~SurfaceHold() { surface_->holders_.fetch_sub(1, std::memory_order_relaxed); }
  SurfaceHold(const SurfaceHold&) = delete;
  SurfaceHold& operator=(const SurfaceHold&) = delete;
  const std::shared_ptr<Surface>& surface() const { return surface_; }

 private:
  std::shared_ptr<Surface> surface_;
};

// What a session's table holds under a SurfaceId.
struct SurfaceEntry {
  std::shared_ptr<SurfaceHold> hold;
  Access access = Access::kReadWrite;
  SurfaceOrigin origin = SurfaceOrigin::kCreated;  // as this session sees it

  static SurfaceEntry Of(std::shared_ptr<Surface> surface, Access access, SurfaceOrigin origin) {
    return {std::make_shared<SurfaceHold>(std::move(surface)), access, origin};
  }
  const std::shared_ptr<Surface>& surface() const { return hold->surface(); }
  SurfaceInfo Info(SurfaceId id) const;
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_OBJECTS_SURFACE_H_
