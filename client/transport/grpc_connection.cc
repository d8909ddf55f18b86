#include "client/transport/grpc_connection.h"

#include <grpc/grpc.h>
#include <grpc/support/time.h>

#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/transport/grpc_status.h"

namespace anex {
namespace {

constexpr char kSecretKey[] = "anex-session-secret";
constexpr char kEpochKey[] = "anex-daemon-epoch";
// Answers hold no tensors but for Read, which comes in pieces; a kernel with thousands of ports and
// a status with hundreds of sessions stay far below this.
constexpr int kMaxReceive = 64 << 20;

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& endpoint) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxReceive);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  // A connection of our own: sessions of one process must not share fate, nor wait for a back-off
  // that another one earned.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(endpoint, grpc::InsecureChannelCredentials(), arguments);
}

// A reply without a message body may carry its metadata at the end only.
std::optional<uint64_t> EpochOf(const grpc::ClientContext& context) {
  for (const auto* metadata :
       {&context.GetServerInitialMetadata(), &context.GetServerTrailingMetadata()}) {
    const auto found = metadata->find(kEpochKey);
    uint64_t epoch = 0;
    if (found != metadata->end() &&
        absl::SimpleAtoi(absl::string_view(found->second.data(), found->second.size()), &epoch)) {
      return epoch;
    }
  }
  return std::nullopt;
}

}  // namespace

GrpcConnection::GrpcConnection(const std::string& socket, absl::Duration call_deadline)
    : endpoint_("unix:" + socket), deadline_ns_(absl::ToInt64Nanoseconds(call_deadline)) {
  const std::shared_ptr<grpc::Channel> channel = MakeChannel(endpoint_);
  admin = v1::Admin::NewStub(channel);
  chains = v1::Chains::NewStub(channel);
  daemon = v1::Daemon::NewStub(channel);
  execution = v1::Execution::NewStub(channel);
  invocations = v1::Invocations::NewStub(channel);
  kernels = v1::Kernels::NewStub(channel);
  parameters = v1::Parameters::NewStub(channel);
  rings = v1::Rings::NewStub(channel);
  sessions = v1::Sessions::NewStub(channel);
  surfaces = v1::Surfaces::NewStub(channel);
}

void GrpcConnection::SetSession(const std::string& secret, uint64_t epoch) {
  absl::MutexLock lock(&mutex_);
  secret_ = secret;
  epoch_ = epoch;
  lost_ = absl::OkStatus();
}

absl::Status GrpcConnection::Unreachable(const std::string& raw, bool spoke) const {
  absl::MutexLock lock(&mutex_);
  if (!secret_.empty()) {
    return absl::UnavailableError(absl::StrCat("the daemon at ", endpoint_,
                                               " went away, and the "
                                               "session with it: open a new session [",
                                               raw, "]"));
  }
  if (spoke) {
    return absl::UnavailableError(absl::StrCat("the daemon at ", endpoint_,
                                               " went away in the middle of a call: see its log, "
                                               "or whether somebody stopped it [",
                                               raw, "]"));
  }
  return absl::UnavailableError(absl::StrCat("no daemon answers at ", endpoint_,
                                             ": start anexd, or name its socket (ANEXD_SOCKET). If "
                                             "one runs there, its log says whether it "
                                             "refused this user or is out of descriptors [",
                                             raw, "]"));
}

void GrpcConnection::Lose(const absl::Status& why) {
  absl::MutexLock lock(&mutex_);
  if (lost_.ok()) lost_ = why;
}

absl::Status GrpcConnection::SessionReady() const {
  absl::MutexLock lock(&mutex_);
  return lost_;
}

void GrpcConnection::Prepare(grpc::ClientContext& context, absl::Duration timeout) const {
  if (timeout != absl::InfiniteDuration()) {
    context.set_deadline(
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                     gpr_time_from_nanos(absl::ToInt64Nanoseconds(timeout), GPR_TIMESPAN)));
  }
  absl::MutexLock lock(&mutex_);
  if (!secret_.empty()) context.AddMetadata(kSecretKey, secret_);
}

absl::Status GrpcConnection::Outcome(const grpc::ClientContext& context,
                                     const grpc::Status& status) {
  const std::optional<uint64_t> epoch = EpochOf(context);
  {
    absl::MutexLock lock(&mutex_);
    if (epoch.has_value() && epoch_ != 0 && *epoch != epoch_ && lost_.ok()) {
      lost_ = absl::UnavailableError(
          absl::StrCat("the daemon at ", endpoint_,
                       " was restarted, and the session went with it: open a new session"));
    }
    if (!lost_.ok()) return lost_;
  }
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE && !SentByDaemon(status)) {
    return Unreachable(status.error_message(), epoch.has_value());
  }
  // gRPC's own words say neither who was asked nor what it means.
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED && !epoch.has_value()) {
    return absl::DeadlineExceededError(absl::StrCat(
        "the daemon at ", endpoint_,
        " did not answer within the call's deadline; work that it has accepted goes on"));
  }
  return FromGrpcStatus(status);
}

}  // namespace anex
