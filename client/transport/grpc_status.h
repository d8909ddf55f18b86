// gRPC's outcome of a call as absl::Status. Pure, any thread.
#ifndef ANEX_CLIENT_TRANSPORT_GRPC_STATUS_H_
#define ANEX_CLIENT_TRANSPORT_GRPC_STATUS_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace anex {

// Code and message as they are; the parts of "grpc-status-details-bin" become payloads by type URL.
// Details that are no good (another server's) are left out.
absl::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace anex

#endif  // ANEX_CLIENT_TRANSPORT_GRPC_STATUS_H_
