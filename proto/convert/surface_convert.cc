#include "proto/convert/surface_convert.h"

#include "absl/strings/str_cat.h"
#include "proto/convert/tensor_convert.h"
#include "proto/convert/utf8.h"

namespace anex::convert {
namespace {

constexpr int kMaxFits = 256;

absl::StatusOr<SurfaceOrigin> FromProto(v1::SurfaceOrigin origin) {
  if (!v1::SurfaceOrigin_IsValid(origin) || origin == v1::SURFACE_ORIGIN_UNSPECIFIED) {
    return absl::InvalidArgumentError(absl::StrCat("surface origin ", origin, " is unknown"));
  }
  return static_cast<SurfaceOrigin>(origin - 1);
}

}  // namespace

void ToProto(const SurfaceSpec& spec, v1::CreateSurfaceRequest* message) {
  message->set_dtype(ToProto(spec.dtype));
  for (int64_t dim : spec.shape.dims()) message->add_shape(dim);
  for (const PortRef& port : spec.fits) ToProto(port, message->add_fits());
  message->set_label(ToUtf8(spec.label));
}

absl::StatusOr<SurfaceSpec> FromProto(const v1::CreateSurfaceRequest& message) {
  SurfaceSpec spec;
  auto dtype = FromProto(message.dtype());
  if (!dtype.ok()) return dtype.status();
  spec.dtype = *dtype;
  auto shape = Shape::Make({message.shape().data(), static_cast<size_t>(message.shape_size())});
  if (!shape.ok()) return shape.status();
  spec.shape = *shape;
  if (message.fits_size() > kMaxFits) {
    return absl::InvalidArgumentError(
        absl::StrCat("a surface is to fit ", message.fits_size(), " ports; at most ", kMaxFits));
  }
  for (const v1::PortRef& port : message.fits()) spec.fits.push_back(*FromProto(port));
  spec.label = message.label();
  return spec;
}

void ToProto(const SurfaceInfo& info, v1::SurfaceInfo* message) {
  message->set_surface_id(info.id.value());
  ToProto(info.layout, message->mutable_layout());
  message->set_access(ToProto(info.access));
  message->set_origin(static_cast<v1::SurfaceOrigin>(static_cast<int>(info.origin) + 1));
  message->set_label(ToUtf8(info.label));
  message->set_pins(info.pins);
  message->set_grants(info.grants);
}

absl::StatusOr<SurfaceInfo> FromProto(const v1::SurfaceInfo& message) {
  SurfaceInfo info;
  info.id = SurfaceId(message.surface_id());
  auto layout = FromProto(message.layout());
  if (!layout.ok()) return layout.status();
  info.layout = *layout;
  auto access = FromProto(message.access());
  if (!access.ok()) return access.status();
  info.access = *access;
  auto origin = FromProto(message.origin());
  if (!origin.ok()) return origin.status();
  info.origin = *origin;
  info.label = message.label();
  info.pins = message.pins();
  info.grants = message.grants();
  return info;
}

void ToProto(const SurfaceStatus& status, v1::SurfaceStatus* message) {
  ToProto(status.info, message->mutable_info());
  message->set_session_id(status.session.value());
}

absl::StatusOr<SurfaceStatus> FromProto(const v1::SurfaceStatus& message) {
  auto info = FromProto(message.info());
  if (!info.ok()) return info.status();
  return SurfaceStatus{*std::move(info), SessionId(message.session_id())};
}

}  // namespace anex::convert
