// anex.v1.Sessions: a client's lease, opened, closed, listed.
// See service_base.h for how every method works.
#ifndef ANEX_SERVER_RPC_SESSIONS_SERVICE_H_
#define ANEX_SERVER_RPC_SESSIONS_SERVICE_H_

#include "anex/v1/sessions.grpc.pb.h"
#include "server/rpc/service_base.h"

namespace anex::rpc {

class SessionsService final : public v1::Sessions::Service, private ServiceBase {
 public:
  explicit SessionsService(const ServiceParts& parts) : ServiceBase(parts) {}

  grpc::Status Open(grpc::ServerContext* context, const v1::OpenSessionRequest* request,
                    v1::OpenSessionResponse* response) override;
  grpc::Status Close(grpc::ServerContext* context, const v1::CloseSessionRequest* request,
                     v1::CloseSessionResponse* response) override;
  grpc::Status List(grpc::ServerContext* context, const v1::ListSessionsRequest* request,
                    v1::ListSessionsResponse* response) override;
  grpc::Status Resume(grpc::ServerContext* context, const v1::ResumeSessionRequest* request,
                      v1::ResumeSessionResponse* response) override;
};

}  // namespace anex::rpc

#endif  // ANEX_SERVER_RPC_SESSIONS_SERVICE_H_
