#include "client/transport/grpc_status.h"

#include <string>
#include <vector>

#include "absl/strings/cord.h"
#include "anex/v1/common.pb.h"
#include "client/transport/grpc_transport.h"
#include "proto/convert/kernel_convert.h"

namespace anex {

absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const int code = status.error_code();
  const bool canonical = code > 0 && code <= static_cast<int>(absl::StatusCode::kUnauthenticated);
  absl::Status result(canonical ? static_cast<absl::StatusCode>(code) : absl::StatusCode::kUnknown,
                      status.error_message());
  v1::Status details;
  if (!status.error_details().empty() && details.ParseFromString(status.error_details())) {
    for (const auto& detail : details.details()) {
      if (!detail.type_url().empty())
        result.SetPayload(detail.type_url(), absl::Cord(detail.value()));
    }
  }
  return result;
}

std::vector<Diagnostic> DiagnosticsOf(const absl::Status& status) {
  std::vector<Diagnostic> diagnostics;
  const absl::optional<absl::Cord> payload = status.GetPayload(kDiagnosticsPayload);
  v1::DiagnosticList list;
  if (!payload.has_value() || !list.ParseFromString(std::string(*payload))) return diagnostics;
  for (const v1::Diagnostic& each : list.diagnostics()) {
    absl::StatusOr<Diagnostic> diagnostic = convert::FromProto(each);
    if (diagnostic.ok()) diagnostics.push_back(*std::move(diagnostic));
  }
  return diagnostics;
}

}  // namespace anex
