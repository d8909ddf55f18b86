// anexd: reads its configuration, takes its runtime folder, starts the engine and the fronts, and
// waits for a signal. The one place where concrete classes meet.
//
// Exit codes: 0 orderly end, 1 failed start, 2 bad flags or configuration, 3 another anexd has the
// runtime folder, 130 ended at once by a second signal.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "proto/shm/global_iosurface.h"
#include "proto/shm/side_channel.h"
#include "server/config.h"
#include "server/device/device_list.h"
#include "server/door/connection_registry.h"
#include "server/door/front_door.h"
#include "server/door/instance_lock.h"
#include "server/door/listen_sockets.h"
#include "server/door/peer_exit.h"
#include "server/door/runtime_dir.h"
#include "server/door/side_channel_door.h"
#include "server/door/surface_service.h"
#include "server/engine/engine.h"
#include "server/engine/machine_memory.h"
#include "server/engine_log.h"
#include "server/log.h"
#include "server/platform.h"
#include "server/reload.h"
#include "server/ring/ring_door.h"
#include "server/rpc/grpc_server.h"
#include "server/session_doors.h"

namespace anex::server {
namespace {

constexpr int kExitFailedStart = 1;
constexpr int kExitBadConfig = 2;
constexpr int kExitLockHeld = 3;
constexpr int kExitAtOnce = 130;

// The end of the process is asked for by SIGTERM or SIGINT: the first one ends the wait, a second
// one the process. SIGHUP does what OnHangup was given. The handler only puts the signal's number
// into a pipe. (Blocking signals and waiting for them would not do: libraries such as
// OpenBLAS start threads before main, and those block nothing.)
class SignalWatch {
 public:
  explicit SignalWatch(const Log& log) : log_(log) {
    ::signal(SIGPIPE, SIG_IGN);
    // No descriptors before anything has started?
    if (::pipe(pipe_) != 0 || ::pipe(asked_pipe_) != 0) std::abort();
    for (const int end : {pipe_[0], pipe_[1], asked_pipe_[0], asked_pipe_[1]}) {
      ::fcntl(end, F_SETFD, FD_CLOEXEC);
    }
    ::fcntl(pipe_[1], F_SETFL, O_NONBLOCK);
    thread_ = std::thread([this] { Loop(); });
    struct sigaction action {};
    action.sa_handler = [](int signal) { Put(static_cast<char>(signal)); };
    action.sa_flags = SA_RESTART;
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaction(signal, &action, nullptr);
  }
  ~SignalWatch() {
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::signal(signal, SIG_DFL);
    Put(kStop);
    thread_.join();
    for (const int end : {pipe_[0], pipe_[1], asked_pipe_[0], asked_pipe_[1]}) ::close(end);
  }

  // Waits in a system call of its own, not in a lock of some library: the kernel gives signals to
  // this thread first, and ThreadSanitizer runs a handler only in calls that it sees.
  void Wait() {
    pollfd asked{asked_pipe_[0], POLLIN, 0};
    while (::poll(&asked, 1, -1) < 0 && errno == EINTR) {
    }
  }
  // From now on, on the watch's thread; null ends it, and waits for one that is going on.
  void OnHangup(std::function<void()> act) {
    absl::MutexLock lock(&mutex_);
    on_hangup_ = std::move(act);
  }

 private:
  static constexpr char kStop = 0;  // from the destructor

  // Async-signal-safe. A full pipe loses the signal: 64 KiB of them are waiting already.
  static void Put(char what) {
    const int saved_errno = errno;
    (void)!::write(pipe_[1], &what, 1);
    errno = saved_errno;
  }

  void Loop() {
    bool asked = false;
    for (char what = kStop;;) {
      const ssize_t got = ::read(pipe_[0], &what, 1);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0 || what == kStop) return;
      const int signal = what;
      if (signal == SIGHUP) {
        absl::MutexLock lock(&mutex_);
        if (on_hangup_) on_hangup_();
      } else if (!asked) {
        log_.Info("stopping", {{"signal", signal}});
        asked = ::write(asked_pipe_[1], &what, 1) == 1;
      } else {
        log_.Warning("stopped at once by a second signal", {{"signal", signal}});
        ::_exit(kExitAtOnce);
      }
    }
  }

  static inline int pipe_[2] = {-1, -1};  // one watch per process: a handler has no object
  const Log& log_;
  int asked_pipe_[2] = {-1, -1};  // the loop writes to it once
  absl::Mutex mutex_;
  std::function<void()> on_hangup_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

// What an orderly end may take beyond the time to drain.
constexpr absl::Duration kGrace = absl::Seconds(2);

// How much the doors let in follows from the limits.
size_t MostConnections(const engine::Limits& limits) {
  // Per session its channel and its side channel, and as many again for tools that only look.
  return 4 * limits.sessions + 64;
}

door::SideChannelDoor::Options SideDoorOptions(const engine::Limits& limits) {
  door::SideChannelDoor::Options options;
  // Twice the sessions: those that have not said hello yet need a place too.
  options.max_connections = 2 * limits.sessions;
  options.connection.hello_deadline =
      absl::Nanoseconds(static_cast<int64_t>(limits.attach_deadline_ns));
  options.connection.max_offer_bytes = limits.surface_bytes_per_session;
  return options;
}

// The engine's events: into the log, and changed limits to the doors, once there are any.
class DaemonEvents final : public EngineLog {
 public:
  using EngineLog::EngineLog;
  void OnLimitsChanged(const engine::Limits& now) override {
    absl::MutexLock lock(&mutex_);
    if (side_door_ != nullptr) side_door_->SetOptions(SideDoorOptions(now));
    if (connections_ != nullptr) connections_->SetMost(MostConnections(now));
  }
  void SetDoors(door::SideChannelDoor* side_door, door::ConnectionRegistry* connections) {
    absl::MutexLock lock(&mutex_);
    side_door_ = side_door;
    connections_ = connections;
  }

 private:
  absl::Mutex mutex_;
  door::SideChannelDoor* side_door_ ABSL_GUARDED_BY(mutex_) = nullptr;
  door::ConnectionRegistry* connections_ ABSL_GUARDED_BY(mutex_) = nullptr;
};

// Everything that runs, in the order of its start: destroyed in reverse.
struct Daemon {
  std::vector<door::ListenSocket> passed;  // by the service manager, until the door has them
  std::optional<door::InstanceLock> lock;
  std::unique_ptr<DaemonEvents> events;
  std::unique_ptr<engine::Engine> engine;
  std::unique_ptr<door::PeerExit> exits;
  std::unique_ptr<EngineSideChannelHost> host;
  std::unique_ptr<door::SideChannelDoor> side_door;
  std::unique_ptr<door::ConnectionRegistry> connections;
  std::unique_ptr<ring::RingDoor> rings;
  std::unique_ptr<rpc::GrpcServer> grpc;
  std::unique_ptr<DoorKeeper> keeper;
  std::unique_ptr<door::FrontDoor> front_door;
  std::unique_ptr<door::SurfaceService> surfaces;
};

std::string SocketIn(const Config& config, door::ListenerRole role) {
  return absl::StrCat(config.runtime_dir, "/", std::string(door::SocketNameOf(role)));
}

// Whether surfaces have a way of their own: the service manager has to have started this process.
bool ServesSurfaces(const Daemon& daemon) {
  return door::HasSurfaceService() && !daemon.passed.empty();
}

// What clients are told to connect their side channel to.
std::string SideChannelEndpoint(const Config& config, bool serves_surfaces) {
  if (!serves_surfaces) return SocketIn(config, door::ListenerRole::kSideChannel);
  return absl::StrCat(shm::kXpcEndpoint, door::kSurfaceServiceName);
}

Surroundings ThisMachine() {
  Surroundings surroundings;
  surroundings.environment = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  surroundings.uid = ::geteuid();
  surroundings.version = ANEX_VERSION;
  surroundings.client_requirement = ANEX_CLIENT_REQUIREMENT;
  surroundings.devices = DeviceNames();
  surroundings.memory_bytes = engine::MachineMemoryBytes();
  return surroundings;
}

// Surfaces and connections are descriptors: as many as the system lets this process have.
void RaiseDescriptorLimit(const Log& log) {
  constexpr rlim_t kEverybodyHas = 10240;  // OPEN_MAX: macOS refuses more than that as "unlimited"
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) == 0) return;
  limit.rlim_cur = std::max(before, std::min(kEverybodyHas, limit.rlim_max));
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    log.Warning("descriptor limit stays low", {{"descriptors", before}});
  }
}

// Each surface takes a descriptor; what connections and the daemon itself need is left to them.
engine::Limits FittedToDescriptors(engine::Limits limits, const Log& log) {
  struct rlimit descriptors {};
  if (::getrlimit(RLIMIT_NOFILE, &descriptors) != 0) return limits;
  const uint64_t kept = MostConnections(limits) + SideDoorOptions(limits).max_connections + 256;
  const uint64_t all = descriptors.rlim_cur;
  const uint64_t most = std::max<uint64_t>(all > kept ? all - kept : 0, all / 4);
  if (limits.surfaces <= most) return limits;
  log.Info("fewer surfaces than configured, as each takes a descriptor",
           {{"surfaces", most}, {"configured", limits.surfaces}, {"descriptors", all}});
  limits.surfaces = most;
  limits.surfaces_per_session = std::min(limits.surfaces_per_session, most / 2);
  return limits;
}

absl::Status TakePassedSockets(const Config& config, Daemon& daemon) {
  absl::StatusOr<std::vector<door::ListenSocket>> passed =
      door::TakePassedSockets(config.runtime_dir);
  if (!passed.ok()) return passed.status();
  daemon.passed = *std::move(passed);
  return absl::OkStatus();
}

absl::Status TakeRuntimeDir(const Config& config, Daemon& daemon) {
  // The longest name first: a folder that is too deep is refused before anything is made.
  if (auto path = door::SocketPath(config.runtime_dir, std::string(door::kObserverSocketName));
      !path.ok()) {
    return path.status();
  }
  if (absl::Status s = door::PrepareRuntimeDir(config.runtime_dir); !s.ok()) return s;
  absl::StatusOr<door::InstanceLock> lock = door::InstanceLock::Acquire(config.runtime_dir);
  if (!lock.ok()) return lock.status();
  daemon.lock = *std::move(lock);
  return absl::OkStatus();
}

absl::Status StartEngine(const Config& config, const Log& log, Daemon& daemon) {
  daemon.events = std::make_unique<DaemonEvents>(log);
  absl::StatusOr<device::DeviceList> devices = device::DeviceList::Make(DeviceFactories(config));
  if (!devices.ok()) return devices.status();
  // Where nobody hands IOSurfaces over, clients have plain shared memory, and the device copies.
  const bool in_place = !door::HasSurfaceService() || ServesSurfaces(daemon);
  absl::StatusOr<std::unique_ptr<engine::Engine>> engine = engine::Engine::Create(
      {.devices = *std::move(devices),
       .default_device = config.default_device,
       .cache_dir = config.cache_dir,
       .version = ANEX_VERSION,
       .build = ANEX_BUILD,
       .runtime_dir = config.runtime_dir,
       .side_channel = SideChannelEndpoint(config, ServesSurfaces(daemon)),
       .limits = FittedToDescriptors(config.limits, log),
       .weights = config.weights,
       .make_region = in_place ? CreateSurfaceRegion : nullptr,
       .regions_share_read_only = !in_place || SurfaceRegionsShareReadOnly(),
       .events = daemon.events.get(),
       .find_global_iosurface =
           config.allow_global_iosurfaces ? &shm::FindGlobalIosurface : nullptr});
  if (!engine.ok()) return engine.status();
  daemon.engine = *std::move(engine);
  return absl::OkStatus();
}

absl::Status StartSideDoor(const Config& config, const Log& log, Daemon& daemon) {
  absl::StatusOr<std::unique_ptr<door::PeerExit>> exits = door::PeerExit::Start();
  if (!exits.ok()) return exits.status();
  daemon.exits = *std::move(exits);
  daemon.host = std::make_unique<EngineSideChannelHost>(*daemon.engine, log);
  absl::StatusOr<std::unique_ptr<door::SideChannelDoor>> side_door =
      door::SideChannelDoor::Start(SideDoorOptions(config.limits), *daemon.host, *daemon.exits);
  if (!side_door.ok()) return side_door.status();
  daemon.side_door = *std::move(side_door);
  return absl::OkStatus();
}

absl::Status StartGrpc(const Config& config, Daemon& daemon) {
  daemon.connections = std::make_unique<door::ConnectionRegistry>(MostConnections(config.limits));
  daemon.events->SetDoors(daemon.side_door.get(), daemon.connections.get());
  rpc::GrpcServerOptions options;
  options.engine = daemon.engine.get();
  options.connections = daemon.connections.get();
  daemon.rings = std::make_unique<ring::RingDoor>(
      *daemon.engine, [log = daemon.events.get()](SessionId session, std::string_view sentence) {
        log->OnRingBroken(session, sentence);
      });
  options.rings = daemon.rings.get();
  options.on_session_ended = [side_door = daemon.side_door.get()](SessionId session,
                                                                  std::string_view reason) {
    side_door->Notify(session, ByeReasonOf(reason));
  };
  absl::StatusOr<std::unique_ptr<rpc::GrpcServer>> grpc = rpc::GrpcServer::Start(options);
  if (!grpc.ok()) return grpc.status();
  daemon.grpc = *std::move(grpc);
  return absl::OkStatus();
}

// Those that the service manager passed, and our own where it passed none.
absl::StatusOr<std::vector<door::ListenSocket>> ListenAll(const Log& log, Daemon& daemon) {
  std::vector<door::ListenSocket> listeners = std::move(daemon.passed);
  // The sockets that others lead to come first: who can reach anexd.sock can reach all.
  for (const door::ListenerRole role :
       {door::ListenerRole::kSideChannel, door::ListenerRole::kObserver,
        door::ListenerRole::kOwner}) {
    const auto of_role = [role](const door::ListenSocket& socket) { return socket.role() == role; };
    if (std::ranges::any_of(listeners, of_role)) {
      log.Info("socket of the service manager", {{"role", door::ListenerRoleName(role)}});
      continue;
    }
    absl::StatusOr<door::ListenSocket> socket =
        door::ListenOwn(*daemon.lock, role, std::string(door::SocketNameOf(role)));
    if (!socket.ok()) return socket.status();
    listeners.push_back(*std::move(socket));
  }
  return listeners;
}

// Said once, at the start: what weakens the daemon, and what does not do what it says.
void WarnOfSettings(const Config& config, const Log& log, const Daemon& daemon) {
  if (config.allow_global_iosurfaces) {
    log.Warning(
        "allow_global_iosurfaces: surfaces that clients import by number can be read and "
        "written by every process of this machine, whoever runs it");
  }
  if (!config.client_requirement.empty() && !ServesSurfaces(daemon)) {
    log.Warning("client_requirement has no effect: it holds for the agent's XPC service on macOS");
  }
  if (door::HasSurfaceService() && !ServesSurfaces(daemon)) {
    log.Warning(
        "surfaces are plain memory, which the engine copies: launchd gives the service that "
        "hands IOSurfaces over to the agent alone (anectl install)");
  }
}

absl::Status StartSurfaceService(const Config& config, Daemon& daemon) {
  absl::StatusOr<std::unique_ptr<door::SurfaceService>> surfaces = door::StartSurfaceService(
      {.allowed_uid = ::geteuid(), .client_requirement = config.client_requirement},
      *daemon.keeper);
  if (!surfaces.ok()) return surfaces.status();
  daemon.surfaces = *std::move(surfaces);
  return absl::OkStatus();
}

absl::Status OpenFrontDoor(const Config& config, const Log& log, Daemon& daemon) {
  const bool serves_surfaces = ServesSurfaces(daemon);  // before the passed sockets are taken
  absl::StatusOr<std::vector<door::ListenSocket>> listeners = ListenAll(log, daemon);
  if (!listeners.ok()) return listeners.status();
  daemon.keeper = std::make_unique<DoorKeeper>(
      *daemon.side_door,
      [grpc = daemon.grpc.get()](shm::OwnedDescriptor connection, door::ListenerRole role) {
        grpc->Adopt(std::move(connection), role);
      },
      log);
  daemon.grpc->SetServing(true);
  absl::StatusOr<std::unique_ptr<door::FrontDoor>> front_door = door::FrontDoor::Start(
      {.allowed_uid = ::geteuid(), .lobby = {.opening = rpc::kClientPreface}},
      *std::move(listeners), *daemon.connections, *daemon.keeper);
  if (!front_door.ok()) return front_door.status();
  daemon.front_door = *std::move(front_door);
  return serves_surfaces ? StartSurfaceService(config, daemon) : absl::OkStatus();
}

absl::Status StartAll(const Config& config, const Log& log, Daemon& daemon) {
  if (absl::Status s = TakeRuntimeDir(config, daemon); !s.ok()) return s;
  if (absl::Status s = StartEngine(config, log, daemon); !s.ok()) return s;
  if (absl::Status s = StartSideDoor(config, log, daemon); !s.ok()) return s;
  if (absl::Status s = StartGrpc(config, daemon); !s.ok()) return s;
  WarnOfSettings(config, log, daemon);
  return OpenFrontDoor(config, log, daemon);
}

engine::Caller Ourselves() {
  engine::Caller caller;
  caller.identity.uid = ::geteuid();
  caller.identity.pid = ::getpid();
  return caller;
}

void SayReady(const Config& config, const Log& log, const Daemon& daemon) {
  log.Info("serving",
           {{"socket", SocketIn(config, door::ListenerRole::kOwner)},
            {"observer", SocketIn(config, door::ListenerRole::kObserver)},
            {"side_channel", SideChannelEndpoint(config, daemon.surfaces != nullptr)},
            {"cache", daemon.engine->has_cache() ? config.cache_dir : std::string("off")},
            {"device", daemon.engine->GetInfo(Ourselves()).default_device},
            {"version", ANEX_VERSION},
            {"pid", ::getpid()}});
}

// Ends the process when an orderly end takes longer than it may: calls that are inside something
// that cannot be cancelled would hold it up.
class LastResort {
 public:
  LastResort(absl::Duration within, const Log& log)
      : thread_([this, within, &log] {
          if (done_.WaitForNotificationWithTimeout(within)) return;
          log.Warning("stopped with calls under way that do not end",
                      {{"after_ms", absl::ToInt64Milliseconds(within)}});
          std::fflush(nullptr);
          ::_exit(EXIT_SUCCESS);
        }) {}
  ~LastResort() {
    done_.Notify();
    thread_.join();
  }

 private:
  absl::Notification done_;
  std::thread thread_;
};

// Nobody is let in any more, what is queued ends or is cancelled, then the doors close in the
// reverse order of their opening.
void DrainAndStop(const Config& config, const Log& log, Daemon& daemon) {
  const absl::Time start = absl::Now();
  daemon.grpc->SetServing(false);
  daemon.front_door->Stop();  // removes the socket files
  if (daemon.surfaces != nullptr) daemon.surfaces->Stop();
  const absl::Duration bound = absl::Seconds(config.drain_timeout_s);
  const LastResort last_resort(bound + kGrace, log);
  const absl::StatusOr<uint32_t> cancelled =
      daemon.engine->Drain(Ourselves(), absl::ToInt64Nanoseconds(bound));
  if (!cancelled.ok()) log.Warning("drain failed", {{"reason", cancelled.status()}});
  // Streams that only watch never end by themselves; a moment is enough for answers on their way.
  daemon.grpc->Shutdown(std::min(bound, absl::Milliseconds(500)));
  daemon.side_door->Stop(ByeReason::kDraining);
  daemon.front_door.reset();
  daemon.events->SetDoors(nullptr, nullptr);
  daemon.grpc.reset();
  daemon.side_door.reset();
  // A step on the device cannot be cancelled, and may take as long as it likes: it goes with the
  // process.
  const uint32_t running = daemon.engine->running();
  if (running > 0) {
    static_cast<void>(daemon.engine.release());
  } else {
    daemon.engine.reset();
  }
  log.Info("stopped", {{"cancelled", cancelled.value_or(0)},
                       {"left_running", running},
                       {"drain_ms", absl::ToInt64Milliseconds(absl::Now() - start)}});
}

int FailedStart(const absl::Status& status, const Log& log, const Daemon& daemon) {
  const std::string text(status.message().data(), status.message().size());
  if (log.format() == LogFormat::kJson || !log.on_standard_error())
    log.Error("start failed", {{"reason", status}});
  std::fprintf(stderr, "anexd: %s\n", text.c_str());
  return !daemon.lock && absl::IsAlreadyExists(status) ? kExitLockHeld : kExitFailedStart;
}

// Without destructors of statics: gRPC may clean up on a thread of its own, and a compile that hung
// has been left behind; both would race them.
[[noreturn]] void Leave(int code) {
  std::fflush(nullptr);
  ::_exit(code);
}

// Ends the process if the log cannot be written.
Log OpenLog(const Config& config) {
  absl::StatusOr<Log> log = Log::Open(config.log_level, config.log_format, config.log_file);
  if (log.ok()) return *std::move(log);
  Leave(FailedStart(log.status(), Log::OnStandardError(config.log_level, config.log_format), {}));
}

// Does not return but by Leave.
[[noreturn]] void Run(const std::vector<std::string>& arguments, const Config& config) {
  // Distributions build Abseil so that every lock looks for cycles of locks, which costs more than
  // the lock. Tests of the rooms keep that; who serves does not pay for it.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const Log log = OpenLog(config);
  Daemon daemon;
  if (absl::Status s = TakePassedSockets(config, daemon); !s.ok()) {
    Leave(FailedStart(s, log, daemon));
  }
  SignalWatch signals(log);
  RaiseDescriptorLimit(log);
  if (absl::Status s = StartAll(config, log, daemon); !s.ok()) {
    Leave(FailedStart(s, log, daemon));
  }
  Reloader reloader(arguments, ThisMachine(), config, log,
                    [&](const engine::Limits& limits, const engine::Weights& weights) {
                      return daemon.engine->Reconfigure(FittedToDescriptors(limits, log), weights);
                    });
  signals.OnHangup([&] { reloader.Reload(); });
  SayReady(config, log, daemon);
  signals.Wait();
  signals.OnHangup(nullptr);
  DrainAndStop(config, log, daemon);
  Leave(EXIT_SUCCESS);
}

int Main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const absl::StatusOr<CommandLine> line = ParseCommandLine(arguments, ThisMachine());
  if (!line.ok()) {
    const absl::string_view text = line.status().message();
    std::fprintf(stderr, "anexd: %.*s\n", static_cast<int>(text.size()), text.data());
    return kExitBadConfig;
  }
  if (line->print) return std::fputs(line->print->c_str(), stdout) < 0 ? kExitFailedStart : 0;
  Run(arguments, line->config);
}

}  // namespace
}  // namespace anex::server

int main(int argc, char** argv) { return anex::server::Main(argc, argv); }
