#include "client/transport/grpc_transport.h"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <iterator>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/transport/grpc_transport_impl.h"
#include "proto/convert/status_convert.h"
#include "proto/convert/surface_convert.h"

namespace anex {
namespace {

// Between two tries to find a daemon that is starting: its start takes tens of milliseconds.
constexpr absl::Duration kRetryEvery = absl::Milliseconds(20);
// A daemon that accepts but says nothing for this long is taken for hung.
constexpr absl::Duration kFirstAnswer = absl::Seconds(10);

template <typename Value, typename Messages>
absl::StatusOr<std::vector<Value>> FromList(const Messages& messages) {
  std::vector<Value> values;
  for (const auto& message : messages) {
    absl::StatusOr<Value> value = convert::FromProto(message);
    if (!value.ok()) return value.status();
    values.push_back(*std::move(value));
  }
  return values;
}

// "unix:/path" and "unix:///path" are gRPC's own spellings of a socket's path.
std::string PathOf(std::string socket) {
  constexpr std::string_view kScheme = "unix:";
  if (!socket.starts_with(kScheme)) return socket;
  socket.erase(0, kScheme.size());
  if (socket.starts_with("///")) socket.erase(0, 2);
  return socket;
}

// Cancels a call that reads a stream when nothing was read for a while.
class Patience {
 public:
  Patience(grpc::ClientContext& context, absl::Duration patience)
      : context_(context), patience_(patience), thread_([this] { Loop(); }) {}
  ~Patience() {
    {
      absl::MutexLock lock(&mutex_);
      done_ = true;
    }
    thread_.join();
  }
  void Renew() {
    absl::MutexLock lock(&mutex_);
    renewed_ = true;
  }
  bool ended() const {
    absl::MutexLock lock(&mutex_);
    return ended_;
  }

 private:
  void Loop() {
    absl::MutexLock lock(&mutex_);
    const auto news = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return renewed_ || done_; };
    while (!done_) {
      if (!mutex_.AwaitWithTimeout(absl::Condition(&news), patience_)) {
        ended_ = true;
        context_.TryCancel();
        return;
      }
      renewed_ = false;
    }
  }

  grpc::ClientContext& context_;
  const absl::Duration patience_;
  mutable absl::Mutex mutex_;
  bool renewed_ ABSL_GUARDED_BY(mutex_) = false, done_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses the others
};

// Only a daemon of this user is spoken to: in a folder that anybody may write to, somebody else
// could have made the socket first and would be given programs and data.
absl::Status CheckOwner(const std::string& socket) {
  struct stat found {};
  if (::stat(socket.c_str(), &found) != 0) {
    if (errno == EACCES) {
      return absl::PermissionDeniedError(
          absl::StrCat("no access to ", socket, ": the daemon of another user, or sandboxed"));
    }
    return absl::UnavailableError(absl::StrCat("no daemon answers at unix:", socket,
                                               ": start anexd, "
                                               "or name its socket (ANEXD_SOCKET) [",
                                               std::strerror(errno), "]"));
  }
  if (found.st_uid == ::geteuid()) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat("the socket ", socket, " belongs to uid ",
                                                  found.st_uid, ", not to you (uid ", ::geteuid(),
                                                  "): name your own daemon's (ANEXD_SOCKET)"));
}

absl::Status TryOnce(const GrpcTransportOptions& options,
                     std::shared_ptr<GrpcConnection>& connection) {
  if (absl::Status ours = CheckOwner(options.socket); !ours.ok()) return ours;
  // A new channel each time: one that failed would wait out its back-off.
  connection = std::make_shared<GrpcConnection>(options.socket, options.call_deadline);
  grpc::ClientContext context;
  connection->Prepare(context, std::min(options.call_deadline, kFirstAnswer));
  v1::GetInfoResponse response;
  return connection->Outcome(
      context, connection->daemon->GetInfo(&context, v1::GetInfoRequest(), &response));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Transport>> ConnectGrpc(const std::string& socket) {
  return ConnectGrpc(GrpcTransportOptions{.socket = socket});
}

absl::StatusOr<std::unique_ptr<Transport>> ConnectGrpc(const GrpcTransportOptions& asked) {
  GrpcTransportOptions options = asked;
  options.socket = PathOf(options.socket);
  constexpr size_t kLongest = sizeof(sockaddr_un::sun_path) - 1;
  if (options.socket.empty() || options.socket.size() > kLongest) {
    return absl::InvalidArgumentError(absl::StrCat("socket path \"", options.socket, "\" has ",
                                                   options.socket.size(), " bytes; 1 to ", kLongest,
                                                   " fit into a socket address"));
  }
  const auto start = std::chrono::steady_clock::now();
  for (;;) {
    std::shared_ptr<GrpcConnection> connection;
    const absl::Status answer = TryOnce(options, connection);
    if (answer.ok()) return std::make_unique<GrpcTransport>(std::move(connection));
    const absl::Duration gone = absl::FromChrono(std::chrono::steady_clock::now() - start);
    if (!absl::IsUnavailable(answer) || gone >= options.wait_for_daemon) return answer;
    absl::SleepFor(kRetryEvery);
  }
}

GrpcTransport::~GrpcTransport() = default;  // the side channel's end ends the session

absl::StatusOr<std::shared_ptr<SideChannelClient>> GrpcTransport::Side() const {
  absl::MutexLock lock(&mutex_);
  if (side_channel_ != nullptr) return side_channel_;
  return absl::FailedPreconditionError("no session is open on this transport: call Open first");
}

absl::Status GrpcTransport::CheckSession() const {
  std::shared_ptr<SideChannelClient> side;
  {
    absl::MutexLock lock(&mutex_);
    side = side_channel_;
  }
  const absl::Status gone = side == nullptr ? absl::OkStatus() : side->gone();
  if (!gone.ok()) connection_->Lose(gone);
  return connection_->SessionReady();
}

absl::StatusOr<DaemonInfo> GrpcTransport::GetInfo() {
  v1::GetInfoResponse response;
  const absl::Status done =
      Call(connection_->daemon, &v1::Daemon::Stub::GetInfo, v1::GetInfoRequest(), &response);
  if (!done.ok()) return done;
  return convert::FromProto(response.info());
}

absl::StatusOr<DaemonStatus> GrpcTransport::GetStatus() {
  v1::GetStatusResponse response;
  const absl::Status done =
      Call(connection_->daemon, &v1::Daemon::Stub::GetStatus, v1::GetStatusRequest(), &response);
  if (!done.ok()) return done;
  return convert::FromProto(response.status());
}

absl::Status GrpcTransport::WatchStatus(absl::Duration interval,
                                        const std::function<bool(const DaemonStatus&)>& each) {
  grpc::ClientContext context;
  connection_->Prepare(context, absl::InfiniteDuration());
  v1::WatchStatusRequest request;
  request.set_interval_ns(absl::ToInt64Nanoseconds(interval));
  const absl::Duration patience = interval + connection_->call_deadline();
  Patience watch(context, patience);
  const auto reader = connection_->daemon->WatchStatus(&context, request);
  v1::WatchStatusResponse response;
  absl::Status broken;
  bool enough = false;
  while (!enough && reader->Read(&response)) {
    watch.Renew();
    const absl::StatusOr<DaemonStatus> status = convert::FromProto(response.status());
    broken = status.status();
    enough = !status.ok() || !each(*status);
  }
  if (enough) context.TryCancel();
  const grpc::Status finished = reader->Finish();
  if (watch.ended()) {
    return absl::DeadlineExceededError(
        absl::StrCat("the daemon at ", connection_->endpoint(), " sent no status for ",
                     absl::FormatDuration(patience), "; it may be stopped"));
  }
  return enough ? broken : connection_->Outcome(context, finished);
}

absl::StatusOr<std::vector<DeviceInfo>> GrpcTransport::ListDevices() {
  v1::ListDevicesResponse response;
  const absl::Status done = Call(connection_->daemon, &v1::Daemon::Stub::ListDevices,
                                 v1::ListDevicesRequest(), &response);
  if (!done.ok()) return done;
  return FromList<DeviceInfo>(response.devices());
}

absl::StatusOr<std::vector<SurfaceStatus>> GrpcTransport::ListSurfaces() {
  std::vector<SurfaceStatus> all;
  v1::ListSurfacesRequest request;
  do {
    v1::ListSurfacesResponse response;
    const absl::Status done =
        Call(connection_->surfaces, &v1::Surfaces::Stub::List, request, &response);
    if (!done.ok()) return done;
    absl::StatusOr<std::vector<SurfaceStatus>> page = FromList<SurfaceStatus>(response.surfaces());
    if (!page.ok()) return page.status();
    std::move(page->begin(), page->end(), std::back_inserter(all));
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return all;
}

absl::StatusOr<SessionGrant> GrpcTransport::Open(const OpenSpec& spec) {
  {
    absl::MutexLock lock(&mutex_);
    if (side_channel_ != nullptr || opening_) {
      return absl::FailedPreconditionError("this transport carries a session already: close it");
    }
    opening_ = true;
  }
  absl::StatusOr<SessionGrant> grant = OpenOnce(spec);
  absl::MutexLock lock(&mutex_);
  opening_ = false;
  return grant;
}

absl::StatusOr<SessionGrant> GrpcTransport::OpenOnce(const OpenSpec& spec) {
  connection_->SetSession("", 0);
  v1::OpenSessionRequest request;
  convert::ToProto(spec, &request);
  v1::OpenSessionResponse response;
  const absl::Status done =
      connection_->Call(connection_->sessions, &v1::Sessions::Stub::Open, request, &response);
  if (!done.ok()) return done;
  absl::StatusOr<SessionGrant> grant = convert::FromProto(response);
  if (!grant.ok()) return grant.status();
  connection_->SetSession(grant->secret, grant->daemon.daemon_epoch);
  absl::StatusOr<std::unique_ptr<SideChannelClient>> side = SideChannelClient::Connect(
      grant->side_channel, grant->side_channel_token, connection_->call_deadline());
  if (!side.ok()) {
    Close().IgnoreError();
    return side.status();
  }
  absl::MutexLock lock(&mutex_);
  side_channel_ = *std::move(side);
  return grant;
}

absl::Status GrpcTransport::Close() {
  v1::CloseSessionResponse response;
  const absl::Status done =
      Call(connection_->sessions, &v1::Sessions::Stub::Close, v1::CloseSessionRequest(), &response);
  std::shared_ptr<SideChannelClient> side;
  {
    absl::MutexLock lock(&mutex_);
    side = std::exchange(side_channel_, nullptr);
    digests_.clear();
  }
  connection_->SetSession("", 0);
  return done;
}

absl::StatusOr<std::vector<SessionStatus>> GrpcTransport::ListSessions() {
  v1::ListSessionsResponse response;
  const absl::Status done =
      Call(connection_->sessions, &v1::Sessions::Stub::List, v1::ListSessionsRequest(), &response);
  if (!done.ok()) return done;
  return FromList<SessionStatus>(response.sessions());
}

absl::StatusOr<std::vector<LimitInfo>> GrpcTransport::GetLimits() {
  v1::GetLimitsResponse response;
  const absl::Status done =
      Call(connection_->admin, &v1::Admin::Stub::GetLimits, v1::GetLimitsRequest(), &response);
  if (!done.ok()) return done;
  return FromList<LimitInfo>(response.limits());
}

absl::StatusOr<std::vector<LimitInfo>> GrpcTransport::SetLimits(
    const std::map<std::string, uint64_t>& values) {
  v1::SetLimitsRequest request;
  request.mutable_values()->insert(values.begin(), values.end());
  v1::SetLimitsResponse response;
  const absl::Status done =
      Call(connection_->admin, &v1::Admin::Stub::SetLimits, request, &response);
  if (!done.ok()) return done;
  return FromList<LimitInfo>(response.limits());
}

absl::StatusOr<uint32_t> GrpcTransport::Drain(absl::Duration deadline) {
  v1::DrainRequest request;
  request.set_deadline_ns(absl::ToInt64Nanoseconds(deadline));
  v1::DrainResponse response;
  const absl::Status done =
      Call(connection_->admin, &v1::Admin::Stub::Drain, request, &response, deadline);
  if (!done.ok()) return done;
  return response.cancelled();
}

absl::Status GrpcTransport::EvictSession(SessionId session) {
  v1::EvictSessionRequest request;
  request.set_session_id(session.value());
  v1::EvictSessionResponse response;
  return Call(connection_->admin, &v1::Admin::Stub::EvictSession, request, &response);
}

absl::StatusOr<std::vector<CacheEntryInfo>> GrpcTransport::CacheList(bool verify) {
  v1::CacheListRequest request;
  request.set_verify(verify);
  v1::CacheListResponse response;
  const absl::Status done =
      Call(connection_->admin, &v1::Admin::Stub::CacheList, request, &response);
  if (!done.ok()) return done;
  return FromList<CacheEntryInfo>(response.entries());
}

absl::StatusOr<uint64_t> GrpcTransport::CachePurge(std::span<const std::string> digests) {
  v1::CachePurgeRequest request;
  for (const std::string& digest : digests) request.add_digests(digest);
  v1::CachePurgeResponse response;
  const absl::Status done =
      Call(connection_->admin, &v1::Admin::Stub::CachePurge, request, &response);
  if (!done.ok()) return done;
  return response.bytes_freed();
}

absl::StatusOr<ProbeReport> GrpcTransport::Probe(const std::string& device, bool thorough) {
  v1::ProbeRequest request;
  request.set_device(device);
  request.set_thorough(thorough);
  v1::ProbeResponse response;
  const absl::Status done = Call(connection_->admin, &v1::Admin::Stub::Probe, request, &response);
  if (!done.ok()) return done;
  return convert::FromProto(response);
}

}  // namespace anex
