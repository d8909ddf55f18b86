// anex.v1.Daemon: what the daemon is and how it does.
// See service_base.h for how every method works.
#ifndef ANEX_SERVER_RPC_DAEMON_SERVICE_H_
#define ANEX_SERVER_RPC_DAEMON_SERVICE_H_

#include "anex/v1/daemon.grpc.pb.h"
#include "server/rpc/service_base.h"

namespace anex::rpc {

class DaemonService final : public v1::Daemon::Service, private ServiceBase {
 public:
  explicit DaemonService(const ServiceParts& parts) : ServiceBase(parts) {}

  grpc::Status GetInfo(grpc::ServerContext* context, const v1::GetInfoRequest* request,
                       v1::GetInfoResponse* response) override;
  grpc::Status GetStatus(grpc::ServerContext* context, const v1::GetStatusRequest* request,
                         v1::GetStatusResponse* response) override;
  grpc::Status WatchStatus(grpc::ServerContext* context, const v1::WatchStatusRequest* request,
                           grpc::ServerWriter<v1::WatchStatusResponse>* writer) override;
  grpc::Status ListDevices(grpc::ServerContext* context, const v1::ListDevicesRequest* request,
                           v1::ListDevicesResponse* response) override;
};

}  // namespace anex::rpc

#endif  // ANEX_SERVER_RPC_DAEMON_SERVICE_H_
