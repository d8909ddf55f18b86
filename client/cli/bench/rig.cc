#include "client/cli/bench/rig.h"

#include <utility>

namespace anex::bench {

absl::StatusOr<std::unique_ptr<Rig>> Rig::Open(const Connect& connect,
                                               std::shared_ptr<const Workload> workload,
                                               const std::string& client_name,
                                               const std::string& device, const Rig* like) {
  absl::StatusOr<std::shared_ptr<Transport>> transport = connect();
  if (!transport.ok()) return transport.status();
  absl::StatusOr<Session> session =
      Session::Open(*std::move(transport), {.client_name = client_name});
  if (!session.ok()) return session.status();
  std::unique_ptr<Rig> rig(new Rig());
  rig->workload_ = std::move(workload);
  rig->device_ = device;
  rig->session_ = *std::move(session);
  absl::Status made = rig->CompileAll(device, like);
  if (made.ok()) made = rig->MakePrimer(device);
  if (!made.ok()) return made;
  return rig;
}

absl::Status Rig::CompileAll(const std::string& device, const Rig* like) {
  const CompileOptions options{.device = device};
  for (int i = 0; i < (workload_->null() ? 1 : kKernels); ++i) {
    const ProgramSource& source = workload_->program(i);
    absl::StatusOr<Kernel> kernel = absl::FailedPreconditionError("");
    if (like != nullptr) {
      kernel = session_.CompileByDigest(like->kernel(i).info().digest, options, source.name);
    }
    if (absl::IsFailedPrecondition(kernel.status())) kernel = session_.Compile(source, options);
    if (!kernel.ok()) return kernel.status();
    kernels_.push_back(*std::move(kernel));
  }
  return absl::OkStatus();
}

absl::Status Rig::MakePrimer(const std::string& device) {
  absl::StatusOr<Kernel> kernel = session_.Compile(NullProgram(), {.device = device});
  if (!kernel.ok()) return kernel.status();
  primer_kernel_ = *std::move(kernel);
  absl::StatusOr<SurfaceMap> surfaces = primer_kernel_.CreateSurfaces();
  if (!surfaces.ok()) return surfaces.status();
  primer_surfaces_ = *std::move(surfaces);
  absl::StatusOr<Invocation> primer = primer_kernel_.Prepare().Bind(primer_surfaces_).Build();
  if (!primer.ok()) return primer.status();
  primer_ = *std::move(primer);
  return absl::OkStatus();
}

absl::StatusOr<const Stages*> Rig::Wired(Wiring wiring, std::optional<Stages>& stages) {
  if (!stages.has_value()) {
    std::vector<const Kernel*> kernels;
    for (const Kernel& kernel : kernels_) kernels.push_back(&kernel);
    absl::StatusOr<Stages> made = Stages::Make(*workload_, kernels, wiring);
    if (!made.ok()) return made.status();
    stages = *std::move(made);
  }
  return &*stages;
}

absl::StatusOr<const Stages*> Rig::Apart() { return Wired(Wiring::kApart, apart_); }
absl::StatusOr<const Stages*> Rig::Shared() { return Wired(Wiring::kShared, shared_); }

absl::StatusOr<const Rig::Rewritable*> Rig::Parameters() {
  if (rewritable_.has_value()) return &*rewritable_;
  absl::StatusOr<Kernel> kernel =
      session_.Compile(workload_->parameter_program(), {.device = device_});
  if (!kernel.ok()) return kernel.status();
  parameter_kernel_ = *std::move(kernel);
  ParameterSetSpec spec;
  spec.label = "rewritten";
  spec.parameters.push_back({.name = "W",
                             .dtype = DType::kFp16,
                             .shape = workload_->parameter_shape(),
                             .fits = {parameter_kernel_.Ref("W")}});
  absl::StatusOr<ParameterSet> set = session_.CreateParameterSet(spec);
  if (!set.ok()) return set.status();
  absl::StatusOr<Stages> stages =
      Stages::Make(*workload_, {&parameter_kernel_}, Wiring::kApart,
                   [&](InvocationBuilder& builder) { builder.Bind("W", *set); });
  if (!stages.ok()) return stages.status();
  rewritable_ = Rewritable{*std::move(set), *std::move(stages)};
  return &*rewritable_;
}

std::string Rig::DescribeDevice() const {
  const absl::StatusOr<Transport*> transport = session_.transport();
  if (!transport.ok()) return "";
  const absl::StatusOr<std::vector<DeviceInfo>> devices = (*transport)->ListDevices();
  if (!devices.ok()) return "";
  for (const DeviceInfo& each : *devices) {
    if (each.name == device()) return each.description;
  }
  return "";
}

absl::StatusOr<uint64_t> Rig::CountRuns() const {
  const absl::StatusOr<Transport*> transport = session_.transport();
  if (!transport.ok()) return transport.status();
  const absl::StatusOr<std::vector<SessionStatus>> sessions = (*transport)->ListSessions();
  if (!sessions.ok()) return sessions.status();
  for (const SessionStatus& each : *sessions) {
    if (each.id == session_.id()) return each.usage.evaluations;
  }
  return absl::NotFoundError("the session that is measured is not listed");
}

}  // namespace anex::bench
