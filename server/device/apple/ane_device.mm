#include "server/device/apple/ane_device.h"

#import <Foundation/Foundation.h>

#include <utility>

#include "absl/strings/str_cat.h"
#import "server/device/apple/ane_compile.h"
#import "server/device/apple/ane_executable.h"
#include "server/device/apple/ane_lacking.h"
#import "server/device/apple/guard.h"
#import "server/device/apple/probe.h"
#import "server/device/apple/realtime_task.h"
#import "server/device/apple/self_test.h"

namespace anex::device::apple {
namespace {

constexpr uint64_t kAllocationAlignment = 64;

constexpr char kCheckOption[] = "check";

std::string OrUnknown(const std::string& text) { return text.empty() ? "unknown" : text; }

// What the self-test found, for people and tools.
std::map<std::string, std::string> ClaimsOf(const SelfTestResult& tested) {
  std::map<std::string, std::string> claims = {
      {"device_time", "wall"},    // of the evaluate call: the engine's own clock is not shown
      {"native_chaining", "no"},  // needs Apple's entitlement
      {"perf_stats", "unavailable"},
      {"load_way", std::string(LoadWayName(tested.load_way))},
      {"evaluate_way", std::string(EvaluateWayName(tested.evaluate_way))}};
  for (const LoadTrial& load : tested.loads) {
    const std::string name = absl::StrCat("self_test_", std::string(LoadWayName(load.way)));
    claims[name] = load.status.ok() ? "passed" : std::string(load.status.message());
    for (const EvaluateTrial& evaluate : load.evaluate) {
      claims[absl::StrCat(name, "_", std::string(EvaluateWayName(evaluate.way)))] =
          evaluate.status.ok() ? absl::StrCat(evaluate.median_ns / 1000, " us")
                               : std::string(evaluate.status.message());
    }
  }
  const RealTimeTrial& task = tested.real_time;
  claims["realtime_task"] = task.status.ok() ? "YES" : std::string(task.status.message());
  if (task.status.ok()) {
    claims["realtime_task_timed"] =
        absl::StrCat(task.with_ns / 1000, " us with it, ", task.without_ns / 1000,
                     " us without: ", task.kept ? "kept" : "not kept");
  }
  claims["row_alignment"] = absl::StrCat(tested.row_alignment, " bytes");
  return claims;
}

// For the life of the device, if it was found to cost nothing.
std::unique_ptr<RealTimeTask> TaskToKeep(const Framework& framework, const SelfTestResult& tested) {
  if (!tested.real_time.kept) return nullptr;
  absl::StatusOr<std::unique_ptr<RealTimeTask>> task = RealTimeTask::Begin(framework);
  return task.ok() ? *std::move(task) : nullptr;
}

class AneDevice final : public Device {
 public:
  AneDevice(EngineParts parts, std::shared_ptr<Device> reference, bool check_first_runs,
            const SelfTestResult& tested)
      : parts_(std::make_shared<const EngineParts>(parts)),
        check_first_runs_(check_first_runs),
        tested_(tested),
        real_time_task_(TaskToKeep(*parts_->framework, tested)) {
    parts.reference = std::move(reference);
    checking_parts_ = std::make_shared<const EngineParts>(std::move(parts));
    const MachineInfo& machine = parts_->framework->machine();
    capabilities_.name = "ane";
    capabilities_.description =
        absl::StrCat("Apple Neural Engine ", OrUnknown(machine.architecture), ", ", machine.cores,
                     " cores, system ", OrUnknown(machine.system_build));
    // Another system has another compiler, another chip another program.
    capabilities_.compiler_version = absl::StrCat("ane-1 ", OrUnknown(machine.architecture), " ",
                                                  OrUnknown(machine.system_build));
    capabilities_.max_rank = 5;
    capabilities_.max_loaded_programs = parts_->residency->budget();
    capabilities_.stops_runs = false;
    capabilities_.claims = ClaimsOf(tested);
  }

  const Capabilities& capabilities() const override { return capabilities_; }

  absl::StatusOr<Artifact> Compile(std::shared_ptr<const mil::Program> program,
                                   const DeviceOptions& options,
                                   const BuildContext& context) override {
    absl::StatusOr<std::shared_ptr<const EngineParts>> parts = PartsFor(options);
    if (!parts.ok()) return parts.status();
    absl::StatusOr<std::unique_ptr<Model>> model = CompileModel(**parts, *program, context.control);
    if (!model.ok()) return model.status();
    // The compiled program is the system's, under the name of our text: see Load.
    return Artifact{std::move(program), options, {}};
  }

  std::vector<Lacking> FindLacking(const mil::Program& program) const override {
    return FindLackingPorts(program);
  }

  absl::StatusOr<std::shared_ptr<Executable>> Load(const Artifact& artifact,
                                                   const BuildContext& context) override {
    if (artifact.program == nullptr) {
      return absl::FailedPreconditionError("the artifact holds no program; compile it again");
    }
    absl::StatusOr<std::shared_ptr<const EngineParts>> parts = PartsFor(artifact.options);
    if (!parts.ok()) return parts.status();
    // Compiles again only where the system has dropped its copy.
    absl::StatusOr<std::unique_ptr<Model>> model =
        CompileModel(**parts, *artifact.program, context.control);
    if (!model.ok()) return model.status();
    return AneExecutable::Make(*std::move(parts), artifact.program, *std::move(model));
  }

  absl::Status Probe(bool thorough, CallControl& control, ProbeLog& log) override {
    return ProbeEngine(*parts_, tested_, thorough, control, log);
  }

  absl::StatusOr<TensorLayout> PreferredLayout(DType dtype, const Shape& shape) const override {
    return MakePaddedLayout(dtype, shape, tested_.row_alignment, kAllocationAlignment, 0);
  }

 private:
  absl::StatusOr<std::shared_ptr<const EngineParts>> PartsFor(const DeviceOptions& options) const {
    bool check = check_first_runs_;
    for (const auto& [key, value] : options) {
      if (key != kCheckOption) {
        return absl::InvalidArgumentError(absl::StrCat("the ane device has no option \"", key,
                                                       "\"; it has \"", kCheckOption, "\""));
      }
      if (value != "first-run" && value != "off") {
        return absl::InvalidArgumentError(absl::StrCat(
            "\"", kCheckOption, "\" is \"first-run\" or \"off\", not \"", value, "\""));
      }
      check = value == "first-run";
    }
    if (check && checking_parts_->reference == nullptr) {
      return absl::FailedPreconditionError(
          "first runs cannot be checked: there is no device to check them against");
    }
    return check ? checking_parts_ : parts_;
  }

  const std::shared_ptr<const EngineParts> parts_;
  std::shared_ptr<const EngineParts> checking_parts_;
  const bool check_first_runs_;
  const SelfTestResult tested_;
  const std::unique_ptr<RealTimeTask> real_time_task_;
  Capabilities capabilities_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Device>> MakeAneDevice(const AneOptions& options) {
  absl::StatusOr<std::shared_ptr<const Framework>> framework =
      Framework::Open(options.framework_path);
  if (!framework.ok()) return framework.status();
  EngineParts parts;
  parts.framework = *std::move(framework);
  std::string temporary;
  @autoreleasepool {
    temporary = ToString(NSTemporaryDirectory());
  }
  absl::StatusOr<std::shared_ptr<WorkFolders>> folders = WorkFolders::Open(temporary);
  if (!folders.ok()) return folders.status();
  parts.folders = *std::move(folders);
  parts.residency = std::make_shared<Residency>(options.loaded_programs);
  parts.gate = std::make_shared<CompileGate>(
      CompileGateOptions{.pace_after_failure = options.pace_after_failed_compile});
  absl::StatusOr<SelfTestResult> tested = RunSelfTest(parts);
  if (!tested.ok()) return tested.status();
  parts.load_way = tested->load_way;
  parts.evaluate_way = tested->evaluate_way;
  std::shared_ptr<Device> reference;
  if (options.reference.make != nullptr) {
    absl::StatusOr<std::unique_ptr<Device>> made = options.reference.make();
    if (!made.ok()) return made.status();
    reference = *std::move(made);
  }
  return std::make_unique<AneDevice>(std::move(parts), std::move(reference),
                                     options.check_first_runs, *tested);
}

DeviceFactory AneDeviceFactory(const AneOptions& options) {
  return {"ane", [options] { return MakeAneDevice(options); }};
}

}  // namespace anex::device::apple
