#include "server/device/cpu/cpu_device.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/values/within_memory.h"
#include "server/device/cpu/call_scope.h"
#include "server/device/cpu/cpu_executable.h"
#include "server/device/cpu/cpu_probe.h"
#include "server/device/cpu/gemm.h"
#include "server/device/cpu/lacking.h"
#include "server/device/cpu/lower.h"
#include "server/device/cpu/numerics_mode.h"
#include "server/device/cpu/vector_ops.h"
#include "server/device/cpu/work_pool.h"
#include "server/device/port.h"

namespace anex::device::cpu {
namespace {

int ThreadsOf(const CpuConfig& config) {
  if (config.threads > 0) return config.threads;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

absl::StatusOr<TensorLayout> PackedLayout(DType dtype, const Shape& shape) {
  return MakePackedLayout(dtype, shape);
}

class CpuDevice final : public Device {
 public:
  explicit CpuDevice(int threads) : pool_(std::make_shared<WorkPool>(threads)) {
    capabilities_.name = "cpu";
    capabilities_.description =
        absl::StrCat(threads, threads == 1 ? " thread, " : " threads, ",
                     std::string(ActiveVectorOps().name), " vectors, ", std::string(GemmLibrary()));
    // Programs are lowered at Load: an artifact is the program itself, on any machine.
    capabilities_.compiler_version = "cpu-1";
    capabilities_.stops_runs = true;
    capabilities_.claims = {{"native_chaining", "no"},
                            {"device_time", "measured"},
                            {"perf_stats", "no"},
                            {"realtime", "no"}};
  }

  const Capabilities& capabilities() const override { return capabilities_; }

  absl::StatusOr<Artifact> Compile(std::shared_ptr<const mil::Program> program,
                                   const DeviceOptions& options,
                                   const BuildContext& context) override {
    return WithinMemory("compile this program", [&] {
      return UnderControl(context.control,
                          [&] { return TryCompile(std::move(program), options, context.memory); });
    });
  }

  std::vector<Lacking> FindLacking(const mil::Program& program) const override {
    std::vector<Lacking> lacking;
    for (const mil::Function& function : program.functions) {
      std::ranges::move(FindLackingIn(function), std::back_inserter(lacking));
    }
    return lacking;
  }

  absl::StatusOr<std::shared_ptr<Executable>> Load(const Artifact& artifact,
                                                   const BuildContext& context) override {
    absl::StatusOr<NumericsMode> mode = ReadNumericsMode(artifact.options);
    if (!mode.ok()) return mode.status();
    if (artifact.program == nullptr) {
      return absl::FailedPreconditionError("the artifact holds no program; compile it again");
    }
    return WithinMemory("load this program", [&] {
      return UnderControl(context.control, [&] {
        return CpuExecutable::Make(artifact.program, *mode, pool_, context.memory);
      });
    });
  }

  absl::Status Probe(bool, CallControl& control, ProbeLog& log) override {
    return ProbeCpu(*this, control, log);
  }

  absl::StatusOr<TensorLayout> PreferredLayout(DType dtype, const Shape& shape) const override {
    return PackedLayout(dtype, shape);
  }

 private:
  absl::StatusOr<Artifact> TryCompile(std::shared_ptr<const mil::Program> program,
                                      const DeviceOptions& options,
                                      const std::shared_ptr<MemoryAccount>& account) const {
    absl::StatusOr<NumericsMode> mode = ReadNumericsMode(options);
    if (!mode.ok()) return mode.status();
    FoldingBudget budget;
    for (const mil::Function& function : program->functions) {
      if (absl::Status status = CheckSupported(function); !status.ok()) return status;
      absl::StatusOr<FunctionInfo> ports = DescribePorts(function, PackedLayout);
      if (!ports.ok()) return ports.status();
      // A trial in the mode that converts no weights: finds what only the makers of kernels know.
      absl::StatusOr<Plan> trial =
          Lower(function, *ports, NumericsMode::kReference, 1, budget, account);
      if (!trial.ok()) return trial.status();
    }
    return Artifact{std::move(program), options, {}};
  }

  const std::shared_ptr<WorkPool> pool_;
  Capabilities capabilities_;
};

}  // namespace

std::unique_ptr<Device> MakeCpuDevice(const CpuConfig& config) {
  UseOneBlasThread();
  return std::make_unique<CpuDevice>(ThreadsOf(config));
}

DeviceFactory CpuDeviceFactory(const CpuConfig& config) {
  return {"cpu",
          [config] { return absl::StatusOr<std::unique_ptr<Device>>(MakeCpuDevice(config)); }};
}

}  // namespace anex::device::cpu
