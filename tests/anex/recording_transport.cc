#include "tests/anex/recording_transport.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace anex::test {
namespace {

// Completes what is submitted at once, the latest first: a user that expects the order of
// submission from a stream is wrong.
class BackwardStream : public SubmissionStream {
 public:
  explicit BackwardStream(RecordingTransport& transport) : transport_(transport) {}
  absl::Status Submit(std::span<const Submission> submissions) override {
    for (const Submission& each : submissions) {
      const absl::StatusOr<Completion> done = transport_.Evaluate(each);
      Completion completion =
          done.ok()
              ? *done
              : Completion{.lane = each.lane, .user_data = each.user_data, .status = done.status()};
      absl::MutexLock lock(&mutex_);
      done_.push_front(std::move(completion));
    }
    return absl::OkStatus();
  }
  absl::StatusOr<Completion> Next(absl::Duration timeout) override {
    absl::MutexLock lock(&mutex_);
    const auto some = [this] {
      mutex_.AssertReaderHeld();
      return !done_.empty();
    };
    if (!mutex_.AwaitWithTimeout(absl::Condition(&some), timeout)) {
      return absl::DeadlineExceededError("nothing came");
    }
    Completion completion = std::move(done_.front());
    done_.pop_front();
    return completion;
  }

 private:
  RecordingTransport& transport_;
  absl::Mutex mutex_;
  std::deque<Completion> done_;
};

}  // namespace

absl::Status RecordingTransport::Note(const std::string& entry) {
  absl::MutexLock lock(&mutex_);
  log_.push_back(entry);
  return fail;
}

std::vector<std::string> RecordingTransport::log() const {
  absl::MutexLock lock(&mutex_);
  return log_;
}

int RecordingTransport::CountOf(const std::string& entry) const {
  const std::vector<std::string> all = log();
  return static_cast<int>(std::count(all.begin(), all.end(), entry));
}

std::shared_ptr<shm::SharedRegion> RecordingTransport::RegionOf(SurfaceId surface) const {
  return held_.at(surface.value()).region;
}

absl::StatusOr<DaemonInfo> RecordingTransport::GetInfo() { return Answer(status.info); }
absl::StatusOr<DaemonStatus> RecordingTransport::GetStatus() { return Answer(status); }
absl::Status RecordingTransport::WatchStatus(absl::Duration,
                                             const std::function<bool(const DaemonStatus&)>& each) {
  while (fail.ok() && each(status)) {
  }
  return fail;
}
absl::StatusOr<std::vector<DeviceInfo>> RecordingTransport::ListDevices() {
  return Answer(devices);
}
absl::StatusOr<std::vector<SurfaceStatus>> RecordingTransport::ListSurfaces() {
  return Answer(surfaces);
}
absl::StatusOr<SessionGrant> RecordingTransport::Open(const OpenSpec& spec) {
  const absl::Status noted = Note("Open " + spec.client_name);
  if (!noted.ok()) return noted;
  return SessionGrant{.id = SessionId(NextId()), .daemon = status.info};
}
absl::StatusOr<std::vector<SessionStatus>> RecordingTransport::ListSessions() {
  return Answer(status.sessions);
}

SurfaceInfo RecordingTransport::AddSurface(const TensorLayout& layout, Access access) {
  SurfaceInfo info{.id = SurfaceId(NextId()), .layout = layout, .access = access};
  held_[info.id.value()] = {info, *shm::CreateHeapRegion(layout.allocation_bytes)};
  return info;
}

absl::StatusOr<SurfaceInfo> RecordingTransport::CreateSurface(const SurfaceSpec& spec) {
  surface_spec = spec;
  if (!fail.ok()) return fail;
  DType dtype = spec.dtype;
  Shape shape = spec.shape;
  for (const PortRef& fit : spec.fits) {
    for (const FunctionInfo& function : functions) {
      for (const PortInfo& port : function.ports) {
        if (port.name != fit.port) continue;
        dtype = port.layout.dtype;
        shape = port.layout.shape;
      }
    }
  }
  const absl::StatusOr<TensorLayout> layout = MakePaddedLayout(dtype, shape, row_alignment, 1, 1);
  if (!layout.ok()) return layout.status();
  return AddSurface(*layout, Access::kReadWrite);
}

absl::StatusOr<std::shared_ptr<shm::SharedRegion>> RecordingTransport::MapSurface(SurfaceId surface,
                                                                                  Access) {
  const absl::Status noted = Note(absl::StrCat("Map ", surface.slot()));
  if (!noted.ok()) return noted;
  if (map_failures-- > 0) return absl::UnavailableError("not now");
  return RegionOf(surface);
}
absl::StatusOr<SurfaceInfo> RecordingTransport::ImportSurface(std::shared_ptr<shm::SharedRegion>,
                                                              const TensorLayout& layout,
                                                              std::string_view) {
  return Answer(AddSurface(layout, Access::kReadWrite));
}
absl::StatusOr<SurfaceInfo> RecordingTransport::ImportGlobalIosurface(uint32_t,
                                                                      const TensorLayout& layout,
                                                                      std::string_view) {
  return Answer(AddSurface(layout, Access::kReadWrite));
}
absl::StatusOr<std::string> RecordingTransport::GrantSurface(SurfaceId surface, Access) {
  return Answer(absl::StrCat("ticket-", surface.slot()));
}
absl::StatusOr<SurfaceInfo> RecordingTransport::ClaimGrant(std::string_view) {
  return Answer(AddSurface(*MakePackedLayout(DType::kFp32, {2, 3}), claim_access));
}
absl::StatusOr<SurfaceInfo> RecordingTransport::DescribeSurface(SurfaceId surface) {
  return Answer(held_.at(surface.value()).info);
}
absl::StatusOr<std::string> RecordingTransport::ReadSurface(SurfaceId, const Region&) {
  return absl::UnimplementedError("not recorded");
}
absl::Status RecordingTransport::WriteSurface(SurfaceId, const Region&, std::string_view) {
  return absl::UnimplementedError("not recorded");
}
absl::Status RecordingTransport::ReleaseSurface(SurfaceId surface) {
  return Note(absl::StrCat("Release surface ", surface.slot()));
}

absl::StatusOr<KernelInfo> RecordingTransport::Compile(const ProgramSource& source,
                                                       const CompileOptions& options) {
  compiled = source;
  if (!fail.ok()) return fail;
  return KernelInfo{.id = KernelId(NextId()),
                    .digest = std::string(64, 'd'),
                    .name = source.name,
                    .device = options.device.empty() ? "cpu" : options.device,
                    .functions = functions};
}
absl::StatusOr<KernelInfo> RecordingTransport::CompileByDigest(std::string_view digest,
                                                               const CompileOptions& options,
                                                               std::string_view name) {
  absl::StatusOr<KernelInfo> info = Compile(ProgramSource{.name = std::string(name)}, options);
  if (info.ok()) info->digest = std::string(digest);
  return info;
}
absl::StatusOr<CheckResult> RecordingTransport::Check(const ProgramSource& source,
                                                      const CompileOptions&) {
  compiled = source;
  return Answer(CheckResult{diagnostics, functions});
}
absl::StatusOr<KernelInfo> RecordingTransport::DescribeKernel(KernelId) {
  return absl::UnimplementedError("not recorded");
}
absl::Status RecordingTransport::ReleaseKernel(KernelId kernel) {
  return Note(absl::StrCat("Release kernel ", kernel.slot()));
}

absl::StatusOr<ParameterSetInfo> RecordingTransport::CreateParameterSet(
    const ParameterSetSpec& spec) {
  set_ = {.id = ParameterSetId(NextId()), .mode = spec.mode};
  for (const ParameterSpec& parameter : spec.parameters) {
    const TensorLayout layout = *MakePackedLayout(parameter.dtype, parameter.shape);
    ParameterInfo info{.name = parameter.name, .layout = layout};
    info.buffers[0] = AddSurface(layout, Access::kReadWrite).id;
    info.buffers[1] = spec.mode == ParameterMode::kFenced
                          ? info.buffers[0]
                          : AddSurface(layout, Access::kReadWrite).id;
    set_.parameters.push_back(info);
  }
  return Answer(set_);
}
absl::StatusOr<WriteLease> RecordingTransport::BeginWrite(ParameterSetId set, absl::Duration) {
  if (set_.leased) return absl::FailedPreconditionError("leased");
  set_.leased = true;
  return Answer(
      WriteLease{.id = LeaseId(NextId()),
                 .set = set,
                 .buffer = set_.mode == ParameterMode::kFenced ? 0 : 1 - set_.front_buffer,
                 .generation = set_.generation + 1});
}
absl::Status RecordingTransport::Update(LeaseId, std::span<const WeightChunk> pieces) {
  chunks.insert(chunks.end(), pieces.begin(), pieces.end());
  return fail;
}
absl::StatusOr<uint64_t> RecordingTransport::Publish(LeaseId, uint64_t expected_generation) {
  if (expected_generation != 0 && expected_generation != set_.generation + 1) {
    return absl::AbortedError("another generation");
  }
  const absl::Status noted = Note("Publish");
  if (!noted.ok()) return noted;
  set_.leased = false;
  set_.front_buffer = 1 - set_.front_buffer;
  return ++set_.generation;
}
absl::Status RecordingTransport::Abort(LeaseId) {
  set_.leased = false;
  return Note("Abort");
}
absl::StatusOr<ParameterSetInfo> RecordingTransport::DescribeParameterSet(ParameterSetId) {
  return Answer(set_);
}
absl::Status RecordingTransport::ReleaseParameterSet(ParameterSetId set) {
  return Note(absl::StrCat("Release set ", set.slot()));
}

absl::StatusOr<InvocationId> RecordingTransport::Prepare(const InvocationSpec& spec) {
  prepared = spec;
  return Answer(InvocationId(NextId()));
}
absl::Status RecordingTransport::Rebind(InvocationId, std::span<const Binding> bindings) {
  for (const Binding& binding : bindings) Note("Rebind " + binding.port).IgnoreError();
  return fail;
}
absl::Status RecordingTransport::ReleaseInvocation(InvocationId invocation) {
  return Note(absl::StrCat("Release invocation ", invocation.slot()));
}
absl::StatusOr<ChainId> RecordingTransport::DefineChain(const ChainSpec& spec) {
  chain = spec;
  return Answer(ChainId(NextId()));
}
absl::Status RecordingTransport::ReleaseChain(ChainId id) {
  return Note(absl::StrCat("Release chain ", id.slot()));
}
absl::StatusOr<LaneId> RecordingTransport::CreateLane(const LaneSpec&) {
  return Answer(LaneId(NextId()));
}
absl::Status RecordingTransport::ReleaseLane(LaneId lane) {
  return Note(absl::StrCat("Release lane ", lane.slot()));
}
absl::StatusOr<FenceId> RecordingTransport::CreateFence(uint64_t) {
  return Answer(FenceId(NextId()));
}
absl::Status RecordingTransport::SignalFence(FenceId, uint64_t value) {
  return Note(absl::StrCat("Signal ", value));
}
absl::StatusOr<uint64_t> RecordingTransport::WaitFence(FenceId, uint64_t value) {
  return Answer(value);
}
absl::Status RecordingTransport::ReleaseFence(FenceId fence) {
  return Note(absl::StrCat("Release fence ", fence.slot()));
}

absl::StatusOr<Completion> RecordingTransport::Evaluate(const Submission& submission) {
  {
    absl::MutexLock lock(&mutex_);
    submissions.push_back(submission);
  }
  if (evaluate) return evaluate(submission);
  return Answer(Completion{.lane = submission.lane, .user_data = submission.user_data});
}
absl::StatusOr<std::unique_ptr<SubmissionStream>> RecordingTransport::OpenStream(uint32_t) {
  if (!fail.ok()) return fail;
  return std::make_unique<BackwardStream>(*this);
}
absl::StatusOr<uint32_t> RecordingTransport::Cancel(LaneId, uint64_t) { return Answer(1u); }
absl::StatusOr<LaneStatus> RecordingTransport::DescribeLane(LaneId lane) {
  return Answer(LaneStatus{.id = lane});
}
absl::Status RecordingTransport::WaitLaneIdle(LaneId) { return fail; }

absl::StatusOr<std::vector<LimitInfo>> RecordingTransport::GetLimits() { return Answer(limits); }
absl::StatusOr<std::vector<LimitInfo>> RecordingTransport::SetLimits(
    const std::map<std::string, uint64_t>& values) {
  for (const auto& [name, value] : values) {
    Note(absl::StrCat("Set ", name, "=", value)).IgnoreError();
    for (LimitInfo& limit : limits) {
      if (limit.name == name) limit.value = value;
    }
  }
  return Answer(limits);
}
absl::StatusOr<uint32_t> RecordingTransport::Drain(absl::Duration deadline) {
  Note("Drain " + absl::FormatDuration(deadline)).IgnoreError();
  return Answer(2u);
}
absl::Status RecordingTransport::EvictSession(SessionId session) {
  return Note(absl::StrCat("Evict ", session.slot(), ".", session.generation()));
}
absl::StatusOr<std::vector<CacheEntryInfo>> RecordingTransport::CacheList(bool) {
  return Answer(cache);
}
absl::StatusOr<uint64_t> RecordingTransport::CachePurge(std::span<const std::string> digests) {
  purged.assign(digests.begin(), digests.end());
  return Answer(uint64_t{2048});
}

}  // namespace anex::test
