// What tests of engine/objects need: a manual clock, a tiny device, sessions' pools on the heap.
#ifndef ANEX_TESTS_ENGINE_OBJECTS_FIXTURE_H_
#define ANEX_TESTS_ENGINE_OBJECTS_FIXTURE_H_

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "server/device/device.h"
#include "server/engine/clock.h"
#include "server/engine/objects/device_slot.h"
#include "server/engine/objects/kernel.h"
#include "server/engine/objects/parameter_set.h"
#include "server/engine/objects/surface_pool.h"

namespace anex::engine::testing {

class ManualClock final : public Clock {
 public:
  int64_t Now() const override {
    ++looks_;
    return now_.load();
  }
  void Advance(int64_t ns) { now_ += ns; }
  // How often anybody has asked for the time.
  uint64_t looks() const { return looks_.load(); }

 private:
  std::atomic<int64_t> now_{1'000'000};
  mutable std::atomic<uint64_t> looks_{0};
};

inline TensorLayout Fp32(std::initializer_list<int64_t> dims) {
  return *MakePackedLayout(DType::kFp32, Shape(dims));
}

inline float* Floats(const Surface& surface) {
  return reinterpret_cast<float*>(surface.region()->data());
}

inline void Fill(const Surface& surface, float first, float step = 1) {
  const int64_t count = surface.layout().shape.ElementCount();
  for (int64_t i = 0; i < count; ++i) Floats(surface)[i] = first + step * static_cast<float>(i);
}

inline std::shared_ptr<SurfacePool> HeapPool(
    std::shared_ptr<ByteBudget> budget = std::make_shared<ByteBudget>(
        Bound("surface_bytes_per_session", 1u << 20), "release some", nullptr)) {
  return std::make_shared<SurfacePool>(
      [](uint64_t bytes, std::string_view) { return shm::CreateHeapRegion(bytes); },
      std::move(budget));
}

// For steps that nobody stops.
inline device::CallControl& Unstopped() {
  static device::CallControl control;
  return control;
}

// Every output element becomes 1 + 2 * (sum of the inputs' elements at that place) + the state's,
// and the state counts runs. All tensors are packed fp32 of one size.
class TinyRequest final : public device::Request {
 public:
  TinyRequest(const FunctionInfo& function, std::span<const device::BoundPort> ports)
      : function_(function), ports_(ports.begin(), ports.end()) {}
  absl::StatusOr<device::RunStats> Run(device::CallControl&) override {
    const int64_t count = function_.ports[0].layout.shape.ElementCount();
    for (int64_t i = 0; i < count; ++i) RunElement(i);
    return device::RunStats{7};
  }

 private:
  float& At(const device::BoundPort& bound, int64_t i) {
    return reinterpret_cast<float*>(bound.region->data())[i];
  }
  void RunElement(int64_t i) {
    float sum = 0, state = 0;
    for (const device::BoundPort& bound : ports_) {
      const PortDirection direction = function_.ports[bound.port].direction;
      if (direction == PortDirection::kInput) sum += At(bound, i);
      if (direction == PortDirection::kState) state = At(bound, i)++;
    }
    for (const device::BoundPort& bound : ports_) {
      if (function_.ports[bound.port].direction == PortDirection::kOutput) {
        At(bound, i) = 1 + 2 * sum + state;
      }
    }
  }
  const FunctionInfo function_;
  const std::vector<device::BoundPort> ports_;
};

class TinyExecutable final : public device::Executable {
 public:
  explicit TinyExecutable(std::vector<FunctionInfo> functions) : functions_(std::move(functions)) {}
  std::span<const FunctionInfo> functions() const override { return functions_; }
  absl::StatusOr<std::unique_ptr<device::Request>> Prepare(
      size_t function, std::span<const device::BoundPort> ports) override {
    return std::make_unique<TinyRequest>(functions_[function], ports);
  }
  uint64_t resident_bytes() const override { return 64; }

 private:
  const std::vector<FunctionInfo> functions_;
};

// Knows no programs: everything it loads has the functions that it was made with.
class TinyDevice final : public device::Device {
 public:
  explicit TinyDevice(std::vector<FunctionInfo> functions) : functions_(std::move(functions)) {
    capabilities_.name = "tiny";
  }
  const device::Capabilities& capabilities() const override { return capabilities_; }
  absl::StatusOr<device::Artifact> Compile(std::shared_ptr<const mil::Program>,
                                           const device::DeviceOptions&,
                                           const device::BuildContext&) override {
    return absl::UnimplementedError("the tiny device compiles nothing");
  }
  absl::StatusOr<std::shared_ptr<device::Executable>> Load(const device::Artifact&,
                                                           const device::BuildContext&) override {
    return std::make_shared<TinyExecutable>(functions_);
  }
  absl::StatusOr<TensorLayout> PreferredLayout(DType dtype, const Shape& shape) const override {
    return MakePackedLayout(dtype, shape);
  }

 private:
  const std::vector<FunctionInfo> functions_;
  device::Capabilities capabilities_;
};

inline PortInfo Port(std::string name, PortDirection direction, const TensorLayout& layout) {
  return {std::move(name), direction, layout};
}

struct TinyKernel {
  std::shared_ptr<DeviceSlot> slot;
  std::shared_ptr<Kernel> kernel;
  // What the factory answers from now on; OK = a device.
  std::shared_ptr<absl::Status> next_start;
};

inline TinyKernel MakeKernel(std::vector<FunctionInfo> functions, std::string device = "tiny") {
  TinyKernel made;
  made.next_start = std::make_shared<absl::Status>();
  device::DeviceFactory factory{
      std::move(device),
      [functions, next = made.next_start]() -> absl::StatusOr<std::unique_ptr<device::Device>> {
        if (!next->ok()) return *next;
        return std::make_unique<TinyDevice>(functions);
      }};
  made.slot = *DeviceSlot::Start(std::move(factory));
  const DeviceInstance instance = *made.slot->Current();
  made.kernel = std::make_shared<Kernel>("d1", made.slot, device::Artifact{},
                                         Kernel::Loaded{instance, *instance.device->Load({})});
  return made;
}

// main(x, w) -> (y), all [2, 3].
inline TinyKernel MakeXwy() {
  return MakeKernel({{"main",
                      {Port("x", PortDirection::kInput, Fp32({2, 3})),
                       Port("w", PortDirection::kInput, Fp32({2, 3})),
                       Port("y", PortDirection::kOutput, Fp32({2, 3}))}}});
}

inline std::shared_ptr<Surface> MakeSurface(SurfacePool& pool, const TensorLayout& layout,
                                            std::string_view label = "") {
  return *pool.Create(layout, label);
}

// Somebody who waits for objects to change, and is told.
class Watcher {
 public:
  explicit Watcher(uint64_t lane = 7) : waiter_(std::make_shared<Waiter>(lane, wakes_)) {}
  ~Watcher() { wakes_->Close(); }
  Waiter* waiter() const { return waiter_.get(); }
  Sleeper& sleeper() const { return *sleeper_; }
  // Since the last look: 1, or 0.
  size_t told() {
    size_t lanes = 0;
    wakes_->TakeEach([&lanes](uint64_t) { ++lanes; });
    return lanes;
  }

 private:
  const std::unique_ptr<Sleeper> sleeper_ = *Sleeper::Create();
  const std::shared_ptr<WakeList> wakes_ = std::make_shared<WakeList>(*sleeper_);
  const std::shared_ptr<Waiter> waiter_;
};

// One set with the named parameters of one layout.
inline std::shared_ptr<ParameterSet> MakeSet(SurfacePool& pool, ParameterMode mode,
                                             const Clock& clock, std::vector<std::string> names,
                                             const TensorLayout& layout) {
  std::vector<ParameterSet::Parameter> parameters;
  for (std::string& name : names) {
    ParameterSet::Parameter parameter{std::move(name), layout, {}};
    parameter.buffers[0] = MakeSurface(pool, layout);
    parameter.buffers[1] =
        mode == ParameterMode::kDouble ? MakeSurface(pool, layout) : parameter.buffers[0];
    parameters.push_back(std::move(parameter));
  }
  return *ParameterSet::Make(mode, std::move(parameters), "weights", clock);
}

}  // namespace anex::engine::testing

#endif  // ANEX_TESTS_ENGINE_OBJECTS_FIXTURE_H_
