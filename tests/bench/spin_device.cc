#include "tests/bench/spin_device.h"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/device/port.h"

namespace anex::bench {
namespace {

using Clock = std::chrono::steady_clock;

class SpinRequest final : public device::Request {
 public:
  SpinRequest(std::shared_ptr<device::Executable> executable, std::vector<device::BoundPort> ports,
              int64_t elements, int64_t unit_ns, std::shared_ptr<SpinLog> log)
      : executable_(std::move(executable)),
        ports_(std::move(ports)),
        elements_(static_cast<size_t>(elements)),
        busy_(elements * unit_ns),
        log_(std::move(log)) {}

  absl::StatusOr<device::RunStats> Run(device::CallControl&) override {
    if (busy_.count() == 0) return device::RunStats{};
    const Clock::time_point begin = Clock::now();
    Clock::time_point end = begin;
    while (end - begin < busy_) end = Clock::now();
    const int64_t took = std::chrono::nanoseconds(end - begin).count();
    log_->busy_ns[elements_].fetch_add(took, std::memory_order_relaxed);
    log_->runs[elements_].fetch_add(1, std::memory_order_relaxed);
    return device::RunStats{took};
  }

 private:
  const std::shared_ptr<device::Executable> executable_;
  const std::vector<device::BoundPort> ports_;
  const size_t elements_;
  const std::chrono::nanoseconds busy_;
  const std::shared_ptr<SpinLog> log_;
};

class SpinExecutable final : public device::Executable {
 public:
  SpinExecutable(std::vector<FunctionInfo> infos, int64_t unit_ns, std::shared_ptr<SpinLog> log)
      : infos_(std::move(infos)), unit_ns_(unit_ns), log_(std::move(log)) {}

  std::span<const FunctionInfo> functions() const override { return infos_; }
  uint64_t resident_bytes() const override { return 0; }
  absl::StatusOr<std::unique_ptr<device::Request>> Prepare(
      size_t function, std::span<const device::BoundPort> ports) override {
    const FunctionInfo& info = infos_[function];
    if (absl::Status good = device::CheckBindings(info, ports); !good.ok()) return good;
    const int64_t elements = info.ports[0].layout.shape.ElementCount();
    if (elements > kMostElements) return absl::InvalidArgumentError("too many elements to log");
    return std::make_unique<SpinRequest>(shared_from_this(),
                                         std::vector<device::BoundPort>(ports.begin(), ports.end()),
                                         elements, unit_ns_, log_);
  }

 private:
  const std::vector<FunctionInfo> infos_;
  const int64_t unit_ns_;
  const std::shared_ptr<SpinLog> log_;
};

class SpinDevice final : public device::Device {
 public:
  SpinDevice(int64_t unit_ns, std::shared_ptr<SpinLog> log)
      : unit_ns_(unit_ns), log_(std::move(log)) {
    capabilities_.name = "spin";
    capabilities_.description = "takes its time";
    capabilities_.compiler_version = "spin-1";
  }

  const device::Capabilities& capabilities() const override { return capabilities_; }
  absl::StatusOr<device::Artifact> Compile(std::shared_ptr<const mil::Program> program,
                                           const device::DeviceOptions& options,
                                           const device::BuildContext&) override {
    return device::Artifact{std::move(program), options, {}};
  }
  absl::StatusOr<std::shared_ptr<device::Executable>> Load(const device::Artifact& artifact,
                                                           const device::BuildContext&) override {
    std::vector<FunctionInfo> infos;
    for (const mil::Function& function : artifact.program->functions) {
      absl::StatusOr<FunctionInfo> info = device::DescribePorts(function, MakePackedLayout);
      if (!info.ok()) return info.status();
      infos.push_back(*std::move(info));
    }
    return std::make_shared<SpinExecutable>(std::move(infos), unit_ns_, log_);
  }
  absl::StatusOr<TensorLayout> PreferredLayout(DType dtype, const Shape& shape) const override {
    return MakePackedLayout(dtype, shape);
  }

 private:
  const int64_t unit_ns_;
  const std::shared_ptr<SpinLog> log_;
  device::Capabilities capabilities_;
};

}  // namespace

device::DeviceFactory SpinDeviceFactory(int64_t unit_ns, std::shared_ptr<SpinLog> log) {
  return {"spin", [unit_ns, log] {
            return absl::StatusOr<std::unique_ptr<device::Device>>(
                std::make_unique<SpinDevice>(unit_ns, log));
          }};
}

ProgramSource SpinProgram(int elements) {
  const std::string type = absl::StrCat("tensor<fp16, [", elements, "]>");
  ProgramSource source;
  source.name = absl::StrCat("spin", elements, ".mil");
  source.text = absl::StrCat("program(1.3)\n{\n  func main<ios18>(", type, " x) {\n    ", type,
                             " y = identity(x = x)[name = string(\"y\")];\n  } -> (y);\n}\n");
  return source;
}

}  // namespace anex::bench
