#include "client/inproc/inproc_transport.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "client/inproc/inproc_stream.h"
#include "proto/values/within_memory.h"
#include "server/device/cpu/cpu_device.h"
#include "server/engine/clock.h"

namespace anex {
namespace {

using engine::Caller;
using engine::Engine;

// As in the daemon, a call that wants more memory than there is fails, and nothing else does.
template <typename Verb>
auto Guarded(const Verb& verb) -> decltype(verb()) {
  return WithinMemory("answer this call", verb);
}

class InprocTransport final : public Transport {
 public:
  explicit InprocTransport(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {}
  ~InprocTransport() override { (void)Close(); }

  std::string_view endpoint() const override { return "in-process"; }
  void SetCallDeadline(absl::Duration deadline) override {
    call_ns_ = absl::ToInt64Nanoseconds(deadline);
  }

  absl::StatusOr<DaemonInfo> GetInfo() override { return engine_->GetInfo(Me()); }
  absl::StatusOr<DaemonStatus> GetStatus() override { return engine_->GetStatus(Me()); }
  absl::Status WatchStatus(absl::Duration interval,
                           const std::function<bool(const DaemonStatus&)>& each) override {
    while (each(engine_->GetStatus(Me()))) absl::SleepFor(interval);
    return absl::OkStatus();
  }
  absl::StatusOr<std::vector<DeviceInfo>> ListDevices() override {
    return engine_->ListDevices(Me());
  }
  absl::StatusOr<std::vector<SurfaceStatus>> ListSurfaces() override {
    return engine_->ListSurfaces(Me());
  }

  absl::StatusOr<SessionGrant> Open(const OpenSpec& spec) override;
  absl::Status Close() override;
  absl::StatusOr<std::vector<SessionStatus>> ListSessions() override {
    return engine_->GetStatus(Me()).sessions;
  }

  absl::StatusOr<SurfaceInfo> CreateSurface(const SurfaceSpec& spec) override {
    return Guarded([&] { return engine_->CreateSurface(Me(), spec); });
  }
  absl::StatusOr<std::shared_ptr<shm::SharedRegion>> MapSurface(SurfaceId surface,
                                                                Access access) override;
  absl::StatusOr<SurfaceInfo> ImportSurface(std::shared_ptr<shm::SharedRegion> region,
                                            const TensorLayout& layout,
                                            std::string_view label) override;
  absl::StatusOr<SurfaceInfo> ImportGlobalIosurface(uint32_t number, const TensorLayout& layout,
                                                    std::string_view label) override {
    return Guarded([&] { return engine_->ImportGlobalIosurface(Me(), number, layout, label); });
  }
  absl::StatusOr<std::string> GrantSurface(SurfaceId surface, Access access) override;
  absl::StatusOr<SurfaceInfo> ClaimGrant(std::string_view ticket) override {
    return Guarded([&] { return engine_->ClaimGrant(Me(), ticket); });
  }
  absl::StatusOr<SurfaceInfo> DescribeSurface(SurfaceId surface) override {
    return Guarded([&] { return engine_->DescribeSurface(Me(), surface); });
  }
  absl::StatusOr<std::string> ReadSurface(SurfaceId surface, const Region& region) override {
    return Guarded([&] { return engine_->ReadSurface(Me(), surface, region); });
  }
  absl::Status WriteSurface(SurfaceId surface, const Region& region,
                            std::string_view packed) override {
    return Guarded([&] { return engine_->WriteSurface(Me(), surface, region, packed); });
  }
  absl::Status ReleaseSurface(SurfaceId surface) override {
    return Guarded([&] { return engine_->ReleaseSurface(Me(), surface); });
  }

  absl::StatusOr<KernelInfo> Compile(const ProgramSource& source,
                                     const CompileOptions& options) override {
    return Guarded([&] { return engine_->Compile(Me(), source, options); });
  }
  absl::StatusOr<KernelInfo> CompileByDigest(std::string_view digest, const CompileOptions& options,
                                             std::string_view name) override {
    return Guarded([&] { return engine_->CompileByDigest(Me(), digest, options, name); });
  }
  absl::StatusOr<CheckResult> Check(const ProgramSource& source,
                                    const CompileOptions& options) override {
    return Guarded(
        [&]() -> absl::StatusOr<CheckResult> { return engine_->Check(Me(), source, options); });
  }
  absl::StatusOr<KernelInfo> DescribeKernel(KernelId kernel) override {
    return Guarded([&] { return engine_->DescribeKernel(Me(), kernel); });
  }
  absl::Status ReleaseKernel(KernelId kernel) override {
    return Guarded([&] { return engine_->ReleaseKernel(Me(), kernel); });
  }

  absl::StatusOr<ParameterSetInfo> CreateParameterSet(const ParameterSetSpec& spec) override {
    return Guarded([&] { return engine_->CreateParameterSet(Me(), spec); });
  }
  absl::StatusOr<WriteLease> BeginWrite(ParameterSetId set, absl::Duration duration) override {
    return Guarded(
        [&] { return engine_->BeginWrite(Me(), set, absl::ToInt64Nanoseconds(duration)); });
  }
  absl::Status Update(LeaseId lease, std::span<const WeightChunk> chunks) override;
  absl::StatusOr<uint64_t> Publish(LeaseId lease, uint64_t expected_generation) override {
    return Guarded([&] { return engine_->Publish(Me(), lease, expected_generation); });
  }
  absl::Status Abort(LeaseId lease) override {
    return Guarded([&] { return engine_->Abort(Me(), lease); });
  }
  absl::StatusOr<ParameterSetInfo> DescribeParameterSet(ParameterSetId set) override {
    return Guarded([&] { return engine_->DescribeParameterSet(Me(), set); });
  }
  absl::Status ReleaseParameterSet(ParameterSetId set) override {
    return Guarded([&] { return engine_->ReleaseParameterSet(Me(), set); });
  }

  absl::StatusOr<InvocationId> Prepare(const InvocationSpec& spec) override {
    return Guarded([&] { return engine_->Prepare(Me(), spec); });
  }
  absl::Status Rebind(InvocationId invocation, std::span<const Binding> bindings) override {
    return Guarded([&] { return engine_->Rebind(Me(), invocation, bindings); });
  }
  absl::Status ReleaseInvocation(InvocationId invocation) override {
    return Guarded([&] { return engine_->ReleaseInvocation(Me(), invocation); });
  }
  absl::StatusOr<ChainId> DefineChain(const ChainSpec& spec) override {
    return Guarded([&] { return engine_->DefineChain(Me(), spec); });
  }
  absl::Status ReleaseChain(ChainId chain) override {
    return Guarded([&] { return engine_->ReleaseChain(Me(), chain); });
  }

  absl::StatusOr<LaneId> CreateLane(const LaneSpec& spec) override {
    return Guarded([&] { return engine_->CreateLane(Me(), spec); });
  }
  absl::Status ReleaseLane(LaneId lane) override {
    return Guarded([&] { return engine_->ReleaseLane(Me(), lane); });
  }
  absl::StatusOr<FenceId> CreateFence(uint64_t initial_value) override {
    return Guarded([&] { return engine_->CreateFence(Me(), initial_value); });
  }
  absl::Status SignalFence(FenceId fence, uint64_t value) override {
    return Guarded([&] { return engine_->SignalFence(Me(), fence, value); });
  }
  absl::StatusOr<uint64_t> WaitFence(FenceId fence, uint64_t value) override {
    return Guarded([&] { return engine_->WaitFence(Me(), fence, value); });
  }
  absl::Status ReleaseFence(FenceId fence) override {
    return Guarded([&] { return engine_->ReleaseFence(Me(), fence); });
  }
  absl::StatusOr<Completion> Evaluate(const Submission& submission) override {
    engine::Caller me = Me();
    // The work may take as long as it was allowed to.
    const int64_t allowed = std::max<int64_t>(submission.deadline_ns, 0);
    me.deadline_ns = allowed > INT64_MAX - me.deadline_ns ? INT64_MAX : me.deadline_ns + allowed;
    return Guarded([&] { return engine_->Evaluate(me, submission); });
  }
  absl::StatusOr<std::unique_ptr<SubmissionStream>> OpenStream(uint32_t credits) override;
  absl::StatusOr<uint32_t> Cancel(LaneId lane, uint64_t user_data) override {
    return Guarded([&] { return engine_->Cancel(Me(), lane, user_data); });
  }
  absl::Status WaitLaneIdle(LaneId lane) override {
    return Guarded([&] { return engine_->WaitLaneIdle(Me(), lane); });
  }
  absl::StatusOr<LaneStatus> DescribeLane(LaneId lane) override {
    return Guarded([&] { return engine_->DescribeLane(Me(), lane); });
  }

  absl::StatusOr<std::vector<LimitInfo>> GetLimits() override { return engine_->GetLimits(Me()); }
  absl::StatusOr<std::vector<LimitInfo>> SetLimits(
      const std::map<std::string, uint64_t>& values) override {
    return engine_->SetLimits(Me(), values);
  }
  absl::StatusOr<uint32_t> Drain(absl::Duration deadline) override {
    return Guarded([&] { return engine_->Drain(Me(), absl::ToInt64Nanoseconds(deadline)); });
  }
  absl::Status EvictSession(SessionId session) override {
    return Guarded([&] { return engine_->Evict(Me(), session); });
  }
  absl::StatusOr<std::vector<CacheEntryInfo>> CacheList(bool verify) override {
    return Guarded([&] { return engine_->CacheList(Me(), verify); });
  }
  absl::StatusOr<ProbeReport> Probe(const std::string& device, bool thorough) override {
    return Guarded([&] { return engine_->Probe(Me(), device, thorough); });
  }
  absl::StatusOr<uint64_t> CachePurge(std::span<const std::string> digests) override {
    return Guarded([&] { return engine_->CachePurge(Me(), digests); });
  }

 private:
  static Caller CallerFor(SessionId session, int64_t call_ns) {
    Caller caller;
    caller.identity = {engine::Identity::Kind::kInProcess, getuid(), getpid(), ""};
    caller.role = Role::kOwner;
    caller.session = session;
    const int64_t now = engine::SystemClock().Now();
    caller.deadline_ns = call_ns > INT64_MAX - now ? INT64_MAX : now + call_ns;
    return caller;
  }
  Caller Me() const { return CallerFor(SessionId(session_.load()), call_ns_.load()); }

  const std::shared_ptr<Engine> engine_;
  std::atomic<uint64_t> session_{0};
  std::atomic<int64_t> call_ns_{60'000'000'000};
  absl::Mutex open_mutex_;  // one Open or Close at a time
};

absl::StatusOr<SessionGrant> InprocTransport::Open(const OpenSpec& spec) {
  absl::MutexLock lock(&open_mutex_);
  if (session_ != 0) {
    return absl::FailedPreconditionError("this transport has a session; use another transport");
  }
  absl::StatusOr<SessionGrant> grant = engine_->Open(Me(), spec);
  if (grant.ok()) session_ = grant->id.value();
  return grant;
}

absl::Status InprocTransport::Close() {
  absl::MutexLock lock(&open_mutex_);
  if (session_ == 0) return absl::UnauthenticatedError("there is no session to close");
  absl::Status closed = engine_->Close(Me());
  session_ = 0;
  return closed;
}

absl::StatusOr<std::shared_ptr<shm::SharedRegion>> InprocTransport::MapSurface(SurfaceId surface,
                                                                               Access access) {
  absl::StatusOr<std::shared_ptr<shm::SharedRegion>> region = engine_->MapSurface(Me(), surface);
  if (!region.ok()) return region;
  const bool writable = (*region)->access() == shm::RegionAccess::kReadWrite;
  if (access == Access::kReadOnly || writable) return region;
  return absl::PermissionDeniedError("the surface was granted read-only");
}

absl::StatusOr<SurfaceInfo> InprocTransport::ImportSurface(
    std::shared_ptr<shm::SharedRegion> region, const TensorLayout& layout, std::string_view label) {
  if (!region) return absl::InvalidArgumentError("there is no region to import");
  const Caller me = Me();
  absl::StatusOr<std::string> token = engine_->OfferRegion(me.session, std::move(region));
  if (!token.ok()) return token.status();
  return Guarded([&] { return engine_->ImportSurface(me, *token, layout, label); });
}

absl::StatusOr<std::string> InprocTransport::GrantSurface(SurfaceId surface, Access access) {
  absl::StatusOr<engine::GrantTicket> grant = engine_->GrantSurface(Me(), surface, access);
  if (!grant.ok()) return grant.status();
  return std::move(grant->ticket);
}

absl::Status InprocTransport::Update(LeaseId lease, std::span<const WeightChunk> chunks) {
  const Caller me = Me();
  for (const WeightChunk& chunk : chunks) {
    if (absl::Status updated = engine_->Update(me, lease, chunk); !updated.ok()) return updated;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<SubmissionStream>> InprocTransport::OpenStream(uint32_t credits) {
  const SessionId session(session_.load());
  if (!session) return absl::UnauthenticatedError("this call needs a session; open one first");
  if (credits == 0) return absl::InvalidArgumentError("a stream needs at least one credit");
  absl::StatusOr<engine::OpenedStream> stream = engine_->OpenStream(Me(), credits);
  if (!stream.ok()) return stream.status();
  const int64_t call_ns = call_ns_;
  return std::make_unique<InprocStream>(
      engine_, [session, call_ns] { return CallerFor(session, call_ns); }, *std::move(stream));
}

}  // namespace

absl::StatusOr<std::shared_ptr<Engine>> StartInprocEngine(const InprocOptions& options) {
  device::cpu::CpuConfig cpu;
  cpu.threads = options.cpu_threads;
  absl::StatusOr<device::DeviceList> devices =
      device::DeviceList::Make({device::cpu::CpuDeviceFactory(cpu)});
  if (!devices.ok()) return devices.status();
  engine::EngineOptions made{*std::move(devices)};
  made.cache_dir = options.cache_dir;
  made.version = "in-process";
  made.limits = options.limits;
  absl::StatusOr<std::unique_ptr<Engine>> engine = Engine::Create(std::move(made));
  if (!engine.ok()) return engine.status();
  return std::shared_ptr<Engine>(*std::move(engine));
}

std::shared_ptr<Transport> MakeInprocTransport(std::shared_ptr<Engine> engine) {
  return std::make_shared<InprocTransport>(std::move(engine));
}

}  // namespace anex
