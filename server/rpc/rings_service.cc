#include "server/rpc/rings_service.h"

#include <utility>

#include "proto/convert/execution_convert.h"
#include "proto/wire/ring_layout.h"

namespace anex::rpc {
namespace {

absl::Status NoRings() {
  return absl::UnimplementedError("there are no rings here; use an Execute stream");
}

}  // namespace

grpc::Status RingsService::Open(grpc::ServerContext* context, const v1::OpenRingRequest* request,
                                v1::OpenRingResponse* response) {
  return Create(
      *context, "/anex.v1.Rings/Open", *request, *response,
      [&](const engine::Caller& caller, v1::OpenRingResponse& made) -> absl::Status {
        if (door_ == nullptr) return NoRings();
        ANEX_ASSIGN_OR_RETURN(LaneSpec lane, convert::FromProto(*request));
        ANEX_ASSIGN_OR_RETURN(
            ring::OpenedRing ring,
            door_->Open(caller, {LaneId(request->lane_id()), std::move(lane), request->device(),
                                 request->submission_entries(), request->completion_entries()}));
        made.set_ring_id(ring.lane.value());
        made.set_lane_id(ring.lane.value());
        made.set_region_token(std::move(ring.region_token));
        made.set_doorbell_token(std::move(ring.bell_token));
        made.set_layout_version(kRingLayoutVersion);
        return absl::OkStatus();
      });
}

grpc::Status RingsService::Close(grpc::ServerContext* context, const v1::CloseRingRequest* request,
                                 v1::CloseRingResponse*) {
  return Call(*context, "/anex.v1.Rings/Close", [&](const engine::Caller& caller) {
    return door_ == nullptr ? NoRings() : door_->Close(caller, LaneId(request->ring_id()));
  });
}

}  // namespace anex::rpc
