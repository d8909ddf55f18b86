// anex.v1.Admin: running the daemon.
// See service_base.h for how every method works.
#ifndef ANEX_SERVER_RPC_ADMIN_SERVICE_H_
#define ANEX_SERVER_RPC_ADMIN_SERVICE_H_

#include "anex/v1/admin.grpc.pb.h"
#include "server/rpc/service_base.h"

namespace anex::rpc {

class AdminService final : public v1::Admin::Service, private ServiceBase {
 public:
  explicit AdminService(const ServiceParts& parts) : ServiceBase(parts) {}

  grpc::Status GetLimits(grpc::ServerContext* context, const v1::GetLimitsRequest* request,
                         v1::GetLimitsResponse* response) override;
  grpc::Status SetLimits(grpc::ServerContext* context, const v1::SetLimitsRequest* request,
                         v1::SetLimitsResponse* response) override;
  grpc::Status SetLogLevel(grpc::ServerContext* context, const v1::SetLogLevelRequest* request,
                           v1::SetLogLevelResponse* response) override;
  grpc::Status Drain(grpc::ServerContext* context, const v1::DrainRequest* request,
                     v1::DrainResponse* response) override;
  grpc::Status EvictSession(grpc::ServerContext* context, const v1::EvictSessionRequest* request,
                            v1::EvictSessionResponse* response) override;
  grpc::Status CacheList(grpc::ServerContext* context, const v1::CacheListRequest* request,
                         v1::CacheListResponse* response) override;
  grpc::Status CachePurge(grpc::ServerContext* context, const v1::CachePurgeRequest* request,
                          v1::CachePurgeResponse* response) override;
  grpc::Status Probe(grpc::ServerContext* context, const v1::ProbeRequest* request,
                     v1::ProbeResponse* response) override;
};

}  // namespace anex::rpc

#endif  // ANEX_SERVER_RPC_ADMIN_SERVICE_H_
