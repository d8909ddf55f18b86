#include "server/rpc/status.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "anex/v1/common.pb.h"
#include "proto/convert/kernel_convert.h"
#include "proto/convert/status_convert.h"

namespace anex::rpc {
namespace {

// The message travels percent-encoded (up to three bytes for one) and once more in the details, which
// travel as base64 (four for three).
constexpr size_t kMaxMessage = 2048;
constexpr size_t kMaxDetails = 4096;

std::string Cut(std::string message) {
  if (message.size() <= kMaxMessage) return message;
  message.resize(kMaxMessage);
  return convert::ToUtf8(absl::StrCat(message, "\n... (cut)"));
}

grpc::Status Finish(const v1::Status& details) {
  return grpc::Status(static_cast<grpc::StatusCode>(details.code()), details.message(),
                      details.SerializeAsString());
}

v1::Status ToMessage(const absl::Status& status) {
  v1::Status message;
  convert::ToProto(status, &message);
  message.set_message(Cut(message.message()));
  return message;
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return Finish(ToMessage(status));
}

grpc::Status ToGrpc(const absl::Status& status, const std::vector<Diagnostic>& diagnostics) {
  if (status.ok()) return grpc::Status::OK;
  v1::Status message = ToMessage(status);
  v1::DiagnosticList list;
  for (const Diagnostic& diagnostic : diagnostics) {
    convert::ToProto(diagnostic, list.add_diagnostics());
    if (message.ByteSizeLong() + list.ByteSizeLong() > kMaxDetails) {
      list.mutable_diagnostics()->RemoveLast();
      break;
    }
  }
  list.set_omitted(static_cast<uint32_t>(diagnostics.size()) -
                   static_cast<uint32_t>(list.diagnostics_size()));
  message.add_details()->PackFrom(list);
  return Finish(message);
}

}  // namespace anex::rpc
