// A kernel's function with every port bound to a surface or a parameter: checked once, cheap to
// submit many times. MIL state lives here.
//
// Threads: immutable but for prepared requests, which the device's dispatcher asks for and which
// are made again after a device epoch has passed. Rebinding makes a new invocation under the same
// handle, so queued submissions keep the one that they were made with; both share the state.
//
// For n distinct double-buffered sets there are 2^n prepared requests, one per choice of buffers:
// bit i of a buffer mask is the buffer of sets()[i].
#ifndef ANEX_SERVER_ENGINE_OBJECTS_INVOCATION_H_
#define ANEX_SERVER_ENGINE_OBJECTS_INVOCATION_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/device/executable.h"
#include "server/engine/objects/kernel.h"
#include "server/engine/objects/parameter_set.h"
#include "server/engine/objects/surface.h"
#include "server/engine/objects/surface_pool.h"

namespace anex::engine {

// A binding whose handles have been resolved in the caller's session.
struct BoundSurface {
  std::shared_ptr<Surface> surface;
  Access access = Access::kReadOnly;
};
struct BoundParameter {
  std::shared_ptr<ParameterSet> set;
  size_t index = 0;
};
struct ResolvedBinding {
  std::string port;
  std::variant<BoundSurface, BoundParameter> target;
};

class Invocation {
 public:
  // Checks everything and prepares the requests. NOT_FOUND for an unknown port (with the nearest
  // name); INVALID_ARGUMENT for a port that is missing or bound twice, a dtype, shape or stride
  // that does not fit (expected and found are named), a surface bound to an output and to anything
  // else; PERMISSION_DENIED for a read-only surface on an output; RESOURCE_EXHAUSTED for more than
  // `max_sets` distinct sets. `pool` gives memory for states.
  static absl::StatusOr<std::shared_ptr<Invocation>> Make(std::shared_ptr<Kernel> kernel,
                                                          size_t function,
                                                          std::vector<ResolvedBinding> bindings,
                                                          uint64_t max_sets, SurfacePool& pool);
  // The same with the named ports bound anew; shares the state.
  absl::StatusOr<std::shared_ptr<Invocation>> Rebound(std::vector<ResolvedBinding> bindings) const;
  // The same with two surfaces in each other's place wherever they are bound (odd iterations of a
  // chain with a swap loopback). Returns null if neither is bound.
  absl::StatusOr<std::shared_ptr<Invocation>> Swapped(
      std::span<const std::pair<BoundSurface, BoundSurface>> pairs) const;

  Kernel& kernel() const { return *kernel_; }
  const std::shared_ptr<Kernel>& shared_kernel() const { return kernel_; }
  const FunctionInfo& function() const { return kernel_->functions()[function_]; }
  // Distinct parameter sets, in the order of the bits of a buffer mask.
  std::span<const std::shared_ptr<ParameterSet>> sets() const { return sets_; }
  // `pins` are of sets(), in order.
  static uint32_t MaskOf(std::span<const SetPin> pins);

  // For the dispatcher: the request for one choice of buffers, on the device's current instance.
  // Keeps what it needs alive, also past the invocation and the device's replacement. Fast and free
  // of allocation unless the epoch has changed; then errors are those of loading and preparing.
  // `control` is that of the step that needs it.
  absl::StatusOr<std::shared_ptr<device::Request>> RequestFor(uint32_t buffer_mask,
                                                              device::CallControl& control) const;
  // The same for who keeps the invocation alive while it uses the request, and is the one thread
  // that asks for requests of this device: no lock and no counting. What it gave stays valid until
  // the invocation dies: requests are prepared anew only once the device has been replaced, and of
  // an invocation that was running then not any more (Quarantine).
  absl::StatusOr<device::Request*> BorrowRequest(uint32_t buffer_mask,
                                                 device::CallControl& control) const;

  // A run of it did not come back: it and all its surfaces are refused from now on, because the
  // device may still write to them. For the watchdog.
  void Quarantine() const;

  // Bound per port in the order of function().ports; states hold the invocation's own surface.
  std::span<const ResolvedBinding> bindings() const { return bindings_; }

 private:
  struct Prepared {
    Kernel::Loaded loaded;  // before the requests, so that it goes after them
    std::vector<std::unique_ptr<device::Request>> requests;  // by mask; null where a bit cannot be
  };

  Invocation(std::shared_ptr<Kernel> kernel, size_t function, std::vector<ResolvedBinding> bindings,
             uint64_t max_sets);
  static absl::StatusOr<std::shared_ptr<Invocation>> Finish(std::shared_ptr<Invocation> invocation);
  absl::Status CollectSets();
  absl::StatusOr<std::shared_ptr<const Prepared>> PrepareAll(device::CallControl& control) const;
  absl::StatusOr<std::unique_ptr<device::Request>> PrepareOne(device::Executable& executable,
                                                              uint32_t mask) const;
  const std::shared_ptr<Surface>& SurfaceOf(const ResolvedBinding& binding, uint32_t mask) const;
  std::vector<std::shared_ptr<Surface>> AllSurfaces() const;

  const std::shared_ptr<Kernel> kernel_;
  const size_t function_;
  const std::vector<ResolvedBinding> bindings_;
  const uint64_t max_sets_;
  std::vector<std::shared_ptr<ParameterSet>> sets_;  // constant after Finish
  std::vector<SurfacePin> surface_pins_;             // constant after Finish
  mutable std::atomic<bool> quarantined_{false};
  mutable absl::Mutex mutex_;
  mutable std::shared_ptr<const Prepared> prepared_ ABSL_GUARDED_BY(mutex_);
  mutable std::atomic<const Prepared*> current_{nullptr};  // prepared_, for who needs no lock
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_OBJECTS_INVOCATION_H_
