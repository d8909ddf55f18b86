// Parameter sets: protobuf <-> values. See tensor_convert.h for the rules.
#ifndef ANEX_PROTO_CONVERT_PARAMETER_CONVERT_H_
#define ANEX_PROTO_CONVERT_PARAMETER_CONVERT_H_

#include "absl/status/statusor.h"
#include "anex/v1/parameters.pb.h"
#include "proto/values/parameter_values.h"

namespace anex::convert {

void ToProto(const ParameterSetSpec& spec, v1::CreateParameterSetRequest* message);
absl::StatusOr<ParameterSetSpec> FromProto(const v1::CreateParameterSetRequest& message);

void ToProto(const ParameterSetInfo& info, v1::ParameterSetInfo* message);
absl::StatusOr<ParameterSetInfo> FromProto(const v1::ParameterSetInfo& message);

void ToProto(const WriteLease& lease, v1::WriteLease* message);
absl::StatusOr<WriteLease> FromProto(const v1::WriteLease& message);

void ToProto(const WeightChunk& chunk, v1::WeightChunk* message);
// Takes the bytes out of `message`: they can be many.
absl::StatusOr<WeightChunk> FromProto(v1::WeightChunk&& message);

}  // namespace anex::convert

#endif  // ANEX_PROTO_CONVERT_PARAMETER_CONVERT_H_
