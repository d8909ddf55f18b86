#include "server/rpc/sessions_service.h"

#include "proto/convert/status_convert.h"

namespace anex::rpc {

grpc::Status SessionsService::Open(grpc::ServerContext* context,
                                   const v1::OpenSessionRequest* request,
                                   v1::OpenSessionResponse* response) {
  const auto open = [&](const engine::Caller& caller,
                        v1::OpenSessionResponse& made) -> absl::Status {
    ANEX_ASSIGN_OR_RETURN(const OpenSpec spec, convert::FromProto(*request));
    ANEX_ASSIGN_OR_RETURN(const SessionGrant grant, engine().Open(caller, spec));
    convert::ToProto(grant, &made);
    return absl::OkStatus();
  };
  // A session that has ended is no answer: who asks again wants one that lives.
  const std::function<bool(const engine::Caller&, const v1::OpenSessionResponse&)> lives =
      [this](const engine::Caller& caller, const v1::OpenSessionResponse& made) {
        return engine().Authenticate(made.secret(), caller.identity).ok();
      };
  return Create(*context, "/anex.v1.Sessions/Open", *request, *response, open, lives);
}

grpc::Status SessionsService::Close(grpc::ServerContext* context, const v1::CloseSessionRequest*,
                                    v1::CloseSessionResponse*) {
  return Call(*context, "/anex.v1.Sessions/Close", [&](const engine::Caller& caller) {
    const absl::Status closed = engine().Close(caller);
    if (closed.ok() && parts().on_session_ended) parts().on_session_ended(caller.session, "closed");
    return closed;
  });
}

grpc::Status SessionsService::List(grpc::ServerContext* context, const v1::ListSessionsRequest*,
                                   v1::ListSessionsResponse* response) {
  return Call(*context, "/anex.v1.Sessions/List", [&](const engine::Caller& caller) {
    for (const SessionStatus& session : engine().GetStatus(caller).sessions) {
      convert::ToProto(session, response->add_sessions());
    }
    return absl::OkStatus();
  });
}

grpc::Status SessionsService::Resume(grpc::ServerContext* context, const v1::ResumeSessionRequest*,
                                     v1::ResumeSessionResponse*) {
  return Call(*context, "/anex.v1.Sessions/Resume",
              [](const engine::Caller&) { return absl::OkStatus(); });
}

}  // namespace anex::rpc
