#include "proto/convert/parameter_convert.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/convert/tensor_convert.h"
#include "proto/convert/utf8.h"

namespace anex::convert {
namespace {

constexpr int kMaxFits = 256;

absl::StatusOr<ParameterMode> ModeFromProto(v1::ParameterMode mode) {
  switch (mode) {
    case v1::PARAMETER_MODE_DOUBLE:
      return ParameterMode::kDouble;
    case v1::PARAMETER_MODE_FENCED:
      return ParameterMode::kFenced;
    default:
      return absl::InvalidArgumentError("a parameter set's mode must be double or fenced");
  }
}

v1::ParameterMode ModeToProto(ParameterMode mode) {
  return mode == ParameterMode::kDouble ? v1::PARAMETER_MODE_DOUBLE : v1::PARAMETER_MODE_FENCED;
}

absl::StatusOr<ParameterSpec> SpecFromProto(const v1::ParameterSpec& message) {
  ParameterSpec spec;
  spec.name = message.name();
  auto dtype = FromProto(message.dtype());
  if (!dtype.ok()) return dtype.status();
  spec.dtype = *dtype;
  auto shape = Shape::Make({message.shape().data(), static_cast<size_t>(message.shape_size())});
  if (!shape.ok()) return shape.status();
  spec.shape = *shape;
  if (message.fits_size() > kMaxFits) {
    return absl::InvalidArgumentError(
        absl::StrCat("a parameter is to fit ", message.fits_size(), " ports; at most ", kMaxFits));
  }
  for (const v1::PortRef& port : message.fits()) spec.fits.push_back(*FromProto(port));
  return spec;
}

absl::StatusOr<ParameterInfo> InfoFromProto(const v1::ParameterInfo& message) {
  if (message.buffer_ids_size() != 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("a parameter has ", message.buffer_ids_size(), " buffers, not 2"));
  }
  auto layout = FromProto(message.layout());
  if (!layout.ok()) return layout.status();
  ParameterInfo info;
  info.name = message.name();
  info.layout = *layout;
  for (int i = 0; i < 2; ++i) info.buffers[i] = SurfaceId(message.buffer_ids(i));
  return info;
}

}  // namespace

void ToProto(const ParameterSetSpec& spec, v1::CreateParameterSetRequest* message) {
  message->set_mode(ModeToProto(spec.mode));
  for (const ParameterSpec& parameter : spec.parameters) {
    v1::ParameterSpec* out = message->add_parameters();
    out->set_name(ToUtf8(parameter.name));
    out->set_dtype(ToProto(parameter.dtype));
    for (int64_t dim : parameter.shape.dims()) out->add_shape(dim);
    for (const PortRef& port : parameter.fits) ToProto(port, out->add_fits());
  }
  message->set_label(ToUtf8(spec.label));
}

absl::StatusOr<ParameterSetSpec> FromProto(const v1::CreateParameterSetRequest& message) {
  ParameterSetSpec spec;
  auto mode = ModeFromProto(message.mode());
  if (!mode.ok()) return mode.status();
  spec.mode = *mode;
  for (const v1::ParameterSpec& parameter : message.parameters()) {
    auto value = SpecFromProto(parameter);
    if (!value.ok()) return value.status();
    spec.parameters.push_back(*std::move(value));
  }
  spec.label = message.label();
  return spec;
}

void ToProto(const ParameterSetInfo& info, v1::ParameterSetInfo* message) {
  message->set_parameter_set_id(info.id.value());
  message->set_mode(ModeToProto(info.mode));
  message->set_generation(info.generation);
  message->set_front_buffer(info.front_buffer);
  message->set_leased(info.leased);
  message->set_label(ToUtf8(info.label));
  for (const ParameterInfo& parameter : info.parameters) {
    v1::ParameterInfo* out = message->add_parameters();
    out->set_name(ToUtf8(parameter.name));
    ToProto(parameter.layout, out->mutable_layout());
    for (SurfaceId buffer : parameter.buffers) out->add_buffer_ids(buffer.value());
  }
}

absl::StatusOr<ParameterSetInfo> FromProto(const v1::ParameterSetInfo& message) {
  ParameterSetInfo info;
  info.id = ParameterSetId(message.parameter_set_id());
  auto mode = ModeFromProto(message.mode());
  if (!mode.ok()) return mode.status();
  info.mode = *mode;
  info.generation = message.generation();
  if (message.front_buffer() > 1)
    return absl::InvalidArgumentError("front_buffer is neither 0 nor 1");
  info.front_buffer = message.front_buffer();
  info.leased = message.leased();
  info.label = message.label();
  for (const v1::ParameterInfo& parameter : message.parameters()) {
    auto value = InfoFromProto(parameter);
    if (!value.ok()) return value.status();
    info.parameters.push_back(*std::move(value));
  }
  return info;
}

void ToProto(const WriteLease& lease, v1::WriteLease* message) {
  message->set_lease_id(lease.id.value());
  message->set_parameter_set_id(lease.set.value());
  message->set_buffer(lease.buffer);
  message->set_generation(lease.generation);
  message->set_expires_in_ns(lease.expires_in_ns);
}

absl::StatusOr<WriteLease> FromProto(const v1::WriteLease& message) {
  if (message.buffer() > 1)
    return absl::InvalidArgumentError("a lease's buffer is neither 0 nor 1");
  return WriteLease{LeaseId(message.lease_id()), ParameterSetId(message.parameter_set_id()),
                    message.buffer(), message.generation(), message.expires_in_ns()};
}

void ToProto(const WeightChunk& chunk, v1::WeightChunk* message) {
  message->set_parameter(ToUtf8(chunk.parameter));
  message->set_element_offset(chunk.element_offset);
  message->set_dtype(ToProto(chunk.dtype));
  message->set_crc32(chunk.crc32);
  message->set_data(chunk.data);
}

absl::StatusOr<WeightChunk> FromProto(v1::WeightChunk&& message) {
  auto dtype = FromProto(message.dtype());
  if (!dtype.ok()) return dtype.status();
  WeightChunk chunk;
  chunk.parameter = message.parameter();
  chunk.element_offset = message.element_offset();
  chunk.dtype = *dtype;
  chunk.crc32 = message.crc32();
  chunk.data = std::move(*message.mutable_data());
  return chunk;
}

}  // namespace anex::convert
