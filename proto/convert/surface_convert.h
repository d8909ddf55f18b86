// Surfaces: protobuf <-> values. See tensor_convert.h for the rules.
#ifndef ANEX_PROTO_CONVERT_SURFACE_CONVERT_H_
#define ANEX_PROTO_CONVERT_SURFACE_CONVERT_H_

#include "absl/status/statusor.h"
#include "anex/v1/surfaces.pb.h"
#include "proto/values/status_values.h"
#include "proto/values/surface_values.h"

namespace anex::convert {

void ToProto(const SurfaceSpec& spec, v1::CreateSurfaceRequest* message);
absl::StatusOr<SurfaceSpec> FromProto(const v1::CreateSurfaceRequest& message);

void ToProto(const SurfaceInfo& info, v1::SurfaceInfo* message);
absl::StatusOr<SurfaceInfo> FromProto(const v1::SurfaceInfo& message);

void ToProto(const SurfaceStatus& status, v1::SurfaceStatus* message);
absl::StatusOr<SurfaceStatus> FromProto(const v1::SurfaceStatus& message);

}  // namespace anex::convert

#endif  // ANEX_PROTO_CONVERT_SURFACE_CONVERT_H_
