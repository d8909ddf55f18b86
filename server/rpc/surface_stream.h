// Inline bytes of surfaces, piece by piece, for clients that cannot map memory.
//
// Threads: the call's. Bound: a write holds at most the surface's own size.
#ifndef ANEX_SERVER_RPC_SURFACE_STREAM_H_
#define ANEX_SERVER_RPC_SURFACE_STREAM_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "anex/v1/surfaces.grpc.pb.h"
#include "proto/values/surface_values.h"
#include "server/engine/engine.h"

namespace anex::rpc {

// Sends `bytes` in pieces of 1 MiB; at least one message, so that an empty answer says so.
// CANCELLED if the caller left.
absl::Status SendSurface(std::string_view bytes,
                         grpc::ServerWriter<v1::ReadSurfaceResponse>& writer);

struct ReceivedSurface {
  SurfaceId surface;
  Region region;
  std::string bytes;
};

// Reads header and pieces. NOT_FOUND for the handle, INVALID_ARGUMENT for parts out of order,
// OUT_OF_RANGE for more bytes than announced or than the surface holds, DATA_LOSS for fewer.
absl::StatusOr<ReceivedSurface> ReceiveSurface(engine::Engine& engine, const engine::Caller& caller,
                                               grpc::ServerReader<v1::WriteSurfaceRequest>& reader);

}  // namespace anex::rpc

#endif  // ANEX_SERVER_RPC_SURFACE_STREAM_H_
