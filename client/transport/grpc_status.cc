#include "client/transport/grpc_status.h"

#include <string>
#include <vector>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "anex/v1/common.pb.h"
#include "client/transport/grpc_transport.h"
#include "proto/convert/kernel_convert.h"

namespace anex {
namespace {

// A payload that never leaves this process.
constexpr char kAnswered[] = "anex/answered";

}  // namespace

bool SentByDaemon(const grpc::Status& status) { return !status.error_details().empty(); }

bool AnsweredByDaemon(const absl::Status& status) {
  return status.GetPayload(kAnswered).has_value();
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const int code = status.error_code();
  const bool canonical = code > 0 && code <= static_cast<int>(absl::StatusCode::kUnauthenticated);
  absl::Status result(canonical ? static_cast<absl::StatusCode>(code) : absl::StatusCode::kUnknown,
                      status.error_message());
  if (absl::IsUnavailable(result) && SentByDaemon(status))
    result.SetPayload(kAnswered, absl::Cord());
  v1::Status details;
  if (!status.error_details().empty() && details.ParseFromString(status.error_details())) {
    for (const auto& detail : details.details()) {
      if (!detail.type_url().empty())
        result.SetPayload(detail.type_url(), absl::Cord(detail.value()));
    }
  }
  return result;
}

namespace {

bool ListOf(const absl::Status& status, v1::DiagnosticList& list) {
  const auto payload = status.GetPayload(kDiagnosticsPayload);
  return payload.has_value() && list.ParseFromString(std::string(*payload));
}

}  // namespace

uint32_t OmittedFindings(const absl::Status& status) {
  v1::DiagnosticList list;
  return ListOf(status, list) ? list.omitted() : 0;
}

absl::Status RefusalOf(absl::StatusCode code, const std::vector<Diagnostic>& diagnostics) {
  std::string message;
  v1::DiagnosticList list;
  for (const Diagnostic& each : diagnostics) {
    convert::ToProto(each, list.add_diagnostics());
    if (each.severity != Severity::kError) continue;
    absl::StrAppend(&message, message.empty() ? "" : "\n", each.file, ":", each.line, ":",
                    each.column, ": error: [", each.code, "] ", each.message);
    if (!each.help.empty()) absl::StrAppend(&message, "\n    help: ", each.help);
  }
  absl::Status refusal(code, message);
  refusal.SetPayload(kDiagnosticsPayload, absl::Cord(list.SerializeAsString()));
  return refusal;
}

std::vector<Diagnostic> DiagnosticsOf(const absl::Status& status) {
  std::vector<Diagnostic> diagnostics;
  v1::DiagnosticList list;
  if (!ListOf(status, list)) return diagnostics;
  for (const v1::Diagnostic& each : list.diagnostics()) {
    absl::StatusOr<Diagnostic> diagnostic = convert::FromProto(each);
    if (diagnostic.ok()) diagnostics.push_back(*std::move(diagnostic));
  }
  return diagnostics;
}

}  // namespace anex
