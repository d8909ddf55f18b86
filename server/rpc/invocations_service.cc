#include "server/rpc/invocations_service.h"

#include <vector>

#include "proto/convert/execution_convert.h"

namespace anex::rpc {

grpc::Status InvocationsService::Prepare(grpc::ServerContext* context,
                                         const v1::PrepareInvocationRequest* request,
                                         v1::PrepareInvocationResponse* response) {
  return Create(
      *context, "/anex.v1.Invocations/Prepare", *request, *response,
      [&](const engine::Caller& caller, v1::PrepareInvocationResponse& made) -> absl::Status {
        ANEX_ASSIGN_OR_RETURN(const InvocationSpec spec, convert::FromProto(*request));
        ANEX_ASSIGN_OR_RETURN(const InvocationId id, engine().Prepare(caller, spec));
        made.set_invocation_id(id.value());
        return absl::OkStatus();
      });
}

grpc::Status InvocationsService::Rebind(grpc::ServerContext* context,
                                        const v1::RebindInvocationRequest* request,
                                        v1::RebindInvocationResponse*) {
  return Call(*context, "/anex.v1.Invocations/Rebind",
              [&](const engine::Caller& caller) -> absl::Status {
                std::vector<Binding> bindings;
                for (const v1::Binding& message : request->bindings()) {
                  ANEX_ASSIGN_OR_RETURN(Binding binding, convert::FromProto(message));
                  bindings.push_back(std::move(binding));
                }
                return engine().Rebind(caller, InvocationId(request->invocation_id()), bindings);
              });
}

grpc::Status InvocationsService::Release(grpc::ServerContext* context,
                                         const v1::ReleaseInvocationRequest* request,
                                         v1::ReleaseInvocationResponse*) {
  return Call(*context, "/anex.v1.Invocations/Release", [&](const engine::Caller& caller) {
    return engine().ReleaseInvocation(caller, InvocationId(request->invocation_id()));
  });
}

}  // namespace anex::rpc
