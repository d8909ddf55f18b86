// Verbs of surfaces: memory through the side channel, everything else through gRPC.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/transport/grpc_transport_impl.h"
#include "proto/convert/surface_convert.h"
#include "proto/convert/tensor_convert.h"

namespace anex {
namespace {

constexpr size_t kPiece = 1 << 20;  // of tensor data inside messages, when there is no other way

shm::RegionAccess ToRegion(Access access) {
  return access == Access::kReadOnly ? shm::RegionAccess::kReadOnly : shm::RegionAccess::kReadWrite;
}

}  // namespace

absl::StatusOr<SurfaceInfo> GrpcTransport::CreateSurface(const SurfaceSpec& spec) {
  v1::CreateSurfaceRequest request;
  convert::ToProto(spec, &request);
  v1::CreateSurfaceResponse response;
  const absl::Status done =
      Call(connection_->surfaces, &v1::Surfaces::Stub::Create, request, &response);
  if (!done.ok()) return done;
  return convert::FromProto(response.surface());
}

absl::StatusOr<std::shared_ptr<shm::SharedRegion>> GrpcTransport::MapSurface(SurfaceId surface,
                                                                             Access access) {
  const absl::StatusOr<std::shared_ptr<SideChannelClient>> side = Side();
  if (!side.ok()) return side.status();
  v1::PrepareHandoverRequest request;
  request.set_surface_id(surface.value());
  request.set_access(convert::ToProto(access));
  v1::PrepareHandoverResponse response;
  const absl::Status done =
      Call(connection_->surfaces, &v1::Surfaces::Stub::PrepareHandover, request, &response);
  if (!done.ok()) return done;
  // The side channel's own announcement is the least size; the SDK checks it against the layout.
  return (*side)->Claim(response.token(), 1, ToRegion(access), connection_->call_deadline());
}

absl::StatusOr<SurfaceInfo> GrpcTransport::ImportSurface(std::shared_ptr<shm::SharedRegion> region,
                                                         const TensorLayout& layout,
                                                         std::string_view label) {
  const absl::StatusOr<std::shared_ptr<SideChannelClient>> side = Side();
  if (!side.ok()) return side.status();
  const absl::StatusOr<std::string> token = (*side)->Offer(*region, connection_->call_deadline());
  if (!token.ok()) return token.status();
  v1::ImportSurfaceRequest request;
  request.set_token(*token);
  convert::ToProto(layout, request.mutable_layout());
  request.set_label(std::string(label));
  v1::ImportSurfaceResponse response;
  const absl::Status done =
      Call(connection_->surfaces, &v1::Surfaces::Stub::Import, request, &response);
  if (!done.ok()) return done;
  return convert::FromProto(response.surface());
}

absl::StatusOr<SurfaceInfo> GrpcTransport::ImportGlobalIosurface(uint32_t number,
                                                                 const TensorLayout& layout,
                                                                 std::string_view label) {
  v1::ImportSurfaceRequest request;
  request.set_global_iosurface_id(number);
  convert::ToProto(layout, request.mutable_layout());
  request.set_label(std::string(label));
  v1::ImportSurfaceResponse response;
  const absl::Status done =
      Call(connection_->surfaces, &v1::Surfaces::Stub::Import, request, &response);
  if (!done.ok()) return done;
  return convert::FromProto(response.surface());
}

absl::StatusOr<std::string> GrpcTransport::GrantSurface(SurfaceId surface, Access access) {
  v1::GrantSurfaceRequest request;
  request.set_surface_id(surface.value());
  request.set_access(convert::ToProto(access));
  v1::GrantSurfaceResponse response;
  const absl::Status done =
      Call(connection_->surfaces, &v1::Surfaces::Stub::Grant, request, &response);
  if (!done.ok()) return done;
  return response.ticket();
}

absl::StatusOr<SurfaceInfo> GrpcTransport::ClaimGrant(std::string_view ticket) {
  v1::ClaimGrantRequest request;
  request.set_ticket(std::string(ticket));
  v1::ClaimGrantResponse response;
  const absl::Status done =
      Call(connection_->surfaces, &v1::Surfaces::Stub::ClaimGrant, request, &response);
  if (!done.ok()) return done;
  return convert::FromProto(response.surface());
}

absl::StatusOr<SurfaceInfo> GrpcTransport::DescribeSurface(SurfaceId surface) {
  v1::DescribeSurfaceRequest request;
  request.set_surface_id(surface.value());
  v1::DescribeSurfaceResponse response;
  const absl::Status done =
      Call(connection_->surfaces, &v1::Surfaces::Stub::Describe, request, &response);
  if (!done.ok()) return done;
  return convert::FromProto(response.surface());
}

absl::StatusOr<std::string> GrpcTransport::ReadSurface(SurfaceId surface, const Region& region) {
  const absl::Status alive = CheckSession();
  if (!alive.ok()) return alive;
  grpc::ClientContext context;
  connection_->Prepare(context, connection_->call_deadline());
  v1::ReadSurfaceRequest request;
  request.set_surface_id(surface.value());
  convert::ToProto(region, request.mutable_region());
  const auto reader = connection_->surfaces->Read(&context, request);
  v1::ReadSurfaceResponse response;
  std::string packed;
  uint64_t total = 0;
  bool good = true;
  while (good && reader->Read(&response)) {
    total = response.total_bytes();
    good = total <= kMaxAllocation && packed.size() + response.data().size() <= total;
    if (good) packed += response.data();
  }
  if (!good) context.TryCancel();
  const absl::Status done = connection_->Outcome(context, reader->Finish());
  if (!good || (done.ok() && packed.size() != total)) {
    return absl::DataLossError(
        absl::StrCat("the daemon announced ", total, " bytes and sent others"));
  }
  if (!done.ok()) return done;
  return packed;
}

absl::Status GrpcTransport::WriteSurface(SurfaceId surface, const Region& region,
                                         std::string_view packed) {
  const absl::Status alive = CheckSession();
  if (!alive.ok()) return alive;
  grpc::ClientContext context;
  connection_->Prepare(context, connection_->call_deadline());
  v1::WriteSurfaceResponse response;
  const auto writer = connection_->surfaces->Write(&context, &response);
  v1::WriteSurfaceRequest request;
  request.mutable_header()->set_surface_id(surface.value());
  convert::ToProto(region, request.mutable_header()->mutable_region());
  request.mutable_header()->set_total_bytes(packed.size());
  bool open = writer->Write(request);
  for (size_t at = 0; open && at < packed.size(); at += kPiece) {
    request.set_data(std::string(packed.substr(at, kPiece)));
    open = writer->Write(request);
  }
  if (open) writer->WritesDone();
  return connection_->Outcome(context, writer->Finish());
}

absl::Status GrpcTransport::ReleaseSurface(SurfaceId surface) {
  v1::ReleaseSurfaceRequest request;
  request.set_surface_id(surface.value());
  v1::ReleaseSurfaceResponse response;
  return Call(connection_->surfaces, &v1::Surfaces::Stub::Release, request, &response);
}

}  // namespace anex
