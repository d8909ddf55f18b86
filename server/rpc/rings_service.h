// anex.v1.Rings: opens and closes rings; what goes through them passes by here.
// See service_base.h for how every method works.
#ifndef ANEX_SERVER_RPC_RINGS_SERVICE_H_
#define ANEX_SERVER_RPC_RINGS_SERVICE_H_

#include "anex/v1/rings.grpc.pb.h"
#include "server/ring/ring_door.h"
#include "server/rpc/service_base.h"

namespace anex::rpc {

class RingsService final : public v1::Rings::Service, private ServiceBase {
 public:
  // `door` outlives the service; null = this server has no rings and says UNIMPLEMENTED.
  RingsService(const ServiceParts& parts, ring::RingDoor* door) : ServiceBase(parts), door_(door) {}

  grpc::Status Open(grpc::ServerContext* context, const v1::OpenRingRequest* request,
                    v1::OpenRingResponse* response) override;
  grpc::Status Close(grpc::ServerContext* context, const v1::CloseRingRequest* request,
                     v1::CloseRingResponse* response) override;

 private:
  ring::RingDoor* const door_;
};

}  // namespace anex::rpc

#endif  // ANEX_SERVER_RPC_RINGS_SERVICE_H_
