// The daemon's state, limits, the cache, sessions, and outcomes: protobuf <-> values. See
// tensor_convert.h for the rules.
#ifndef ANEX_PROTO_CONVERT_STATUS_CONVERT_H_
#define ANEX_PROTO_CONVERT_STATUS_CONVERT_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "anex/v1/admin.pb.h"
#include "anex/v1/common.pb.h"
#include "anex/v1/daemon.pb.h"
#include "anex/v1/sessions.pb.h"
#include "proto/convert/utf8.h"
#include "proto/values/probe_values.h"
#include "proto/values/status_values.h"

namespace anex::convert {

// Outcomes. A code that is not canonical is kUnknown. The message is made valid UTF-8.
void ToProto(const absl::Status& status, v1::Status* message);
absl::Status FromProto(const v1::Status& message);

void ToProto(const Prospect& prospect, v1::Prospect* message);
absl::StatusOr<Prospect> FromProto(const v1::Prospect& message);

void ToProto(const DaemonInfo& info, v1::DaemonInfo* message);
absl::StatusOr<DaemonInfo> FromProto(const v1::DaemonInfo& message);

void ToProto(const DeviceInfo& info, v1::DeviceInfo* message);
absl::StatusOr<DeviceInfo> FromProto(const v1::DeviceInfo& message);

void ToProto(const SessionStatus& status, v1::SessionStatus* message);
absl::StatusOr<SessionStatus> FromProto(const v1::SessionStatus& message);

void ToProto(const DaemonStatus& status, v1::DaemonStatus* message);
absl::StatusOr<DaemonStatus> FromProto(const v1::DaemonStatus& message);

void ToProto(const OpenSpec& spec, v1::OpenSessionRequest* message);
absl::StatusOr<OpenSpec> FromProto(const v1::OpenSessionRequest& message);

void ToProto(const SessionGrant& grant, v1::OpenSessionResponse* message);
absl::StatusOr<SessionGrant> FromProto(const v1::OpenSessionResponse& message);

void ToProto(const LimitInfo& limit, v1::LimitInfo* message);
absl::StatusOr<LimitInfo> FromProto(const v1::LimitInfo& message);

void ToProto(const CacheEntryInfo& entry, v1::CacheEntry* message);
absl::StatusOr<CacheEntryInfo> FromProto(const v1::CacheEntry& message);

void ToProto(const ProbeReport& report, v1::ProbeResponse* message);
absl::StatusOr<ProbeReport> FromProto(const v1::ProbeResponse& message);

}  // namespace anex::convert

#endif  // ANEX_PROTO_CONVERT_STATUS_CONVERT_H_
