#include "proto/convert/status_convert.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace anex::convert {
namespace {

v1::Health ToProto(Health health) { return static_cast<v1::Health>(static_cast<int>(health) + 1); }

absl::StatusOr<Health> HealthFromProto(v1::Health health) {
  if (!v1::Health_IsValid(health) || health == v1::HEALTH_UNSPECIFIED) {
    return absl::InvalidArgumentError(absl::StrCat("health ", health, " is unknown"));
  }
  return static_cast<Health>(health - 1);
}

absl::StatusOr<Evidence> EvidenceFromProto(v1::ProbeResponse::Evidence evidence) {
  if (!v1::ProbeResponse::Evidence_IsValid(evidence) ||
      evidence == v1::ProbeResponse::EVIDENCE_UNSPECIFIED) {
    return absl::InvalidArgumentError(absl::StrCat("evidence ", evidence, " is unknown"));
  }
  return static_cast<Evidence>(evidence);
}

void ToProto(const UsageCounters& usage, v1::UsageCounters* message) {
  message->set_submitted(usage.submitted);
  message->set_completed(usage.completed);
  message->set_failed(usage.failed);
  message->set_cancelled(usage.cancelled);
  message->set_evaluations(usage.evaluations);
  message->set_device_ns(usage.device_ns);
  message->set_queue_ns(usage.queue_ns);
  message->set_queue_p50_ns(usage.queue_p50_ns);
  message->set_queue_p99_ns(usage.queue_p99_ns);
}

UsageCounters UsageFromProto(const v1::UsageCounters& message) {
  UsageCounters usage;
  usage.submitted = message.submitted();
  usage.completed = message.completed();
  usage.failed = message.failed();
  usage.cancelled = message.cancelled();
  usage.evaluations = message.evaluations();
  usage.device_ns = message.device_ns();
  usage.queue_ns = message.queue_ns();
  usage.queue_p50_ns = message.queue_p50_ns();
  usage.queue_p99_ns = message.queue_p99_ns();
  return usage;
}

void DeviceToProto(const DeviceStatus& status, v1::DeviceStatus* message) {
  convert::ToProto(status.info, message->mutable_info());
  message->set_busy_1s(status.busy_1s);
  message->set_busy_60s(status.busy_60s);
  ToProto(status.usage, message->mutable_usage());
  message->set_queued(status.queued);
  message->set_running(status.running);
}

absl::StatusOr<DeviceStatus> DeviceFromProto(const v1::DeviceStatus& message) {
  auto info = convert::FromProto(message.info());
  if (!info.ok()) return info.status();
  return DeviceStatus{*std::move(info),   message.busy_1s(),
                      message.busy_60s(), UsageFromProto(message.usage()),
                      message.queued(),   message.running()};
}

void KernelToProto(const KernelStatus& status, v1::KernelStatus* message) {
  message->set_kernel_id(status.id.value());
  message->set_digest(status.digest);
  message->set_name(ToUtf8(status.name));
  message->set_device(status.device);
  for (SessionId session : status.sessions) message->add_session_ids(session.value());
  ToProto(status.usage, message->mutable_usage());
  message->set_run_p50_ns(status.run_p50_ns);
  message->set_run_p99_ns(status.run_p99_ns);
}

KernelStatus KernelFromProto(const v1::KernelStatus& message) {
  KernelStatus status;
  status.id = KernelId(message.kernel_id());
  status.digest = message.digest();
  status.name = message.name();
  status.device = message.device();
  for (uint64_t session : message.session_ids()) status.sessions.push_back(SessionId(session));
  status.usage = UsageFromProto(message.usage());
  status.run_p50_ns = message.run_p50_ns();
  status.run_p99_ns = message.run_p99_ns();
  return status;
}

}  // namespace

void ToProto(const absl::Status& status, v1::Status* message) {
  message->set_code(static_cast<int>(status.code()));
  message->set_message(ToUtf8(std::string(status.message())));
}

absl::Status FromProto(const v1::Status& message) {
  if (message.code() == 0) return absl::OkStatus();
  const bool canonical = message.code() > 0 && message.code() <= 16;
  return absl::Status(
      canonical ? static_cast<absl::StatusCode>(message.code()) : absl::StatusCode::kUnknown,
      message.message());
}

void ToProto(const Prospect& prospect, v1::Prospect* message) {
  message->set_turns_ahead(prospect.turns_ahead);
  message->set_starts_in_ns(prospect.starts_in_ns);
}

absl::StatusOr<Prospect> FromProto(const v1::Prospect& message) {
  return Prospect{message.turns_ahead(), message.starts_in_ns()};
}

void ToProto(const DaemonInfo& info, v1::DaemonInfo* message) {
  message->set_version(info.version);
  message->set_build(info.build);
  message->set_daemon_epoch(info.daemon_epoch);
  message->set_pid(info.pid);
  message->set_uptime_ns(info.uptime_ns);
  for (const std::string& feature : info.features) message->add_features(ToUtf8(feature));
  message->set_default_device(info.default_device);
  message->set_runtime_dir(ToUtf8(info.runtime_dir));
}

absl::StatusOr<DaemonInfo> FromProto(const v1::DaemonInfo& message) {
  DaemonInfo info;
  info.version = message.version();
  info.build = message.build();
  info.daemon_epoch = message.daemon_epoch();
  info.pid = message.pid();
  info.uptime_ns = message.uptime_ns();
  info.features.assign(message.features().begin(), message.features().end());
  info.default_device = message.default_device();
  info.runtime_dir = message.runtime_dir();
  return info;
}

void ToProto(const DeviceInfo& info, v1::DeviceInfo* message) {
  message->set_name(info.name);
  message->set_description(ToUtf8(info.description));
  message->set_is_default(info.is_default);
  message->set_health(ToProto(info.health));
  message->set_health_reason(ToUtf8(info.health_reason));
  for (const auto& [claim, answer] : info.capabilities) {
    (*message->mutable_capabilities())[ToUtf8(claim)] = ToUtf8(answer);
  }
}

absl::StatusOr<DeviceInfo> FromProto(const v1::DeviceInfo& message) {
  DeviceInfo info;
  info.name = message.name();
  info.description = message.description();
  info.is_default = message.is_default();
  auto health = HealthFromProto(message.health());
  if (!health.ok()) return health.status();
  info.health = *health;
  info.health_reason = message.health_reason();
  info.capabilities.insert(message.capabilities().begin(), message.capabilities().end());
  return info;
}

void ToProto(const SessionStatus& status, v1::SessionStatus* message) {
  message->set_session_id(status.id.value());
  message->set_client_name(ToUtf8(status.client_name));
  message->set_pid(status.pid);
  message->set_uid(status.uid);
  message->set_age_ns(status.age_ns);
  message->set_device_share_1s(status.device_share_1s);
  ToProto(status.usage, message->mutable_usage());
  message->set_queued(status.queued);
  message->set_running(status.running);
  message->set_surfaces(status.surfaces);
  message->set_kernels(status.kernels);
  message->set_parameter_sets(status.parameter_sets);
  message->set_invocations(status.invocations);
  message->set_chains(status.chains);
  message->set_lanes(status.lanes);
  message->set_surface_bytes(status.surface_bytes);
  message->set_kernel_bytes(status.kernel_bytes);
  message->set_upload_bytes(status.upload_bytes);
  message->set_weight(status.weight);
  if (status.next.has_value()) ToProto(*status.next, message->mutable_next());
}

absl::StatusOr<SessionStatus> FromProto(const v1::SessionStatus& message) {
  SessionStatus status;
  status.id = SessionId(message.session_id());
  status.client_name = message.client_name();
  status.pid = message.pid();
  status.uid = message.uid();
  status.age_ns = message.age_ns();
  status.device_share_1s = message.device_share_1s();
  status.usage = UsageFromProto(message.usage());
  status.queued = message.queued();
  status.running = message.running();
  status.surfaces = message.surfaces();
  status.kernels = message.kernels();
  status.parameter_sets = message.parameter_sets();
  status.invocations = message.invocations();
  status.chains = message.chains();
  status.lanes = message.lanes();
  status.surface_bytes = message.surface_bytes();
  status.kernel_bytes = message.kernel_bytes();
  status.upload_bytes = message.upload_bytes();
  status.weight = message.weight();
  if (message.has_next()) status.next = *FromProto(message.next());
  return status;
}

void ToProto(const DaemonStatus& status, v1::DaemonStatus* message) {
  ToProto(status.info, message->mutable_info());
  message->set_health(ToProto(status.health));
  message->set_health_reason(ToUtf8(status.health_reason));
  for (const DeviceStatus& device : status.devices) DeviceToProto(device, message->add_devices());
  for (const SessionStatus& session : status.sessions) ToProto(session, message->add_sessions());
  for (const KernelStatus& kernel : status.kernels) KernelToProto(kernel, message->add_kernels());
  message->set_grpc_tensor_bytes(status.grpc_tensor_bytes);
  message->set_surface_bytes(status.surface_bytes);
  message->set_kernel_bytes(status.kernel_bytes);
  message->set_upload_bytes(status.upload_bytes);
  message->set_resident_bytes(status.resident_bytes);
}

absl::StatusOr<DaemonStatus> FromProto(const v1::DaemonStatus& message) {
  DaemonStatus status;
  auto info = FromProto(message.info());
  if (!info.ok()) return info.status();
  status.info = *std::move(info);
  auto health = HealthFromProto(message.health());
  if (!health.ok()) return health.status();
  status.health = *health;
  status.health_reason = message.health_reason();
  for (const v1::DeviceStatus& device : message.devices()) {
    auto value = DeviceFromProto(device);
    if (!value.ok()) return value.status();
    status.devices.push_back(*std::move(value));
  }
  for (const v1::SessionStatus& session : message.sessions())
    status.sessions.push_back(*FromProto(session));
  for (const v1::KernelStatus& kernel : message.kernels())
    status.kernels.push_back(KernelFromProto(kernel));
  status.grpc_tensor_bytes = message.grpc_tensor_bytes();
  status.surface_bytes = message.surface_bytes();
  status.kernel_bytes = message.kernel_bytes();
  status.upload_bytes = message.upload_bytes();
  status.resident_bytes = message.resident_bytes();
  return status;
}

void ToProto(const OpenSpec& spec, v1::OpenSessionRequest* message) {
  message->set_client_name(ToUtf8(spec.client_name));
  for (const std::string& feature : spec.features) message->add_features(ToUtf8(feature));
  message->set_weight(spec.weight);
}

absl::StatusOr<OpenSpec> FromProto(const v1::OpenSessionRequest& message) {
  OpenSpec spec;
  spec.client_name = message.client_name();
  spec.features.assign(message.features().begin(), message.features().end());
  spec.weight = message.weight() == 0 ? 1 : message.weight();
  return spec;
}

void ToProto(const SessionGrant& grant, v1::OpenSessionResponse* message) {
  message->set_session_id(grant.id.value());
  message->set_secret(grant.secret);
  message->set_side_channel(ToUtf8(grant.side_channel));
  message->set_side_channel_token(grant.side_channel_token);
  ToProto(grant.daemon, message->mutable_daemon());
}

absl::StatusOr<SessionGrant> FromProto(const v1::OpenSessionResponse& message) {
  auto daemon = FromProto(message.daemon());
  if (!daemon.ok()) return daemon.status();
  return SessionGrant{SessionId(message.session_id()), message.secret(), message.side_channel(),
                      message.side_channel_token(), *std::move(daemon)};
}

void ToProto(const LimitInfo& limit, v1::LimitInfo* message) {
  message->set_name(limit.name);
  message->set_value(limit.value);
  message->set_unit(limit.unit);
  message->set_help(limit.help);
  message->set_least(limit.least);
  message->set_most(limit.most);
}

absl::StatusOr<LimitInfo> FromProto(const v1::LimitInfo& message) {
  return LimitInfo{message.name(), message.value(), message.unit(),
                   message.help(), message.least(), message.most()};
}

void ToProto(const CacheEntryInfo& entry, v1::CacheEntry* message) {
  message->set_digest(entry.digest);
  message->set_name(ToUtf8(entry.name));
  message->set_device(entry.device);
  message->set_bytes(entry.bytes);
  message->set_created_unix_s(entry.created_unix_s);
  message->set_last_used_unix_s(entry.last_used_unix_s);
  message->set_verified(entry.verified);
  message->set_problem(ToUtf8(entry.problem));
}

absl::StatusOr<CacheEntryInfo> FromProto(const v1::CacheEntry& message) {
  return CacheEntryInfo{message.digest(),   message.name(),           message.device(),
                        message.bytes(),    message.created_unix_s(), message.last_used_unix_s(),
                        message.verified(), message.problem()};
}

void ToProto(const ProbeReport& report, v1::ProbeResponse* message) {
  message->set_device(report.device);
  message->set_description(ToUtf8(report.description));
  for (const ProbeFinding& finding : report.findings) {
    v1::ProbeResponse::Finding* out = message->add_findings();
    out->set_claim(ToUtf8(finding.claim));
    out->set_question(ToUtf8(finding.question));
    out->set_answer(ToUtf8(finding.answer));
    out->set_evidence(static_cast<v1::ProbeResponse::Evidence>(finding.evidence));
    out->mutable_numbers()->insert(finding.numbers.begin(), finding.numbers.end());
  }
}

absl::StatusOr<ProbeReport> FromProto(const v1::ProbeResponse& message) {
  ProbeReport report{message.device(), message.description(), {}};
  for (const v1::ProbeResponse::Finding& finding : message.findings()) {
    const absl::StatusOr<Evidence> evidence = EvidenceFromProto(finding.evidence());
    if (!evidence.ok()) return evidence.status();
    report.findings.push_back({finding.claim(),
                               finding.question(),
                               finding.answer(),
                               *evidence,
                               {finding.numbers().begin(), finding.numbers().end()}});
  }
  return report;
}

}  // namespace anex::convert
