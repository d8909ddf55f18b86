#include "server/rpc/surface_stream.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "proto/convert/tensor_convert.h"

namespace anex::rpc {
namespace {

constexpr size_t kPiece = size_t{1} << 20;

}  // namespace

absl::Status SendSurface(std::string_view bytes,
                         grpc::ServerWriter<v1::ReadSurfaceResponse>& writer) {
  size_t at = 0;
  do {
    v1::ReadSurfaceResponse response;
    response.set_total_bytes(bytes.size());
    const size_t piece = std::min(kPiece, bytes.size() - at);
    response.set_data(bytes.data() + at, piece);
    if (!writer.Write(response)) return absl::CancelledError("the reader left");
    at += piece;
  } while (at < bytes.size());
  return absl::OkStatus();
}

absl::StatusOr<ReceivedSurface> ReceiveSurface(
    engine::Engine& engine, const engine::Caller& caller,
    grpc::ServerReader<v1::WriteSurfaceRequest>& reader) {
  v1::WriteSurfaceRequest part;
  if (!reader.Read(&part) || part.part_case() != v1::WriteSurfaceRequest::kHeader) {
    return absl::InvalidArgumentError("a write begins with its header");
  }
  ReceivedSurface received;
  received.surface = SurfaceId(part.header().surface_id());
  auto region = convert::FromProto(part.header().region());
  if (!region.ok()) return region.status();
  received.region = *std::move(region);
  auto info = engine.DescribeSurface(caller, received.surface);
  if (!info.ok()) return info.status();
  const uint64_t total = part.header().total_bytes();
  if (total > PayloadBytes(info->layout)) {
    return absl::OutOfRangeError(
        absl::StrCat(total, " bytes announced for a surface of ", PayloadBytes(info->layout)));
  }
  received.bytes.reserve(total);
  while (reader.Read(&part)) {
    if (part.part_case() != v1::WriteSurfaceRequest::kData) {
      return absl::InvalidArgumentError("after a write's header only data follows");
    }
    if (part.data().size() > total - received.bytes.size()) {
      return absl::OutOfRangeError(
          absl::StrCat("more than the ", total, " bytes that the header announced"));
    }
    received.bytes += part.data();
  }
  if (received.bytes.size() != total) {
    return absl::DataLossError(absl::StrCat("the stream ended after ", received.bytes.size(),
                                            " of ", total, " bytes; nothing was written"));
  }
  return received;
}

}  // namespace anex::rpc
