// anex.v1.Chains: ordered steps as one submission.
// See service_base.h for how every method works.
#ifndef ANEX_SERVER_RPC_CHAINS_SERVICE_H_
#define ANEX_SERVER_RPC_CHAINS_SERVICE_H_

#include "anex/v1/chains.grpc.pb.h"
#include "server/rpc/service_base.h"

namespace anex::rpc {

class ChainsService final : public v1::Chains::Service, private ServiceBase {
 public:
  explicit ChainsService(const ServiceParts& parts) : ServiceBase(parts) {}

  grpc::Status Define(grpc::ServerContext* context, const v1::DefineChainRequest* request,
                      v1::DefineChainResponse* response) override;
  grpc::Status Release(grpc::ServerContext* context, const v1::ReleaseChainRequest* request,
                       v1::ReleaseChainResponse* response) override;
};

}  // namespace anex::rpc

#endif  // ANEX_SERVER_RPC_CHAINS_SERVICE_H_
