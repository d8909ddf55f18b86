#include "client/anex/session.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/anex/program_file.h"
#include "client/anex/submission_queue_state.h"

namespace anex {

absl::StatusOr<Session> Session::Open(std::shared_ptr<Transport> transport, const OpenSpec& spec) {
  absl::StatusOr<SessionGrant> grant = transport->Open(spec);
  if (!grant.ok()) return grant.status();
  return Session(std::make_shared<internal::SessionCore>(std::move(transport), *std::move(grant)));
}

Session& Session::operator=(Session&& other) noexcept {
  if (this != &other) {
    Close().IgnoreError();
    core_ = std::move(other.core_);
  }
  return *this;
}

Session::~Session() { Close().IgnoreError(); }

SessionId Session::id() const { return core_ == nullptr ? SessionId() : core_->grant().id; }

const DaemonInfo& Session::daemon() const { return core_->grant().daemon; }

absl::StatusOr<Surface> Session::CreateSurface(DType dtype, const Shape& shape,
                                               std::string_view label) const {
  return CreateSurface(SurfaceSpec{.dtype = dtype, .shape = shape, .label = std::string(label)});
}

absl::StatusOr<Surface> Session::CreateSurface(const SurfaceSpec& spec) const {
  const absl::StatusOr<Transport*> below = transport();
  if (!below.ok()) return below.status();
  absl::StatusOr<SurfaceInfo> info = (*below)->CreateSurface(spec);
  if (!info.ok()) return info.status();
  return Surface(core_, *std::move(info));
}

absl::StatusOr<Surface> Session::Claim(std::string_view ticket) const {
  const absl::StatusOr<Transport*> below = transport();
  if (!below.ok()) return below.status();
  absl::StatusOr<SurfaceInfo> info = (*below)->ClaimGrant(ticket);
  if (!info.ok()) return info.status();
  return Surface(core_, *std::move(info));
}

absl::StatusOr<Surface> Session::Import(std::shared_ptr<shm::SharedRegion> region,
                                        const TensorLayout& layout, std::string_view label) const {
  const absl::StatusOr<Transport*> below = transport();
  if (!below.ok()) return below.status();
  absl::StatusOr<SurfaceInfo> info = (*below)->ImportSurface(std::move(region), layout, label);
  if (!info.ok()) return info.status();
  return Surface(core_, *std::move(info));
}

absl::StatusOr<Surface> Session::ImportGlobalIosurface(uint32_t number, const TensorLayout& layout,
                                                       std::string_view label) const {
  const absl::StatusOr<Transport*> below = transport();
  if (!below.ok()) return below.status();
  absl::StatusOr<SurfaceInfo> info = (*below)->ImportGlobalIosurface(number, layout, label);
  if (!info.ok()) return info.status();
  return Surface(core_, *std::move(info));
}

absl::StatusOr<Kernel> Session::Compile(const ProgramSource& source,
                                        const CompileOptions& options) const {
  const absl::StatusOr<Transport*> below = transport();
  if (!below.ok()) return below.status();
  absl::StatusOr<KernelInfo> info = (*below)->Compile(source, options);
  if (!info.ok()) return info.status();
  return Kernel(core_, *std::move(info));
}

absl::StatusOr<Kernel> Session::Compile(std::string_view mil_text, std::string_view name,
                                        const CompileOptions& options) const {
  return Compile(ProgramText(mil_text, name), options);
}

absl::StatusOr<Kernel> Session::CompileByDigest(std::string_view digest,
                                                const CompileOptions& options,
                                                std::string_view name) const {
  const absl::StatusOr<Transport*> below = transport();
  if (!below.ok()) return below.status();
  absl::StatusOr<KernelInfo> info = (*below)->CompileByDigest(digest, options, name);
  if (!info.ok()) return info.status();
  return Kernel(core_, *std::move(info));
}

absl::StatusOr<CheckResult> Session::Check(const ProgramSource& source,
                                           const CompileOptions& options) const {
  const absl::StatusOr<Transport*> below = transport();
  if (!below.ok()) return below.status();
  return (*below)->Check(source, options);
}

absl::StatusOr<ParameterSet> Session::CreateParameterSet(const ParameterSetSpec& spec) const {
  const absl::StatusOr<Transport*> below = transport();
  if (!below.ok()) return below.status();
  absl::StatusOr<ParameterSetInfo> info = (*below)->CreateParameterSet(spec);
  if (!info.ok()) return info.status();
  return ParameterSet(core_, *std::move(info));
}

ChainBuilder Session::NewChain(std::string_view label) const { return ChainBuilder(core_, label); }

absl::StatusOr<Lane> Session::CreateLane(const LaneSpec& spec) const {
  const absl::StatusOr<Transport*> below = transport();
  if (!below.ok()) return below.status();
  const absl::StatusOr<LaneId> id = (*below)->CreateLane(spec);
  if (!id.ok()) return id.status();
  return Lane(core_, *id);
}

absl::StatusOr<Fence> Session::CreateFence(uint64_t initial_value) const {
  const absl::StatusOr<Transport*> below = transport();
  if (!below.ok()) return below.status();
  const absl::StatusOr<FenceId> id = (*below)->CreateFence(initial_value);
  if (!id.ok()) return id.status();
  return Fence(core_, *id);
}

absl::StatusOr<SubmissionQueue> Session::OpenQueue(SubmitMode mode, uint32_t credits) const {
  const absl::StatusOr<Transport*> below = transport();
  if (!below.ok()) return below.status();
  if (credits == 0) return absl::InvalidArgumentError("a queue needs at least one credit");
  absl::StatusOr<internal::SubmitPath> path = internal::OpenPath(**below, LaneId(), mode, credits);
  if (!path.ok()) return path.status();
  return SubmissionQueue(
      std::make_unique<SubmissionQueue::State>(core_, *std::move(path), credits));
}

absl::Status Session::Close() {
  const internal::CorePtr core = std::move(core_);
  core_ = nullptr;
  return core == nullptr ? absl::OkStatus() : core->Close();
}

}  // namespace anex
