// The class behind ConnectGrpcTransport; its verbs are in grpc_transport_<noun>.cc. Not for
// includes from outside this folder. Threads and errors: grpc_transport.h.
#ifndef ANEX_CLIENT_TRANSPORT_GRPC_TRANSPORT_IMPL_H_
#define ANEX_CLIENT_TRANSPORT_GRPC_TRANSPORT_IMPL_H_

#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client/transport/grpc_connection.h"
#include "client/transport/side_channel_client.h"
#include "client/transport/transport.h"

namespace anex {

class GrpcTransport : public Transport {
 public:
  explicit GrpcTransport(std::shared_ptr<GrpcConnection> connection)
      : connection_(std::move(connection)) {}
  ~GrpcTransport() override;

  std::string_view endpoint() const override { return connection_->endpoint(); }
  void SetCallDeadline(absl::Duration deadline) override {
    connection_->set_call_deadline(deadline);
  }
  absl::Duration call_deadline() const override { return connection_->call_deadline(); }

  absl::StatusOr<DaemonInfo> GetInfo() override;
  absl::StatusOr<DaemonStatus> GetStatus() override;
  absl::Status WatchStatus(absl::Duration interval,
                           const std::function<bool(const DaemonStatus&)>& each) override;
  absl::StatusOr<std::vector<DeviceInfo>> ListDevices() override;
  absl::StatusOr<std::vector<SurfaceStatus>> ListSurfaces() override;

  absl::StatusOr<SessionGrant> Open(const OpenSpec& spec) override;
  absl::Status Close() override;
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
  absl::Status Update(LeaseId lease, std::span<const WeightChunk> chunks) override;
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
  absl::StatusOr<std::unique_ptr<SubmissionStream>> OpenRing(LaneId lane,
                                                             uint32_t credits) override;
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
  absl::StatusOr<ProbeReport> Probe(const std::string& device, bool thorough) override;

 private:
  absl::StatusOr<SessionGrant> OpenOnce(const OpenSpec& spec);
  // The session's side channel; FAILED_PRECONDITION without a session.
  absl::StatusOr<std::shared_ptr<SideChannelClient>> Side() const ABSL_LOCKS_EXCLUDED(mutex_);
  // OK, or why the session is no more; notices the end of the side channel.
  absl::Status CheckSession() const ABSL_LOCKS_EXCLUDED(mutex_);
  // One unary call of the session.
  template <typename Stub, typename Request, typename Response>
  absl::Status Call(const std::unique_ptr<Stub>& stub,
                    grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response* response,
                    absl::Duration extra_time = absl::ZeroDuration()) const {
    const absl::Status alive = CheckSession();
    if (!alive.ok()) return alive;
    return connection_->Call(stub, method, request, response, extra_time);
  }
  // The digest that an equal program had when this transport compiled it, or "".
  std::string KnownDigest(const std::string& program_key) const ABSL_LOCKS_EXCLUDED(mutex_);
  void RememberDigest(const std::string& program_key, const std::string& digest)
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<KernelInfo> ShipProgram(const ProgramSource& source, const CompileOptions& options,
                                         const std::string& content_sha256);
  absl::StatusOr<CheckResult> CheckFor(const ProgramSource& source, const CompileOptions& options,
                                       const std::string& content_sha256, CheckPurpose purpose);
  // A status has room for a few findings: asks for the others if some were left out of `refused`.
  absl::Status WithAllFindings(absl::Status refused, const ProgramSource& source,
                               const CompileOptions& options, const std::string& content_sha256);

  const std::shared_ptr<GrpcConnection> connection_;
  mutable absl::Mutex mutex_;
  std::shared_ptr<SideChannelClient> side_channel_ ABSL_GUARDED_BY(mutex_);
  bool opening_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<std::string, std::string> digests_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace anex

#endif  // ANEX_CLIENT_TRANSPORT_GRPC_TRANSPORT_IMPL_H_
