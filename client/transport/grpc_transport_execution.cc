// Verbs of invocations, chains, lanes, fences and submissions.
#include <algorithm>
#include <bit>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/transport/grpc_submission_stream.h"
#include "client/transport/grpc_transport_impl.h"
#include "client/transport/ring_submission_stream.h"
#include "proto/convert/execution_convert.h"

namespace anex {
namespace {

// Nobody is kept waiting by a daemon that does not answer: the ring goes with its lane anyway.
constexpr absl::Duration kCloseRingPatience = absl::Seconds(1);

void CloseRing(GrpcConnection& connection, uint64_t ring) {
  if (!connection.SessionReady().ok()) return;
  v1::CloseRingRequest request;
  request.set_ring_id(ring);
  v1::CloseRingResponse response;
  grpc::ClientContext context;
  connection.Prepare(context, std::min(connection.call_deadline(), kCloseRingPatience));
  connection.rings->Close(&context, request, &response);
}

// The ring's memory and bell, from the side channel.
absl::StatusOr<std::shared_ptr<shm::ClientRing>> MapRing(SideChannelClient& side,
                                                         const v1::OpenRingResponse& opened,
                                                         absl::Duration timeout) {
  absl::StatusOr<std::shared_ptr<shm::SharedRegion>> region =
      side.Claim(opened.region_token(), sizeof(RingFrame), shm::RegionAccess::kReadWrite, timeout);
  if (!region.ok()) return region.status();
  absl::StatusOr<shm::Doorbell> bell = side.ClaimBell(opened.doorbell_token(), timeout);
  if (!bell.ok()) return bell.status();
  absl::StatusOr<std::unique_ptr<shm::ClientRing>> ring =
      shm::ClientRing::Attach(*std::move(region), *std::move(bell));
  if (!ring.ok()) return ring.status();
  return std::shared_ptr<shm::ClientRing>(*std::move(ring));
}

}  // namespace

absl::StatusOr<InvocationId> GrpcTransport::Prepare(const InvocationSpec& spec) {
  v1::PrepareInvocationRequest request;
  convert::ToProto(spec, &request);
  v1::PrepareInvocationResponse response;
  const absl::Status done =
      Call(connection_->invocations, &v1::Invocations::Stub::Prepare, request, &response);
  if (!done.ok()) return done;
  return InvocationId(response.invocation_id());
}

absl::Status GrpcTransport::Rebind(InvocationId invocation, std::span<const Binding> bindings) {
  v1::RebindInvocationRequest request;
  request.set_invocation_id(invocation.value());
  for (const Binding& binding : bindings) convert::ToProto(binding, request.add_bindings());
  v1::RebindInvocationResponse response;
  return Call(connection_->invocations, &v1::Invocations::Stub::Rebind, request, &response);
}

absl::Status GrpcTransport::ReleaseInvocation(InvocationId invocation) {
  v1::ReleaseInvocationRequest request;
  request.set_invocation_id(invocation.value());
  v1::ReleaseInvocationResponse response;
  return Call(connection_->invocations, &v1::Invocations::Stub::Release, request, &response);
}

absl::StatusOr<ChainId> GrpcTransport::DefineChain(const ChainSpec& spec) {
  v1::DefineChainRequest request;
  convert::ToProto(spec, &request);
  v1::DefineChainResponse response;
  const absl::Status done =
      Call(connection_->chains, &v1::Chains::Stub::Define, request, &response);
  if (!done.ok()) return done;
  return ChainId(response.chain_id());
}

absl::Status GrpcTransport::ReleaseChain(ChainId chain) {
  v1::ReleaseChainRequest request;
  request.set_chain_id(chain.value());
  v1::ReleaseChainResponse response;
  return Call(connection_->chains, &v1::Chains::Stub::Release, request, &response);
}

absl::StatusOr<LaneId> GrpcTransport::CreateLane(const LaneSpec& spec) {
  v1::CreateLaneRequest request;
  convert::ToProto(spec, &request);
  v1::CreateLaneResponse response;
  const absl::Status done =
      Call(connection_->execution, &v1::Execution::Stub::CreateLane, request, &response);
  if (!done.ok()) return done;
  return LaneId(response.lane_id());
}

absl::Status GrpcTransport::ReleaseLane(LaneId lane) {
  v1::ReleaseLaneRequest request;
  request.set_lane_id(lane.value());
  v1::ReleaseLaneResponse response;
  return Call(connection_->execution, &v1::Execution::Stub::ReleaseLane, request, &response);
}

absl::StatusOr<FenceId> GrpcTransport::CreateFence(uint64_t initial_value) {
  v1::CreateFenceRequest request;
  request.set_initial_value(initial_value);
  v1::CreateFenceResponse response;
  const absl::Status done =
      Call(connection_->execution, &v1::Execution::Stub::CreateFence, request, &response);
  if (!done.ok()) return done;
  return FenceId(response.fence_id());
}

absl::Status GrpcTransport::SignalFence(FenceId fence, uint64_t value) {
  v1::SignalFenceRequest request;
  request.set_fence_id(fence.value());
  request.set_value(value);
  v1::SignalFenceResponse response;
  return Call(connection_->execution, &v1::Execution::Stub::SignalFence, request, &response);
}

absl::StatusOr<uint64_t> GrpcTransport::WaitFence(FenceId fence, uint64_t value) {
  v1::WaitFenceRequest request;
  request.set_fence_id(fence.value());
  request.set_value(value);
  v1::WaitFenceResponse response;
  const absl::Status done =
      Call(connection_->execution, &v1::Execution::Stub::WaitFence, request, &response);
  if (!done.ok()) return done;
  return response.value();
}

absl::Status GrpcTransport::ReleaseFence(FenceId fence) {
  v1::ReleaseFenceRequest request;
  request.set_fence_id(fence.value());
  v1::ReleaseFenceResponse response;
  return Call(connection_->execution, &v1::Execution::Stub::ReleaseFence, request, &response);
}

absl::StatusOr<Completion> GrpcTransport::Evaluate(const Submission& submission) {
  v1::EvaluateRequest request;
  convert::ToProto(submission, request.mutable_submission());
  v1::EvaluateResponse response;
  // The work may take as long as it was allowed to.
  const absl::Status done =
      Call(connection_->execution, &v1::Execution::Stub::Evaluate, request, &response,
           absl::Nanoseconds(std::max<int64_t>(submission.deadline_ns, 0)));
  if (!done.ok()) return done;
  return convert::FromProto(response.completion());
}

absl::StatusOr<std::unique_ptr<SubmissionStream>> GrpcTransport::OpenStream(uint32_t credits) {
  const absl::Status alive = CheckSession();
  if (!alive.ok()) return alive;
  return GrpcSubmissionStream::Open(connection_, credits);
}

absl::StatusOr<std::unique_ptr<SubmissionStream>> GrpcTransport::OpenRing(LaneId lane,
                                                                          uint32_t credits) {
  const absl::StatusOr<std::shared_ptr<SideChannelClient>> side = Side();
  if (!side.ok()) return side.status();
  if (credits == 0 || credits > kMostRingEntries) {
    return absl::InvalidArgumentError(
        absl::StrCat("a ring has from 1 to ", kMostRingEntries, " credits; asked for ", credits));
  }
  v1::OpenRingRequest request;
  request.set_lane_id(lane.value());
  request.set_submission_entries(std::bit_ceil(credits));
  request.set_completion_entries(std::bit_ceil(credits));
  v1::OpenRingResponse response;
  const absl::Status opened = Call(connection_->rings, &v1::Rings::Stub::Open, request, &response);
  if (!opened.ok()) return opened;
  const auto close = [connection = connection_, ring = response.ring_id()] {
    CloseRing(*connection, ring);
  };
  absl::StatusOr<std::shared_ptr<shm::ClientRing>> ring =
      MapRing(**side, response, connection_->call_deadline());
  if (!ring.ok()) {
    close();
    return ring.status();
  }
  const auto told = std::make_shared<const SideChannelClient::GoneListener>(
      [mapped = *ring] { mapped->Abandon(); });
  (*side)->TellWhenGone(told);
  RingSubmissionStream::Parts parts;
  parts.ring = *std::move(ring);
  parts.lane = lane;
  parts.credits = credits;
  parts.submit_patience = connection_->call_deadline();
  parts.gone = [channel = std::weak_ptr<SideChannelClient>(*side)]() -> absl::Status {
    if (const auto alive = channel.lock()) return alive->gone();
    return absl::UnavailableError("the session is closed: open a new one");
  };
  parts.close = [close, ring = parts.ring] {
    if (ring->state() == RingState::kOpen) close();  // else the daemon has closed it already
  };
  parts.keep = told;
  return std::make_unique<RingSubmissionStream>(std::move(parts));
}

absl::StatusOr<uint32_t> GrpcTransport::Cancel(LaneId lane, uint64_t user_data) {
  v1::CancelRequest request;
  request.set_lane_id(lane.value());
  request.set_user_data(user_data);
  v1::CancelResponse response;
  const absl::Status done =
      Call(connection_->execution, &v1::Execution::Stub::Cancel, request, &response);
  if (!done.ok()) return done;
  return response.told_to_stop();
}

absl::StatusOr<LaneStatus> GrpcTransport::DescribeLane(LaneId lane) {
  v1::DescribeLaneRequest request;
  request.set_lane_id(lane.value());
  v1::DescribeLaneResponse response;
  const absl::Status done =
      Call(connection_->execution, &v1::Execution::Stub::DescribeLane, request, &response);
  if (!done.ok()) return done;
  return convert::FromProto(response.lane());
}

absl::Status GrpcTransport::WaitLaneIdle(LaneId lane) {
  v1::WaitRequest request;
  request.set_lane_id(lane.value());
  v1::WaitResponse response;
  return Call(connection_->execution, &v1::Execution::Stub::Wait, request, &response);
}

}  // namespace anex
