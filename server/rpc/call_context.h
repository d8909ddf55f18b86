// From a gRPC call to the engine's Caller: who is on the connection (as the kernel said when it was
// accepted), which session its secret names, until when it waits. The one place where a call is let
// in; every handler goes through Admit first.
//
// Threads: any; holds nothing of a call.
#ifndef ANEX_SERVER_RPC_CALL_CONTEXT_H_
#define ANEX_SERVER_RPC_CALL_CONTEXT_H_

#include <grpcpp/server_context.h>

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "server/door/connection_registry.h"
#include "server/engine/engine.h"
#include "server/rpc/role_gate.h"

namespace anex::rpc {

inline constexpr char kSecretKey[] = "anex-session-secret";
inline constexpr char kEpochKey[] = "anex-daemon-epoch";

class CallContext {
 public:
  // All outlive the context.
  CallContext(engine::Engine& engine, const door::ConnectionRegistry& connections,
              const RoleGate& gate);

  // Who calls `grpc_path`, if he may: PERMISSION_DENIED below the method's role, UNAUTHENTICATED
  // for a missing or unknown secret where a session is needed, UNIMPLEMENTED for what is named but
  // not built, INTERNAL for a path outside of the contract. Also adds the epoch to the call's
  // metadata.
  absl::StatusOr<engine::Caller> Admit(grpc::ServerContext& context,
                                       std::string_view grpc_path) const;

  // The same for a call that no service has: never admitted, and told why.
  absl::Status AdmitUnbuilt(grpc::CallbackServerContext& context, std::string_view grpc_path) const;

 private:
  absl::StatusOr<engine::Caller> CallerOf(std::string_view grpc_peer) const;

  engine::Engine& engine_;
  const door::ConnectionRegistry& connections_;
  const RoleGate& gate_;
  const std::string epoch_;
};

}  // namespace anex::rpc

#endif  // ANEX_SERVER_RPC_CALL_CONTEXT_H_
