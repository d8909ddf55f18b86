#include "proto/convert/execution_convert.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/convert/status_convert.h"
#include "proto/convert/tensor_convert.h"
#include "proto/convert/utf8.h"

namespace anex::convert {
namespace {

void ToProto(const ChainStep& step, v1::ChainStep* message) {
  if (const auto* run = std::get_if<InvocationId>(&step)) {
    message->set_run_invocation_id(run->value());
  } else if (const auto* copy = std::get_if<CopySpec>(&step)) {
    message->mutable_copy()->set_from_surface_id(copy->from.value());
    message->mutable_copy()->set_to_surface_id(copy->to.value());
    convert::ToProto(copy->from_region, message->mutable_copy()->mutable_from_region());
    convert::ToProto(copy->to_region, message->mutable_copy()->mutable_to_region());
  } else if (const auto* publish = std::get_if<ParameterSetId>(&step)) {
    message->set_publish_parameter_set_id(publish->value());
  } else if (const auto* fence = std::get_if<FenceSpec>(&step)) {
    message->mutable_fence()->set_fence_id(fence->fence.value());
    message->mutable_fence()->set_value(fence->value);
    message->mutable_fence()->set_signal(fence->signal);
  }
}

absl::StatusOr<ChainStep> CopyFromProto(const v1::CopyStep& message) {
  auto from_region = convert::FromProto(message.from_region());
  if (!from_region.ok()) return from_region.status();
  auto to_region = convert::FromProto(message.to_region());
  if (!to_region.ok()) return to_region.status();
  return CopySpec{SurfaceId(message.from_surface_id()), SurfaceId(message.to_surface_id()),
                  *std::move(from_region), *std::move(to_region)};
}

absl::StatusOr<ChainStep> FromProto(const v1::ChainStep& message) {
  switch (message.step_case()) {
    case v1::ChainStep::kRunInvocationId:
      return InvocationId(message.run_invocation_id());
    case v1::ChainStep::kCopy:
      return CopyFromProto(message.copy());
    case v1::ChainStep::kPublishParameterSetId:
      return ParameterSetId(message.publish_parameter_set_id());
    case v1::ChainStep::kFence:
      return FenceSpec{FenceId(message.fence().fence_id()), message.fence().value(),
                       message.fence().signal()};
    case v1::ChainStep::STEP_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("a chain's step says nothing: set run, copy, publish or fence");
}

absl::StatusOr<LoopbackSpec> FromProto(const v1::Loopback& message) {
  if (message.mode() != v1::LOOPBACK_MODE_SWAP && message.mode() != v1::LOOPBACK_MODE_COPY) {
    return absl::InvalidArgumentError("a loopback's mode must be swap or copy");
  }
  return LoopbackSpec{
      SurfaceId(message.from_surface_id()), SurfaceId(message.to_surface_id()),
      message.mode() == v1::LOOPBACK_MODE_SWAP ? LoopbackMode::kSwap : LoopbackMode::kCopy};
}

v1::QosClass QosToProto(QosClass qos) {
  return static_cast<v1::QosClass>(static_cast<int>(qos) + 1);
}

// Unspecified is default.
absl::StatusOr<QosClass> QosFromProto(v1::QosClass qos) {
  if (!v1::QosClass_IsValid(qos)) {
    return absl::InvalidArgumentError(absl::StrCat("scheduling class ", qos, " is unknown"));
  }
  return qos == v1::QOS_CLASS_UNSPECIFIED ? QosClass::kDefault : static_cast<QosClass>(qos - 1);
}

}  // namespace

void ToProto(const Binding& binding, v1::Binding* message) {
  message->set_port(ToUtf8(binding.port));
  if (const auto* surface = std::get_if<SurfaceId>(&binding.target)) {
    message->set_surface_id(surface->value());
  } else {
    const auto& parameter = std::get<ParameterRef>(binding.target);
    message->mutable_parameter()->set_parameter_set_id(parameter.set.value());
    message->mutable_parameter()->set_parameter(ToUtf8(parameter.parameter));
  }
}

absl::StatusOr<Binding> FromProto(const v1::Binding& message) {
  switch (message.target_case()) {
    case v1::Binding::kSurfaceId:
      return Binding{message.port(), SurfaceId(message.surface_id())};
    case v1::Binding::kParameter:
      return Binding{message.port(),
                     ParameterRef{ParameterSetId(message.parameter().parameter_set_id()),
                                  message.parameter().parameter()}};
    case v1::Binding::TARGET_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("the binding of port '", message.port(), "' names no surface and no parameter"));
}

void ToProto(const InvocationSpec& spec, v1::PrepareInvocationRequest* message) {
  message->set_kernel_id(spec.kernel.value());
  message->set_function(ToUtf8(spec.function));
  for (const Binding& binding : spec.bindings) ToProto(binding, message->add_bindings());
}

absl::StatusOr<InvocationSpec> FromProto(const v1::PrepareInvocationRequest& message) {
  InvocationSpec spec;
  spec.kernel = KernelId(message.kernel_id());
  spec.function = message.function();
  for (const v1::Binding& binding : message.bindings()) {
    auto value = FromProto(binding);
    if (!value.ok()) return value.status();
    spec.bindings.push_back(*std::move(value));
  }
  return spec;
}

void ToProto(const ChainSpec& spec, v1::DefineChainRequest* message) {
  for (const ChainStep& step : spec.steps) ToProto(step, message->add_steps());
  for (const LoopbackSpec& loopback : spec.loopbacks) {
    v1::Loopback* out = message->add_loopbacks();
    out->set_from_surface_id(loopback.from.value());
    out->set_to_surface_id(loopback.to.value());
    out->set_mode(loopback.mode == LoopbackMode::kSwap ? v1::LOOPBACK_MODE_SWAP
                                                       : v1::LOOPBACK_MODE_COPY);
  }
  message->set_repeat(spec.repeat);
  for (SurfaceId result : spec.results) message->add_result_surface_ids(result.value());
  message->set_label(ToUtf8(spec.label));
}

absl::StatusOr<ChainSpec> FromProto(const v1::DefineChainRequest& message) {
  ChainSpec spec;
  for (const v1::ChainStep& step : message.steps()) {
    auto value = FromProto(step);
    if (!value.ok()) return value.status();
    spec.steps.push_back(*std::move(value));
  }
  for (const v1::Loopback& loopback : message.loopbacks()) {
    auto value = FromProto(loopback);
    if (!value.ok()) return value.status();
    spec.loopbacks.push_back(*value);
  }
  spec.repeat = message.repeat() == 0 ? 1 : message.repeat();
  for (uint64_t result : message.result_surface_ids()) spec.results.push_back(SurfaceId(result));
  spec.label = message.label();
  return spec;
}

void ToProto(const LaneSpec& spec, v1::CreateLaneRequest* message) {
  message->set_qos(QosToProto(spec.qos));
  message->set_label(ToUtf8(spec.label));
}

absl::StatusOr<LaneSpec> FromProto(const v1::CreateLaneRequest& message) {
  auto qos = QosFromProto(message.qos());
  if (!qos.ok()) return qos.status();
  return LaneSpec{*qos, message.label()};
}

absl::StatusOr<LaneSpec> FromProto(const v1::OpenRingRequest& message) {
  auto qos = QosFromProto(message.qos());
  if (!qos.ok()) return qos.status();
  return LaneSpec{*qos, message.label()};
}

void ToProto(const LaneStatus& status, v1::LaneStatus* message) {
  message->set_lane_id(status.id.value());
  message->set_qos(QosToProto(status.qos));
  message->set_label(ToUtf8(status.label));
  message->set_device(status.device);
  message->set_queued(status.queued);
  message->set_running(status.running);
  message->set_blocked(status.blocked);
  if (status.next.has_value()) ToProto(*status.next, message->mutable_next());
}

absl::StatusOr<LaneStatus> FromProto(const v1::LaneStatus& message) {
  auto qos = QosFromProto(message.qos());
  if (!qos.ok()) return qos.status();
  LaneStatus status;
  status.id = LaneId(message.lane_id());
  status.qos = *qos;
  status.label = message.label();
  status.device = message.device();
  status.queued = message.queued();
  status.running = message.running();
  status.blocked = message.blocked();
  if (message.has_next()) status.next = *FromProto(message.next());
  return status;
}

void ToProto(const Submission& submission, v1::Submission* message) {
  message->set_lane_id(submission.lane.value());
  message->set_user_data(submission.user_data);
  switch (submission.kind) {
    case SubmissionKind::kInvocation:
      message->set_invocation_id(submission.target);
      break;
    case SubmissionKind::kChain:
      message->set_chain_id(submission.target);
      break;
    case SubmissionKind::kPublish:
      message->mutable_publish()->set_parameter_set_id(submission.target);
      message->mutable_publish()->set_expected_generation(submission.argument);
      break;
    case SubmissionKind::kFence:
      message->mutable_fence()->set_fence_id(submission.target);
      message->mutable_fence()->set_value(submission.argument);
      message->mutable_fence()->set_signal(submission.fence_signal);
      break;
  }
  message->set_deadline_ns(submission.deadline_ns);
  message->set_step_timings(submission.step_timings);
}

absl::StatusOr<Submission> FromProto(const v1::Submission& message) {
  Submission submission;
  submission.lane = LaneId(message.lane_id());
  submission.user_data = message.user_data();
  switch (message.work_case()) {
    case v1::Submission::kInvocationId:
      submission.kind = SubmissionKind::kInvocation;
      submission.target = message.invocation_id();
      break;
    case v1::Submission::kChainId:
      submission.kind = SubmissionKind::kChain;
      submission.target = message.chain_id();
      break;
    case v1::Submission::kPublish:
      submission.kind = SubmissionKind::kPublish;
      submission.target = message.publish().parameter_set_id();
      submission.argument = message.publish().expected_generation();
      break;
    case v1::Submission::kFence:
      submission.kind = SubmissionKind::kFence;
      submission.target = message.fence().fence_id();
      submission.argument = message.fence().value();
      submission.fence_signal = message.fence().signal();
      break;
    case v1::Submission::WORK_NOT_SET:
      return absl::InvalidArgumentError(
          "a submission says nothing to do: set an invocation, a chain, publish or fence");
  }
  if (message.deadline_ns() < 0) {
    return absl::InvalidArgumentError(absl::StrCat("a deadline of ", message.deadline_ns(),
                                                   " ns; give 0 for the default, or more"));
  }
  submission.deadline_ns = message.deadline_ns();
  submission.step_timings = message.step_timings();
  return submission;
}

void ToProto(const Completion& completion, v1::Completion* message) {
  message->set_lane_id(completion.lane.value());
  message->set_user_data(completion.user_data);
  if (!completion.status.ok()) ToProto(completion.status, message->mutable_status());
  message->set_queue_ns(completion.queue_ns);
  message->set_device_ns(completion.device_ns);
  message->set_total_ns(completion.total_ns);
  message->set_steps_done(completion.steps_done);
  message->set_generation(completion.generation);
  for (int64_t step : completion.step_ns) message->add_step_ns(step);
}

absl::StatusOr<Completion> FromProto(const v1::Completion& message) {
  Completion completion;
  completion.lane = LaneId(message.lane_id());
  completion.user_data = message.user_data();
  completion.status = FromProto(message.status());
  completion.queue_ns = message.queue_ns();
  completion.device_ns = message.device_ns();
  completion.total_ns = message.total_ns();
  completion.steps_done = message.steps_done();
  completion.generation = message.generation();
  completion.step_ns.assign(message.step_ns().begin(), message.step_ns().end());
  return completion;
}

}  // namespace anex::convert
