// Answers every method that no service has: UNIMPLEMENTED by name for what the contract names and
// this daemon does not have yet (real time, profiling), and for what no contract knows.
//
// Threads: gRPC's; never waits.
#ifndef ANEX_SERVER_RPC_UNBUILT_SERVICE_H_
#define ANEX_SERVER_RPC_UNBUILT_SERVICE_H_

#include <grpcpp/generic/async_generic_service.h>

#include "server/rpc/call_context.h"

namespace anex::rpc {

class UnbuiltService final : public grpc::CallbackGenericService {
 public:
  explicit UnbuiltService(const CallContext& calls) : calls_(calls) {}

 private:
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override;

  const CallContext& calls_;
};

}  // namespace anex::rpc

#endif  // ANEX_SERVER_RPC_UNBUILT_SERVICE_H_
