#include "server/rpc/chains_service.h"

#include "proto/convert/execution_convert.h"

namespace anex::rpc {

grpc::Status ChainsService::Define(grpc::ServerContext* context,
                                   const v1::DefineChainRequest* request,
                                   v1::DefineChainResponse* response) {
  return Create(*context, "/anex.v1.Chains/Define", *request, *response,
                [&](const engine::Caller& caller, v1::DefineChainResponse& made) -> absl::Status {
                  ANEX_ASSIGN_OR_RETURN(const ChainSpec spec, convert::FromProto(*request));
                  ANEX_ASSIGN_OR_RETURN(const ChainId id, engine().DefineChain(caller, spec));
                  made.set_chain_id(id.value());
                  return absl::OkStatus();
                });
}

grpc::Status ChainsService::Release(grpc::ServerContext* context,
                                    const v1::ReleaseChainRequest* request,
                                    v1::ReleaseChainResponse*) {
  return Call(*context, "/anex.v1.Chains/Release", [&](const engine::Caller& caller) {
    return engine().ReleaseChain(caller, ChainId(request->chain_id()));
  });
}

}  // namespace anex::rpc
