// Invocations, chains, lanes, submissions, completions: protobuf <-> values. See tensor_convert.h
// for the rules.
#ifndef ANEX_PROTO_CONVERT_EXECUTION_CONVERT_H_
#define ANEX_PROTO_CONVERT_EXECUTION_CONVERT_H_

#include "absl/status/statusor.h"
#include "anex/v1/chains.pb.h"
#include "anex/v1/execution.pb.h"
#include "anex/v1/invocations.pb.h"
#include "anex/v1/rings.pb.h"
#include "proto/values/execution_values.h"

namespace anex::convert {

void ToProto(const Binding& binding, v1::Binding* message);
absl::StatusOr<Binding> FromProto(const v1::Binding& message);

void ToProto(const InvocationSpec& spec, v1::PrepareInvocationRequest* message);
absl::StatusOr<InvocationSpec> FromProto(const v1::PrepareInvocationRequest& message);

void ToProto(const ChainSpec& spec, v1::DefineChainRequest* message);
absl::StatusOr<ChainSpec> FromProto(const v1::DefineChainRequest& message);

void ToProto(const LaneSpec& spec, v1::CreateLaneRequest* message);
absl::StatusOr<LaneSpec> FromProto(const v1::CreateLaneRequest& message);
// The lane that a ring is to have if it names none.
absl::StatusOr<LaneSpec> FromProto(const v1::OpenRingRequest& message);

void ToProto(const LaneStatus& status, v1::LaneStatus* message);
absl::StatusOr<LaneStatus> FromProto(const v1::LaneStatus& message);

void ToProto(const Submission& submission, v1::Submission* message);
absl::StatusOr<Submission> FromProto(const v1::Submission& message);

void ToProto(const Completion& completion, v1::Completion* message);
absl::StatusOr<Completion> FromProto(const v1::Completion& message);

}  // namespace anex::convert

#endif  // ANEX_PROTO_CONVERT_EXECUTION_CONVERT_H_
