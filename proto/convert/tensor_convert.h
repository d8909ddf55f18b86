// Tensors and their parts: protobuf <-> values.
//
// Every ToProto fills a message; every FromProto reads one that came from outside: enums, handles,
// ranks and sizes are checked, and INVALID_ARGUMENT names the field. Pure functions, any thread.
#ifndef ANEX_PROTO_CONVERT_TENSOR_CONVERT_H_
#define ANEX_PROTO_CONVERT_TENSOR_CONVERT_H_

#include "absl/status/statusor.h"
#include "anex/v1/common.pb.h"
#include "proto/values/surface_values.h"
#include "proto/wire/tensor_layout.h"

namespace anex::convert {

v1::DType ToProto(DType dtype);
absl::StatusOr<DType> FromProto(v1::DType dtype);  // unspecified is kInvalid, not an error

// A layout without a dtype is the empty message, both ways.
void ToProto(const TensorLayout& layout, v1::TensorLayout* message);
absl::StatusOr<TensorLayout> FromProto(const v1::TensorLayout& message);

void ToProto(const Region& region, v1::Region* message);
absl::StatusOr<Region> FromProto(const v1::Region& message);

void ToProto(const PortRef& port, v1::PortRef* message);
absl::StatusOr<PortRef> FromProto(const v1::PortRef& message);

v1::Access ToProto(Access access);
absl::StatusOr<Access> FromProto(v1::Access access);

}  // namespace anex::convert

#endif  // ANEX_PROTO_CONVERT_TENSOR_CONVERT_H_
