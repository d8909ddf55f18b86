#include "server/rpc/status.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "anex/v1/common.pb.h"
#include "proto/convert/kernel_convert.h"
#include "proto/convert/status_convert.h"

namespace anex::rpc {
namespace {

// gRPC refuses a call whose metadata is over 8 KiB, and the client would then learn that instead of
// the reason. A status may take this much of it, as it travels: the message percent-encoded (three
// bytes for one that is not plain), and once more inside of the details, which travel as base64.
constexpr size_t kMaxTrailer = 7168;
constexpr size_t kMaxMessage = 5120;  // what a message may take of it; the rest is for findings
constexpr size_t kPacking = 64;       // type URL and tags of the packed list

size_t PercentEncoded(char c) { return c < 0x20 || c > 0x7E || c == '%' ? 3 : 1; }
size_t Base64(size_t bytes) { return (bytes + 2) / 3 * 4; }

size_t TrailerBytes(const v1::Status& status, size_t more_details) {
  size_t bytes = Base64(status.ByteSizeLong() + more_details);
  for (const char c : status.message()) bytes += PercentEncoded(c);
  return bytes;
}

std::string Cut(std::string message) {
  size_t cost = 0;  // in thirds of a byte
  for (size_t at = 0; at < message.size(); ++at) {
    cost += 3 * PercentEncoded(message[at]) + 4;
    if (cost <= 3 * kMaxMessage) continue;
    message.resize(at);
    return convert::ToUtf8(absl::StrCat(message, "\n... (cut)"));
  }
  return message;
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
    if (TrailerBytes(message, list.ByteSizeLong() + kPacking) > kMaxTrailer) {
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
