// What the SDK needs from below. Two implementers: grpc_transport (a daemon) and inproc_transport
// (the engine in this process), so that a program is the same in both. Values are those of
// proto/values; no gRPC or protobuf type passes through here.
//
// Threads: every method from any thread. Methods that wait end at `deadline` of the transport
// (CallDeadline, default 60 s) with DEADLINE_EXCEEDED. After the daemon went away all verbs say
// UNAVAILABLE. One transport carries at most one session.
#ifndef ANEX_CLIENT_TRANSPORT_TRANSPORT_H_
#define ANEX_CLIENT_TRANSPORT_TRANSPORT_H_

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/shm/shared_region.h"
#include "proto/values/execution_values.h"
#include "proto/values/kernel_values.h"
#include "proto/values/parameter_values.h"
#include "proto/values/probe_values.h"
#include "proto/values/status_values.h"
#include "proto/values/surface_values.h"

namespace anex {

// Many submissions in flight on one connection. Submit and Next from different threads are fine;
// Next from one thread at a time.
class SubmissionStream {
 public:
  virtual ~SubmissionStream() = default;  // ends the stream; what is in flight still runs
  // Waits for credits if `credits` submissions are in flight. A refused submission comes back as a
  // completion with the refusal as its status, in any order.
  virtual absl::Status Submit(std::span<const Submission> submissions) = 0;
  virtual absl::StatusOr<Completion> Next(absl::Duration timeout) = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;
  // "unix:/path" or "in-process"; for messages.
  virtual std::string_view endpoint() const = 0;
  virtual void SetCallDeadline(absl::Duration deadline) = 0;
  virtual absl::Duration call_deadline() const { return absl::Seconds(60); }

  // Daemon; no session needed.
  virtual absl::StatusOr<DaemonInfo> GetInfo() = 0;
  virtual absl::StatusOr<DaemonStatus> GetStatus() = 0;
  // Calls `each` every `interval` until it returns false or the daemon goes away.
  virtual absl::Status WatchStatus(absl::Duration interval,
                                   const std::function<bool(const DaemonStatus&)>& each) = 0;
  virtual absl::StatusOr<std::vector<DeviceInfo>> ListDevices() = 0;
  virtual absl::StatusOr<std::vector<SurfaceStatus>> ListSurfaces() = 0;

  // Sessions. Open also attaches the side channel.
  virtual absl::StatusOr<SessionGrant> Open(const OpenSpec& spec) = 0;
  virtual absl::Status Close() = 0;
  virtual absl::StatusOr<std::vector<SessionStatus>> ListSessions() = 0;

  // Surfaces.
  virtual absl::StatusOr<SurfaceInfo> CreateSurface(const SurfaceSpec& spec) = 0;
  // Maps a surface into this process (hand-over through the side channel).
  virtual absl::StatusOr<std::shared_ptr<shm::SharedRegion>> MapSurface(SurfaceId surface,
                                                                        Access access) = 0;
  virtual absl::StatusOr<SurfaceInfo> ImportSurface(std::shared_ptr<shm::SharedRegion> region,
                                                    const TensorLayout& layout,
                                                    std::string_view label) = 0;
  virtual absl::StatusOr<SurfaceInfo> ImportGlobalIosurface(uint32_t number,
                                                            const TensorLayout& layout,
                                                            std::string_view label) = 0;
  virtual absl::StatusOr<std::string> GrantSurface(SurfaceId surface, Access access) = 0;
  virtual absl::StatusOr<SurfaceInfo> ClaimGrant(std::string_view ticket) = 0;
  virtual absl::StatusOr<SurfaceInfo> DescribeSurface(SurfaceId surface) = 0;
  virtual absl::StatusOr<std::string> ReadSurface(SurfaceId surface, const Region& region) = 0;
  virtual absl::Status WriteSurface(SurfaceId surface, const Region& region,
                                    std::string_view packed) = 0;
  virtual absl::Status ReleaseSurface(SurfaceId surface) = 0;

  // Kernels.
  virtual absl::StatusOr<KernelInfo> Compile(const ProgramSource& source,
                                             const CompileOptions& options) = 0;
  virtual absl::StatusOr<KernelInfo> CompileByDigest(std::string_view digest,
                                                     const CompileOptions& options,
                                                     std::string_view name) = 0;
  virtual absl::StatusOr<CheckResult> Check(const ProgramSource& source,
                                            const CompileOptions& options) = 0;
  virtual absl::StatusOr<KernelInfo> DescribeKernel(KernelId kernel) = 0;
  virtual absl::Status ReleaseKernel(KernelId kernel) = 0;

  // Parameter sets.
  virtual absl::StatusOr<ParameterSetInfo> CreateParameterSet(const ParameterSetSpec& spec) = 0;
  virtual absl::StatusOr<WriteLease> BeginWrite(ParameterSetId set, absl::Duration duration) = 0;
  virtual absl::Status Update(LeaseId lease, std::span<const WeightChunk> chunks) = 0;
  virtual absl::StatusOr<uint64_t> Publish(LeaseId lease, uint64_t expected_generation) = 0;
  virtual absl::Status Abort(LeaseId lease) = 0;
  virtual absl::StatusOr<ParameterSetInfo> DescribeParameterSet(ParameterSetId set) = 0;
  virtual absl::Status ReleaseParameterSet(ParameterSetId set) = 0;

  // Invocations and chains.
  virtual absl::StatusOr<InvocationId> Prepare(const InvocationSpec& spec) = 0;
  virtual absl::Status Rebind(InvocationId invocation, std::span<const Binding> bindings) = 0;
  virtual absl::Status ReleaseInvocation(InvocationId invocation) = 0;
  virtual absl::StatusOr<ChainId> DefineChain(const ChainSpec& spec) = 0;
  virtual absl::Status ReleaseChain(ChainId chain) = 0;

  // Execution.
  virtual absl::StatusOr<LaneId> CreateLane(const LaneSpec& spec) = 0;
  virtual absl::Status ReleaseLane(LaneId lane) = 0;
  virtual absl::StatusOr<FenceId> CreateFence(uint64_t initial_value) = 0;
  virtual absl::Status SignalFence(FenceId fence, uint64_t value) = 0;
  virtual absl::StatusOr<uint64_t> WaitFence(FenceId fence, uint64_t value) = 0;
  virtual absl::Status ReleaseFence(FenceId fence) = 0;
  virtual absl::StatusOr<Completion> Evaluate(const Submission& submission) = 0;
  virtual absl::StatusOr<std::unique_ptr<SubmissionStream>> OpenStream(uint32_t credits) = 0;
  // A ring into one lane: the same, cheaper. UNIMPLEMENTED where there are none.
  virtual absl::StatusOr<std::unique_ptr<SubmissionStream>> OpenRing(LaneId /*lane*/,
                                                                     uint32_t /*credits*/) {
    return absl::UnimplementedError(
        "there are no rings here: nothing lies between this program and the engine");
  }
  virtual absl::StatusOr<uint32_t> Cancel(LaneId lane, uint64_t user_data) = 0;
  virtual absl::StatusOr<LaneStatus> DescribeLane(LaneId lane) = 0;
  virtual absl::Status WaitLaneIdle(LaneId lane) = 0;

  // Admin.
  virtual absl::StatusOr<std::vector<LimitInfo>> GetLimits() = 0;
  // All or nothing; what they all are then.
  virtual absl::StatusOr<std::vector<LimitInfo>> SetLimits(
      const std::map<std::string, uint64_t>& values) = 0;
  virtual absl::StatusOr<uint32_t> Drain(absl::Duration deadline) = 0;
  virtual absl::Status EvictSession(SessionId session) = 0;
  virtual absl::StatusOr<std::vector<CacheEntryInfo>> CacheList(bool verify) = 0;
  virtual absl::StatusOr<uint64_t> CachePurge(std::span<const std::string> digests) = 0;
  // What a device ("" = the default one) turns out to be able to do; seconds.
  virtual absl::StatusOr<ProbeReport> Probe(const std::string& device, bool thorough) = 0;
};

}  // namespace anex

#endif  // ANEX_CLIENT_TRANSPORT_TRANSPORT_H_
