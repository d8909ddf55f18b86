// A transport that remembers which verbs were called and answers from a little state of its own:
// for tests of the SDK and the tool that are about them and not about the engine.
//
// Threads: one mutex around everything; surfaces are heap memory. It does not compute: Evaluate
// answers `evaluate`, or OK.
#ifndef ANEX_TESTS_ANEX_RECORDING_TRANSPORT_H_
#define ANEX_TESTS_ANEX_RECORDING_TRANSPORT_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "client/transport/transport.h"

namespace anex::test {

class RecordingTransport : public Transport {
 public:
  // What it answers; set before use.
  DaemonStatus status;
  std::vector<DeviceInfo> devices;
  std::vector<SurfaceStatus> surfaces;
  std::vector<CacheEntryInfo> cache;
  std::vector<LimitInfo> limits;
  ProbeReport probe;
  std::vector<FunctionInfo> functions;  // of every kernel
  std::vector<Diagnostic> diagnostics;  // of every check
  absl::Status fail;                    // when not OK: what every verb answers
  Access claim_access = Access::kReadOnly;
  uint64_t row_alignment = 1;  // of new surfaces' layouts
  int map_failures = 0;        // so many MapSurface calls fail first
  std::function<absl::StatusOr<Completion>(const Submission&)> evaluate;

  // Verbs that change something, in order, e.g. "Release surface 7".
  std::vector<std::string> log() const;
  int CountOf(const std::string& entry) const;
  std::vector<std::string> purged;
  ProgramSource compiled;               // the last one
  std::vector<WeightChunk> chunks;      // all streamed
  InvocationSpec prepared;              // the last one
  ChainSpec chain;                      // the last one
  std::vector<Submission> submissions;  // all, in order
  SurfaceSpec surface_spec;             // the last one
  std::shared_ptr<shm::SharedRegion> RegionOf(SurfaceId surface) const;

  std::string_view endpoint() const override { return "recording"; }
  void SetCallDeadline(absl::Duration) override {}
  absl::StatusOr<DaemonInfo> GetInfo() override;
  absl::StatusOr<DaemonStatus> GetStatus() override;
  absl::Status WatchStatus(absl::Duration interval,
                           const std::function<bool(const DaemonStatus&)>& each) override;
  absl::StatusOr<std::vector<DeviceInfo>> ListDevices() override;
  absl::StatusOr<std::vector<SurfaceStatus>> ListSurfaces() override;
  absl::StatusOr<SessionGrant> Open(const OpenSpec& spec) override;
  absl::Status Close() override { return Note("Close"); }
  absl::StatusOr<std::vector<SessionStatus>> ListSessions() override;
  absl::StatusOr<SurfaceInfo> CreateSurface(const SurfaceSpec& spec) override;
  absl::StatusOr<std::shared_ptr<shm::SharedRegion>> MapSurface(SurfaceId surface,
                                                                Access access) override;
  absl::StatusOr<SurfaceInfo> ImportSurface(std::shared_ptr<shm::SharedRegion> region,
                                            const TensorLayout& layout,
                                            std::string_view label) override;
  absl::StatusOr<SurfaceInfo> ImportGlobalIosurface(uint32_t number, const TensorLayout& layout,
                                                    std::string_view label) override;
  absl::StatusOr<std::string> GrantSurface(SurfaceId surface, Access access) override;
  absl::StatusOr<SurfaceInfo> ClaimGrant(std::string_view ticket) override;
  absl::StatusOr<SurfaceInfo> DescribeSurface(SurfaceId surface) override;
  absl::StatusOr<std::string> ReadSurface(SurfaceId surface, const Region& region) override;
  absl::Status WriteSurface(SurfaceId surface, const Region& region,
                            std::string_view packed) override;
  absl::Status ReleaseSurface(SurfaceId surface) override;
  absl::StatusOr<KernelInfo> Compile(const ProgramSource& source,
                                     const CompileOptions& options) override;
  absl::StatusOr<KernelInfo> CompileByDigest(std::string_view digest, const CompileOptions& options,
                                             std::string_view name) override;
  absl::StatusOr<CheckResult> Check(const ProgramSource& source,
                                    const CompileOptions& options) override;
  absl::StatusOr<KernelInfo> DescribeKernel(KernelId kernel) override;
  absl::Status ReleaseKernel(KernelId kernel) override;
  absl::StatusOr<ParameterSetInfo> CreateParameterSet(const ParameterSetSpec& spec) override;
  absl::StatusOr<WriteLease> BeginWrite(ParameterSetId set, absl::Duration duration) override;
  absl::Status Update(LeaseId lease, std::span<const WeightChunk> pieces) override;
  absl::StatusOr<uint64_t> Publish(LeaseId lease, uint64_t expected_generation) override;
  absl::Status Abort(LeaseId lease) override;
  absl::StatusOr<ParameterSetInfo> DescribeParameterSet(ParameterSetId set) override;
  absl::Status ReleaseParameterSet(ParameterSetId set) override;
  absl::StatusOr<InvocationId> Prepare(const InvocationSpec& spec) override;
  absl::Status Rebind(InvocationId invocation, std::span<const Binding> bindings) override;
  absl::Status ReleaseInvocation(InvocationId invocation) override;
  absl::StatusOr<ChainId> DefineChain(const ChainSpec& spec) override;
  absl::Status ReleaseChain(ChainId chain) override;
  absl::StatusOr<LaneId> CreateLane(const LaneSpec& spec) override;
  absl::Status ReleaseLane(LaneId lane) override;
  absl::StatusOr<FenceId> CreateFence(uint64_t initial_value) override;
  absl::Status SignalFence(FenceId fence, uint64_t value) override;
  absl::StatusOr<uint64_t> WaitFence(FenceId fence, uint64_t value) override;
  absl::Status ReleaseFence(FenceId fence) override;
  absl::StatusOr<Completion> Evaluate(const Submission& submission) override;
  absl::StatusOr<std::unique_ptr<SubmissionStream>> OpenStream(uint32_t credits) override;
  absl::StatusOr<uint32_t> Cancel(LaneId lane, uint64_t user_data) override;
  absl::StatusOr<LaneStatus> DescribeLane(LaneId lane) override;
  absl::Status WaitLaneIdle(LaneId lane) override;
  absl::StatusOr<std::vector<LimitInfo>> GetLimits() override;
  absl::StatusOr<std::vector<LimitInfo>> SetLimits(
      const std::map<std::string, uint64_t>& values) override;
  absl::StatusOr<uint32_t> Drain(absl::Duration deadline) override;
  absl::Status EvictSession(SessionId session) override;
  absl::StatusOr<std::vector<CacheEntryInfo>> CacheList(bool verify) override;
  absl::StatusOr<uint64_t> CachePurge(std::span<const std::string> digests) override;
  absl::StatusOr<ProbeReport> Probe(const std::string& device, bool thorough) override {
    if (!fail.ok()) return fail;
    Note("Probe " + device + (thorough ? " thorough" : "")).IgnoreError();
    return probe;
  }

 private:
  struct Held {
    SurfaceInfo info;
    std::shared_ptr<shm::SharedRegion> region;
  };
  absl::Status Note(const std::string& entry);  // logs; `fail`
  SurfaceInfo AddSurface(const TensorLayout& layout, Access access);
  template <typename T>
  absl::StatusOr<T> Answer(T value) const {
    if (!fail.ok()) return fail;
    return value;
  }
  uint64_t NextId() { return (uint64_t{1} << 32) | ++last_; }

  mutable absl::Mutex mutex_;
  std::vector<std::string> log_;
  std::map<uint64_t, Held> held_;
  ParameterSetInfo set_;
  uint64_t last_ = 0;
};

}  // namespace anex::test

#endif  // ANEX_TESTS_ANEX_RECORDING_TRANSPORT_H_
