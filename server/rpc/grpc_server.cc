#include "server/rpc/grpc_server.h"

#include <grpc/grpc.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_posix.h>

#include <mutex>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "server/rpc/admin_service.h"
#include "server/rpc/chains_service.h"
#include "server/rpc/daemon_service.h"
#include "server/rpc/execution_service.h"
#include "server/rpc/invocations_service.h"
#include "server/rpc/kernels_service.h"
#include "server/rpc/library_logs.h"
#include "server/rpc/parameters_service.h"
#include "server/rpc/rings_service.h"
#include "server/rpc/sessions_service.h"
#include "server/rpc/surfaces_service.h"
#include "server/rpc/unbuilt_service.h"

namespace anex::rpc {
namespace {

constexpr int kMaxMetadataBytes = 16 << 10;
constexpr int kMaxStreamsPerConnection = 256;
constexpr absl::Duration kHealthPoll = absl::Milliseconds(250);
constexpr int kLeastPingIntervalMs = 10'000;  // a client that pings faster is sent away

// One instance of every service; both servers have their own.
struct Services {
  Services(const ServiceParts& parts, const CallContext& calls, ring::RingDoor* door)
      : daemon(parts),
        sessions(parts),
        surfaces(parts),
        kernels(parts),
        parameters(parts),
        invocations(parts),
        chains(parts),
        execution(parts),
        rings(parts, door),
        admin(parts),
        unbuilt(calls) {}

  void RegisterAll(grpc::ServerBuilder& builder) {
    for (grpc::Service* service :
         std::initializer_list<grpc::Service*>{&daemon, &sessions, &surfaces, &kernels, &parameters,
                                               &invocations, &chains, &execution, &rings, &admin}) {
      builder.RegisterService(service);
    }
    builder.RegisterCallbackGenericService(&unbuilt);
  }

  DaemonService daemon;
  SessionsService sessions;
  SurfacesService surfaces;
  KernelsService kernels;
  ParametersService parameters;
  InvocationsService invocations;
  ChainsService chains;
  ExecutionService execution;
  RingsService rings;
  AdminService admin;
  UnbuiltService unbuilt;
};

std::unique_ptr<grpc::Server> Build(Services& services, const GrpcServerOptions& options,
                                    const char* quota_name) {
  grpc::ServerBuilder builder;
  services.RegisterAll(builder);
  builder.SetMaxReceiveMessageSize(static_cast<int>(options.max_message_bytes));
  builder.SetMaxSendMessageSize(static_cast<int>(options.max_message_bytes));
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kLeastPingIntervalMs);
  builder.SetResourceQuota(grpc::ResourceQuota(quota_name).SetMaxThreads(options.max_threads));
  return builder.BuildAndStart();
}

// gRPC's plugins are chosen per process before a server is built, and stay: the owner's server is
// built first and without reflection.
std::once_flag observer_plugins;

}  // namespace

struct GrpcServer::Impl {
  Impl(const GrpcServerOptions& given, RoleGate&& rules)
      : options(given),
        gate(std::move(rules)),
        calls(*options.engine, *options.connections, gate),
        parts{*options.engine, calls, idempotency, options.on_session_ended},
        for_owner(parts, calls, options.rings),
        for_observers(parts, calls, options.rings) {}

  const GrpcServerOptions options;
  const RoleGate gate;
  const CallContext calls;
  const engine::SystemClock clock;
  Idempotency idempotency{clock};
  const ServiceParts parts;
  Services for_owner, for_observers;
  std::unique_ptr<grpc::Server> owner, observer;
  bool stopped = false;

  // Says what is true, until told to stop.
  void FollowHealth() {
    absl::MutexLock lock(&health_mutex);
    while (!health_stop) {
      const Health health = options.engine->health();
      TellHealth(serving && (health == Health::kServing || health == Health::kDegraded));
      const auto news = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(health_mutex) {
        return health_stop || health_news;
      };
      health_mutex.AwaitWithTimeout(absl::Condition(&news), kHealthPoll);
      health_news = false;
    }
  }
  void TellHealth(bool healthy) {
    for (grpc::Server* server : {owner.get(), observer.get()}) {
      if (auto* service = server->GetHealthCheckService()) service->SetServingStatus(healthy);
    }
  }
  void StopHealth() {
    {
      absl::MutexLock lock(&health_mutex);
      health_stop = true;
    }
    if (health.joinable()) health.join();
  }

  absl::Mutex health_mutex;
  bool serving ABSL_GUARDED_BY(health_mutex) = false;
  bool health_news ABSL_GUARDED_BY(health_mutex) = false;
  bool health_stop ABSL_GUARDED_BY(health_mutex) = false;
  std::thread health;
};

GrpcServer::GrpcServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

GrpcServer::~GrpcServer() { Shutdown(absl::ZeroDuration()); }

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(const GrpcServerOptions& options) {
  auto gate = RoleGate::FromContract();
  if (!gate.ok()) return gate.status();
  QuietLibraries();
  auto impl = std::make_unique<Impl>(options, *std::move(gate));
  impl->owner = Build(impl->for_owner, impl->options, "owner");
  std::call_once(observer_plugins, [] {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  });
  impl->observer = Build(impl->for_observers, impl->options, "observer");
  if (!impl->owner || !impl->observer) return absl::InternalError("gRPC could not start a server");
  impl->TellHealth(false);
  impl->health = std::thread([impl = impl.get()] { impl->FollowHealth(); });
  return std::unique_ptr<GrpcServer>(new GrpcServer(std::move(impl)));
}

void GrpcServer::Adopt(shm::OwnedDescriptor descriptor, door::ListenerRole role) {
  grpc::Server* server =
      role == door::ListenerRole::kOwner ? impl_->owner.get() : impl_->observer.get();
  grpc::AddInsecureChannelFromFd(server, descriptor.Release());
}

void GrpcServer::SetServing(bool serving) {
  absl::MutexLock lock(&impl_->health_mutex);
  impl_->serving = serving;
  impl_->health_news = true;
  if (!serving) impl_->TellHealth(false);
}

void GrpcServer::Shutdown(absl::Duration grace) {
  if (impl_->stopped) return;
  impl_->stopped = true;
  impl_->StopHealth();
  const auto deadline = absl::ToChronoTime(absl::Now() + grace);
  std::thread observer([&] { impl_->observer->Shutdown(deadline); });
  impl_->owner->Shutdown(deadline);
  observer.join();
}

}  // namespace anex::rpc
