#include "server/rpc/unbuilt_service.h"

#include "server/rpc/status.h"

namespace anex::rpc {
namespace {

class Refusal final : public grpc::ServerGenericBidiReactor {
 public:
  explicit Refusal(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

}  // namespace

grpc::ServerGenericBidiReactor* UnbuiltService::CreateReactor(
    grpc::GenericCallbackServerContext* context) {
  return new Refusal(ToGrpc(calls_.AdmitUnbuilt(*context, context->method())));
}

}  // namespace anex::rpc
