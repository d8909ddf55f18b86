// absl::Status <-> grpc::Status, once, with the details attached. Pure functions, any thread.
#ifndef ANEX_SERVER_RPC_STATUS_H_
#define ANEX_SERVER_RPC_STATUS_H_

#include <grpcpp/support/status.h>

#include <vector>

#include "absl/status/status.h"
#include "proto/values/kernel_values.h"

namespace anex::rpc {

// The trailer of a failed call: code, message, and both again as anex.v1.Status in the details (the
// same bytes as google.rpc.Status). Message and details together stay below gRPC's default bound of
// 8 KiB for all metadata of a call: a longer message is cut and says so.
grpc::Status ToGrpc(const absl::Status& status);

// The same for a refused program: as many findings as fit are added as a DiagnosticList.
grpc::Status ToGrpc(const absl::Status& status, const std::vector<Diagnostic>& diagnostics);

}  // namespace anex::rpc

#endif  // ANEX_SERVER_RPC_STATUS_H_
