// Kernels and findings about programs: protobuf <-> values. See tensor_convert.h for the rules.
#ifndef ANEX_PROTO_CONVERT_KERNEL_CONVERT_H_
#define ANEX_PROTO_CONVERT_KERNEL_CONVERT_H_

#include "absl/status/statusor.h"
#include "anex/v1/kernels.pb.h"
#include "proto/values/kernel_values.h"

namespace anex::convert {

void ToProto(const CompileOptions& options, v1::CompileOptions* message);
absl::StatusOr<CompileOptions> FromProto(const v1::CompileOptions& message);

void ToProto(const Diagnostic& diagnostic, v1::Diagnostic* message);
absl::StatusOr<Diagnostic> FromProto(const v1::Diagnostic& message);

void ToProto(const FunctionInfo& function, v1::FunctionInfo* message);
absl::StatusOr<FunctionInfo> FromProto(const v1::FunctionInfo& message);

void ToProto(const KernelInfo& info, v1::KernelInfo* message);
absl::StatusOr<KernelInfo> FromProto(const v1::KernelInfo& message);

void ToProto(const CheckResult& result, v1::CheckResponse* message);
absl::StatusOr<CheckResult> FromProto(const v1::CheckResponse& message);

}  // namespace anex::convert

#endif  // ANEX_PROTO_CONVERT_KERNEL_CONVERT_H_
