// The five moves that every method of every service makes: admit the caller, convert the request,
// call the engine, convert the answer, give the status back. No decisions here or in any service.
//
// Threads: gRPC's, one per call that waits. Services outlive their server.
#ifndef ANEX_SERVER_RPC_SERVICE_BASE_H_
#define ANEX_SERVER_RPC_SERVICE_BASE_H_

#include <grpcpp/server_context.h>

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "proto/values/within_memory.h"
#include "server/engine/engine.h"
#include "server/rpc/call_context.h"
#include "server/rpc/idempotency.h"
#include "server/rpc/status.h"

namespace anex::rpc {

// What services share; outlives them.
struct ServiceParts {
  engine::Engine& engine;
  const CallContext& calls;
  Idempotency& idempotency;
  // A session was closed or evicted: its side channel should be told.
  std::function<void(SessionId, std::string_view reason)> on_session_ended;
};

class ServiceBase {
 protected:
  explicit ServiceBase(const ServiceParts& parts) : parts_(parts) {}
  engine::Engine& engine() const { return parts_.engine; }
  const ServiceParts& parts() const { return parts_; }

  // `body(caller)` -> absl::Status, for an admitted caller. Here ends what a call may do to the
  // daemon's memory: an allocation that fails fails the call.
  template <typename Body>
  grpc::Status Call(grpc::ServerContext& context, std::string_view path, Body&& body) const {
    return ToGrpc(WithinMemory("answer this call", [&]() -> absl::Status {
      auto caller = parts_.calls.Admit(context, path);
      if (!caller.ok()) return caller.status();
      auto place = engine().AdmitCall(*caller);
      return place.ok() ? body(*caller) : place.status();
    }));
  }

  // The same for a creating call with an idempotency key: `body(caller, response)` fills the
  // response. A response of before is given again only if it is `still_good(caller, response)`.
  template <typename Request, typename Response, typename Body>
  grpc::Status Create(
      grpc::ServerContext& context, std::string_view path, const Request& request,
      Response& response, Body&& body,
      const std::function<bool(const engine::Caller&, const Response&)>& still_good = {}) const {
    return Call(context, path, [&](const engine::Caller& caller) -> absl::Status {
      if (request.idempotency_key().empty()) return body(caller, response);
      std::string answer;
      const absl::Status status = parts_.idempotency.Run(
          caller, std::string(path), request.idempotency_key(), Fingerprint(request), answer,
          [&](std::string& fresh) -> absl::Status {
            Response made;
            if (absl::Status s = body(caller, made); !s.ok()) return s;
            fresh = made.SerializeAsString();
            return absl::OkStatus();
          },
          [&](const std::string& old) {
            Response made;
            return !still_good || (made.ParseFromString(old) && still_good(caller, made));
          });
      if (status.ok()) response.ParseFromString(answer);
      return status;
    });
  }

 private:
  const ServiceParts parts_;
};

// Assigns the value of a StatusOr, or returns its status from the calling function.
#define ANEX_RPC_CONCAT2(a, b) a##b
#define ANEX_RPC_CONCAT(a, b) ANEX_RPC_CONCAT2(a, b)
#define ANEX_ASSIGN_OR_RETURN(declaration, expression)       \
  auto ANEX_RPC_CONCAT(status_or_, __LINE__) = (expression); \
  if (!ANEX_RPC_CONCAT(status_or_, __LINE__).ok())           \
    return ANEX_RPC_CONCAT(status_or_, __LINE__).status();   \
  declaration = *std::move(ANEX_RPC_CONCAT(status_or_, __LINE__))

}  // namespace anex::rpc

#endif  // ANEX_SERVER_RPC_SERVICE_BASE_H_
