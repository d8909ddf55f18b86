#include "tests/doubles/fault_device.h"

#include <utility>
#include <vector>

#include "absl/time/clock.h"

namespace anex::device {

Faults::~Faults() {
  ReleaseRuns();
  ReleaseCompiles();
}

absl::Status Faults::BeginMake() {
  absl::MutexLock lock(&mutex_);
  ++devices_made_;
  return make_;
}

absl::Status Faults::BeginCompile() {
  absl::MutexLock lock(&mutex_);
  ++compiles_started_;
  mutex_.Await(absl::Condition(
      +[](Faults* self) { return !self->hang_compiles_; }, this));
  if (compile_time_ > absl::ZeroDuration()) {
    const absl::Duration time = compile_time_;
    mutex_.Unlock();
    absl::SleepFor(time);  // the fault itself: what is tested is that others do not wait for it
    mutex_.Lock();
  }
  return compile_;
}

absl::Status Faults::BeginRun() {
  absl::MutexLock lock(&mutex_);
  ++runs_started_;
  mutex_.Await(absl::Condition(
      +[](Faults* self) { return !self->hang_runs_; }, this));
  if (run_time_ > absl::ZeroDuration()) {
    const absl::Duration time = run_time_;
    mutex_.Unlock();
    absl::SleepFor(time);
    mutex_.Lock();
  }
  return run_;
}

bool Faults::SkipsThisRun() {
  absl::MutexLock lock(&mutex_);
  if (skip_every_ == 0 || ++until_skip_ < skip_every_) return false;
  until_skip_ = 0;
  return true;
}

bool Faults::WaitForRunStarted(int count, absl::Duration patience) {
  absl::MutexLock lock(&mutex_);
  const auto reached = [&] { return runs_started_ >= count; };
  return mutex_.AwaitWithTimeout(absl::Condition(&reached), patience);
}

bool Faults::WaitForRunEnded(int count, absl::Duration patience) {
  absl::MutexLock lock(&mutex_);
  const auto reached = [&] { return runs_ended_ >= count; };
  return mutex_.AwaitWithTimeout(absl::Condition(&reached), patience);
}

bool Faults::WaitForRunsInside(int count, absl::Duration patience) {
  absl::MutexLock lock(&mutex_);
  const auto reached = [&] { return runs_started_ - runs_ended_ == count; };
  return mutex_.AwaitWithTimeout(absl::Condition(&reached), patience);
}

bool Faults::WaitForCompileStarted(int count, absl::Duration patience) {
  absl::MutexLock lock(&mutex_);
  const auto reached = [&] { return compiles_started_ >= count; };
  return mutex_.AwaitWithTimeout(absl::Condition(&reached), patience);
}

class FaultRequest final : public Request {
 public:
  FaultRequest(std::shared_ptr<Faults> faults, std::shared_ptr<Executable> executable,
               std::unique_ptr<Request> inner,
               std::vector<std::shared_ptr<shm::SharedRegion>> outputs)
      : faults_(std::move(faults)),
        executable_(std::move(executable)),
        inner_(std::move(inner)),
        outputs_(std::move(outputs)) {}

  absl::StatusOr<RunStats> Run(CallControl& control) override {
    const absl::Status fault = faults_->BeginRun();
    absl::StatusOr<RunStats> result = RunStats();
    if (!fault.ok()) {
      result = fault;
    } else if (!faults_->SkipsThisRun()) {
      result = inner_->Run(control);
    }
    if (faults_->answers_wrong()) {
      for (const auto& output : outputs_) output->data()[0] = ~output->data()[0];
    }
    faults_->EndRun();
    return result;
  }

 private:
  const std::shared_ptr<Faults> faults_;
  const std::shared_ptr<Executable> executable_;
  const std::unique_ptr<Request> inner_;
  const std::vector<std::shared_ptr<shm::SharedRegion>> outputs_;
};

class FaultExecutable final : public Executable {
 public:
  FaultExecutable(std::shared_ptr<Faults> faults, std::shared_ptr<Executable> inner)
      : faults_(std::move(faults)), inner_(std::move(inner)) {
    faults_->Add(faults_->executables_alive_, 1);
  }
  ~FaultExecutable() override { faults_->Add(faults_->executables_alive_, -1); }

  std::span<const FunctionInfo> functions() const override { return inner_->functions(); }
  uint64_t resident_bytes() const override { return inner_->resident_bytes(); }

  absl::StatusOr<std::unique_ptr<Request>> Prepare(size_t function,
                                                   std::span<const BoundPort> ports) override {
    if (absl::Status fault = faults_->Answer(faults_->prepare_); !fault.ok()) return fault;
    absl::StatusOr<std::unique_ptr<Request>> inner = inner_->Prepare(function, ports);
    if (!inner.ok()) return inner.status();
    std::vector<std::shared_ptr<shm::SharedRegion>> outputs;
    for (const BoundPort& port : ports) {
      const PortInfo& info = functions()[function].ports[port.port];
      if (info.direction == PortDirection::kOutput) outputs.push_back(port.region);
    }
    return std::make_unique<FaultRequest>(faults_, shared_from_this(), *std::move(inner),
                                          std::move(outputs));
  }

 private:
  const std::shared_ptr<Faults> faults_;
  const std::shared_ptr<Executable> inner_;
};

class FaultDevice final : public Device {
 public:
  FaultDevice(std::unique_ptr<Device> inner, std::shared_ptr<Faults> faults)
      : inner_(std::move(inner)), faults_(std::move(faults)) {}

  static absl::StatusOr<std::unique_ptr<Device>> Make(const DeviceFactory& inner,
                                                      const std::shared_ptr<Faults>& faults) {
    if (absl::Status fault = faults->BeginMake(); !fault.ok()) return fault;
    absl::StatusOr<std::unique_ptr<Device>> device = inner.make();
    if (!device.ok()) return device.status();
    return MakeFaultDevice(*std::move(device), faults);
  }

  const Capabilities& capabilities() const override { return inner_->capabilities(); }

  absl::StatusOr<Artifact> Compile(std::shared_ptr<const mil::Program> program,
                                   const DeviceOptions& options,
                                   const BuildContext& context) override {
    if (absl::Status fault = faults_->BeginCompile(); !fault.ok()) return fault;
    return inner_->Compile(std::move(program), options, context);
  }

  absl::StatusOr<std::shared_ptr<Executable>> Load(const Artifact& artifact,
                                                   const BuildContext& context) override {
    if (absl::Status fault = faults_->Answer(faults_->load_); !fault.ok()) return fault;
    absl::StatusOr<std::shared_ptr<Executable>> inner = inner_->Load(artifact, context);
    if (!inner.ok()) return inner.status();
    return std::make_shared<FaultExecutable>(faults_, *std::move(inner));
  }

  // What it compiles goes past this device: a compile in front of it obeys the switches.
  absl::Status Probe(bool thorough, CallControl& control, ProbeLog& log) override {
    if (absl::Status fault = faults_->BeginCompile(); !fault.ok()) return fault;
    return inner_->Probe(thorough, control, log);
  }

  absl::StatusOr<TensorLayout> PreferredLayout(DType dtype, const Shape& shape) const override {
    return inner_->PreferredLayout(dtype, shape);
  }

 private:
  const std::unique_ptr<Device> inner_;
  const std::shared_ptr<Faults> faults_;
};

std::unique_ptr<Device> MakeFaultDevice(std::unique_ptr<Device> inner,
                                        std::shared_ptr<Faults> faults) {
  return std::make_unique<FaultDevice>(std::move(inner), std::move(faults));
}

DeviceFactory FaultDeviceFactory(DeviceFactory inner, std::shared_ptr<Faults> faults) {
  const std::string name = inner.name;
  return {name, [inner = std::move(inner), faults] { return FaultDevice::Make(inner, faults); }};
}

}  // namespace anex::device
