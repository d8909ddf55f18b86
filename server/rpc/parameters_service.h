// anex.v1.Parameters: sets of weights, written under a lease, published as a whole.
// See service_base.h for how every method works.
#ifndef ANEX_SERVER_RPC_PARAMETERS_SERVICE_H_
#define ANEX_SERVER_RPC_PARAMETERS_SERVICE_H_

#include "anex/v1/parameters.grpc.pb.h"
#include "server/rpc/service_base.h"

namespace anex::rpc {

class ParametersService final : public v1::Parameters::Service, private ServiceBase {
 public:
  explicit ParametersService(const ServiceParts& parts) : ServiceBase(parts) {}

  grpc::Status CreateSet(grpc::ServerContext* context, const v1::CreateParameterSetRequest* request,
                         v1::CreateParameterSetResponse* response) override;
  grpc::Status BeginWrite(grpc::ServerContext* context, const v1::BeginWriteRequest* request,
                          v1::BeginWriteResponse* response) override;
  grpc::Status Update(grpc::ServerContext* context, grpc::ServerReader<v1::UpdateRequest>* reader,
                      v1::UpdateResponse* response) override;
  grpc::Status Publish(grpc::ServerContext* context, const v1::PublishRequest* request,
                       v1::PublishResponse* response) override;
  grpc::Status Abort(grpc::ServerContext* context, const v1::AbortWriteRequest* request,
                     v1::AbortWriteResponse* response) override;
  grpc::Status Describe(grpc::ServerContext* context,
                        const v1::DescribeParameterSetRequest* request,
                        v1::DescribeParameterSetResponse* response) override;
  grpc::Status Release(grpc::ServerContext* context, const v1::ReleaseParameterSetRequest* request,
                       v1::ReleaseParameterSetResponse* response) override;
};

}  // namespace anex::rpc

#endif  // ANEX_SERVER_RPC_PARAMETERS_SERVICE_H_
