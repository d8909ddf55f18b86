#include "tests/doubles/fake_device.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include "server/device/cpu/cpu_device.h"
#include "server/device/port.h"

namespace anex::device {
namespace {

absl::StatusOr<TensorLayout> Padded(const FakeConfig& config, DType dtype, const Shape& shape) {
  return MakePaddedLayout(dtype, shape, config.row_alignment, config.row_alignment, 0);
}

// Copies all elements of a tensor from one layout to another of equal shape.
void CopyElements(const TensorLayout& from_layout, const std::byte* from,
                  const TensorLayout& to_layout, std::byte* to, int axis = 0) {
  if (axis == from_layout.shape.rank()) {
    std::memcpy(to, from, ElementSize(from_layout.dtype));
    return;
  }
  for (int64_t i = 0; i < from_layout.shape[axis]; ++i) {
    CopyElements(from_layout, from + i * from_layout.strides[axis], to_layout,
                 to + i * to_layout.strides[axis], axis + 1);
  }
}

// Looks at the clock rather than sleeping: timers are late by as much as a kernel takes.
void BusyFor(std::chrono::nanoseconds duration) {
  if (duration.count() == 0) return;
  const auto until = std::chrono::steady_clock::now() + duration;
  while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
}

// Counts itself in and out of FakeRecord::running.
class Running {
 public:
  explicit Running(FakeRecord& record) : record_(record) {
    const int now = ++record_.running;
    int most = record_.most_running;
    while (now > most && !record_.most_running.compare_exchange_weak(most, now)) {
    }
  }
  ~Running() { --record_.running; }

 private:
  FakeRecord& record_;
};

class FakeRequest final : public Request {
 public:
  // `inner` is bound to `packed`, in the order of the ports; `bound` is what the caller gave.
  FakeRequest(FakeConfig config, std::shared_ptr<Executable> executable,
              std::unique_ptr<Request> inner, const FunctionInfo& info,
              std::vector<BoundPort> bound, std::vector<BoundPort> packed)
      : config_(std::move(config)),
        executable_(std::move(executable)),
        inner_(std::move(inner)),
        info_(info),
        bound_(std::move(bound)),
        packed_(std::move(packed)) {}

  absl::StatusOr<RunStats> Run(CallControl& control) override {
    if (!config_.compute) {
      BusyFor(std::chrono::nanoseconds(config_.busy_ns));
      return RunStats{config_.device_ns};
    }
    const Running running(*config_.record);
    ++config_.record->runs;
    for (const BoundPort& outer : bound_) {
      if (info_.ports[outer.port].direction != PortDirection::kOutput) Copy(outer, true);
    }
    if (absl::StatusOr<RunStats> stats = inner_->Run(control); !stats.ok()) return stats;
    for (const BoundPort& outer : bound_) {
      if (info_.ports[outer.port].direction != PortDirection::kInput) Copy(outer, false);
    }
    return RunStats{config_.device_ns};
  }

 private:
  void Copy(const BoundPort& outer, bool in) const {
    const BoundPort& inner = packed_[outer.port];
    // The device's own layout: the caller's may have other dimensions of size 1.
    const TensorLayout& layout = info_.ports[outer.port].layout;
    if (in) {
      CopyElements(layout, outer.region->data(), inner.layout, inner.region->data());
    } else {
      CopyElements(inner.layout, inner.region->data(), layout, outer.region->data());
    }
  }

  const FakeConfig config_;
  const std::shared_ptr<Executable> executable_;
  const std::unique_ptr<Request> inner_;
  const FunctionInfo& info_;
  const std::vector<BoundPort> bound_, packed_;
};

class FakeExecutable final : public Executable {
 public:
  FakeExecutable(FakeConfig config, std::shared_ptr<Executable> inner,
                 std::vector<FunctionInfo> infos)
      : config_(std::move(config)), inner_(std::move(inner)), infos_(std::move(infos)) {}
  ~FakeExecutable() override { ++config_.record->unloads; }

  std::span<const FunctionInfo> functions() const override { return infos_; }
  uint64_t resident_bytes() const override { return inner_->resident_bytes(); }

  absl::StatusOr<std::unique_ptr<Request>> Prepare(size_t function,
                                                   std::span<const BoundPort> ports) override {
    ++config_.record->prepares;
    if (function >= infos_.size()) return absl::InvalidArgumentError("there is no such function");
    const FunctionInfo& info = infos_[function];
    if (absl::Status status = CheckBindings(info, ports); !status.ok()) return status;
    std::vector<BoundPort> packed;
    for (uint32_t i = 0; i < info.ports.size(); ++i) {
      const TensorLayout& layout = inner_->functions()[function].ports[i].layout;
      packed.push_back({i, *shm::CreateHeapRegion(layout.allocation_bytes), layout});
    }
    absl::StatusOr<std::unique_ptr<Request>> inner = inner_->Prepare(function, packed);
    if (!inner.ok()) return inner.status();
    return std::make_unique<FakeRequest>(config_, shared_from_this(), *std::move(inner), info,
                                         std::vector<BoundPort>(ports.begin(), ports.end()),
                                         std::move(packed));
  }

 private:
  const FakeConfig config_;
  const std::shared_ptr<Executable> inner_;
  const std::vector<FunctionInfo> infos_;
};

class FakeDevice final : public Device {
 public:
  explicit FakeDevice(FakeConfig config)
      : config_(std::move(config)), cpu_(cpu::MakeCpuDevice({.threads = 1})) {
    ++config_.record->devices;
    capabilities_ = {
        .name = config_.name, .description = "a double for tests", .compiler_version = "fake-1"};
  }

  const Capabilities& capabilities() const override { return capabilities_; }

  absl::StatusOr<Artifact> Compile(std::shared_ptr<const mil::Program> program,
                                   const DeviceOptions& options,
                                   const BuildContext& context) override {
    ++config_.record->compiles;
    if (!options.empty()) {
      return absl::InvalidArgumentError("the fake device has no option '" + options.begin()->first +
                                        "'");
    }
    return cpu_->Compile(std::move(program), {{"numerics", "reference"}}, context);
  }

  absl::StatusOr<std::shared_ptr<Executable>> Load(const Artifact& artifact,
                                                   const BuildContext& context) override {
    ++config_.record->loads;
    absl::StatusOr<std::shared_ptr<Executable>> inner = cpu_->Load(artifact, context);
    if (!inner.ok()) return inner.status();
    std::vector<FunctionInfo> infos;
    for (const mil::Function& function : artifact.program->functions) {
      absl::StatusOr<FunctionInfo> info = DescribePorts(
          function, [&](DType dtype, const Shape& shape) { return Padded(config_, dtype, shape); });
      if (!info.ok()) return info.status();
      infos.push_back(*std::move(info));
    }
    return std::make_shared<FakeExecutable>(config_, *std::move(inner), std::move(infos));
  }

  absl::Status Probe(bool thorough, CallControl& control, ProbeLog& log) override {
    log.Ask("thorough", "was everything asked for?", Evidence::kProbed);
    if (absl::Status going = control.Check(); !going.ok()) return going;
    log.Answer(thorough ? "yes" : "no");
    return absl::OkStatus();
  }

  absl::StatusOr<TensorLayout> PreferredLayout(DType dtype, const Shape& shape) const override {
    return Padded(config_, dtype, shape);
  }

 private:
  const FakeConfig config_;
  const std::unique_ptr<Device> cpu_;
  Capabilities capabilities_;
};

}  // namespace

std::unique_ptr<Device> MakeFakeDevice(FakeConfig config) {
  return std::make_unique<FakeDevice>(std::move(config));
}

DeviceFactory FakeDeviceFactory(FakeConfig config) {
  const std::string name = config.name;
  return {name, [config = std::move(config)] {
            return absl::StatusOr<std::unique_ptr<Device>>(MakeFakeDevice(config));
          }};
}

}  // namespace anex::device
