#include "server/rpc/execution_service.h"

#include "proto/convert/execution_convert.h"
#include "server/rpc/execute_stream.h"

namespace anex::rpc {

grpc::Status ExecutionService::CreateLane(grpc::ServerContext* context,
                                          const v1::CreateLaneRequest* request,
                                          v1::CreateLaneResponse* response) {
  return Create(*context, "/anex.v1.Execution/CreateLane", *request, *response,
                [&](const engine::Caller& caller, v1::CreateLaneResponse& made) -> absl::Status {
                  ANEX_ASSIGN_OR_RETURN(const LaneSpec spec, convert::FromProto(*request));
                  ANEX_ASSIGN_OR_RETURN(const LaneId lane, engine().CreateLane(caller, spec));
                  made.set_lane_id(lane.value());
                  return absl::OkStatus();
                });
}

grpc::Status ExecutionService::ReleaseLane(grpc::ServerContext* context,
                                           const v1::ReleaseLaneRequest* request,
                                           v1::ReleaseLaneResponse*) {
  return Call(*context, "/anex.v1.Execution/ReleaseLane", [&](const engine::Caller& caller) {
    return engine().ReleaseLane(caller, LaneId(request->lane_id()));
  });
}

grpc::Status ExecutionService::CreateFence(grpc::ServerContext* context,
                                           const v1::CreateFenceRequest* request,
                                           v1::CreateFenceResponse* response) {
  return Create(*context, "/anex.v1.Execution/CreateFence", *request, *response,
                [&](const engine::Caller& caller, v1::CreateFenceResponse& made) -> absl::Status {
                  ANEX_ASSIGN_OR_RETURN(const FenceId fence,
                                        engine().CreateFence(caller, request->initial_value()));
                  made.set_fence_id(fence.value());
                  return absl::OkStatus();
                });
}

grpc::Status ExecutionService::SignalFence(grpc::ServerContext* context,
                                           const v1::SignalFenceRequest* request,
                                           v1::SignalFenceResponse*) {
  return Call(*context, "/anex.v1.Execution/SignalFence", [&](const engine::Caller& caller) {
    return engine().SignalFence(caller, FenceId(request->fence_id()), request->value());
  });
}

grpc::Status ExecutionService::WaitFence(grpc::ServerContext* context,
                                         const v1::WaitFenceRequest* request,
                                         v1::WaitFenceResponse* response) {
  return Call(*context, "/anex.v1.Execution/WaitFence",
              [&](const engine::Caller& caller) -> absl::Status {
                ANEX_ASSIGN_OR_RETURN(
                    const uint64_t reached,
                    engine().WaitFence(caller, FenceId(request->fence_id()), request->value()));
                response->set_value(reached);
                return absl::OkStatus();
              });
}

grpc::Status ExecutionService::ReleaseFence(grpc::ServerContext* context,
                                            const v1::ReleaseFenceRequest* request,
                                            v1::ReleaseFenceResponse*) {
  return Call(*context, "/anex.v1.Execution/ReleaseFence", [&](const engine::Caller& caller) {
    return engine().ReleaseFence(caller, FenceId(request->fence_id()));
  });
}

grpc::Status ExecutionService::Evaluate(grpc::ServerContext* context,
                                        const v1::EvaluateRequest* request,
                                        v1::EvaluateResponse* response) {
  return Call(
      *context, "/anex.v1.Execution/Evaluate", [&](const engine::Caller& caller) -> absl::Status {
        ANEX_ASSIGN_OR_RETURN(const Submission submission,
                              convert::FromProto(request->submission()));
        ANEX_ASSIGN_OR_RETURN(const Completion completion, engine().Evaluate(caller, submission));
        convert::ToProto(completion, response->mutable_completion());
        return absl::OkStatus();
      });
}

grpc::Status ExecutionService::Execute(
    grpc::ServerContext* context,
    grpc::ServerReaderWriter<v1::ExecuteResponse, v1::ExecuteRequest>* stream) {
  return Call(*context, "/anex.v1.Execution/Execute", [&](const engine::Caller& caller) {
    return ExecuteStream(engine(), caller, *stream, [context] { context->TryCancel(); }).Run();
  });
}

grpc::Status ExecutionService::Cancel(grpc::ServerContext* context,
                                      const v1::CancelRequest* request,
                                      v1::CancelResponse* response) {
  return Call(*context, "/anex.v1.Execution/Cancel",
              [&](const engine::Caller& caller) -> absl::Status {
                ANEX_ASSIGN_OR_RETURN(
                    const uint32_t told,
                    engine().Cancel(caller, LaneId(request->lane_id()), request->user_data()));
                response->set_told_to_stop(told);
                return absl::OkStatus();
              });
}

grpc::Status ExecutionService::DescribeLane(grpc::ServerContext* context,
                                            const v1::DescribeLaneRequest* request,
                                            v1::DescribeLaneResponse* response) {
  return Call(*context, "/anex.v1.Execution/DescribeLane",
              [&](const engine::Caller& caller) -> absl::Status {
                ANEX_ASSIGN_OR_RETURN(const LaneStatus lane,
                                      engine().DescribeLane(caller, LaneId(request->lane_id())));
                convert::ToProto(lane, response->mutable_lane());
                return absl::OkStatus();
              });
}

grpc::Status ExecutionService::Wait(grpc::ServerContext* context, const v1::WaitRequest* request,
                                    v1::WaitResponse*) {
  return Call(*context, "/anex.v1.Execution/Wait", [&](const engine::Caller& caller) {
    return engine().WaitLaneIdle(caller, LaneId(request->lane_id()));
  });
}

}  // namespace anex::rpc
