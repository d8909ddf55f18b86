// anex.v1.Invocations: kernels with their ports bound.
// See service_base.h for how every method works.
#ifndef ANEX_SERVER_RPC_INVOCATIONS_SERVICE_H_
#define ANEX_SERVER_RPC_INVOCATIONS_SERVICE_H_

#include "anex/v1/invocations.grpc.pb.h"
#include "server/rpc/service_base.h"

namespace anex::rpc {

class InvocationsService final : public v1::Invocations::Service, private ServiceBase {
 public:
  explicit InvocationsService(const ServiceParts& parts) : ServiceBase(parts) {}

  grpc::Status Prepare(grpc::ServerContext* context, const v1::PrepareInvocationRequest* request,
                       v1::PrepareInvocationResponse* response) override;
  grpc::Status Rebind(grpc::ServerContext* context, const v1::RebindInvocationRequest* request,
                      v1::RebindInvocationResponse* response) override;
  grpc::Status Release(grpc::ServerContext* context, const v1::ReleaseInvocationRequest* request,
                       v1::ReleaseInvocationResponse* response) override;
};

}  // namespace anex::rpc

#endif  // ANEX_SERVER_RPC_INVOCATIONS_SERVICE_H_
