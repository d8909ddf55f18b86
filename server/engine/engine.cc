#include "server/engine/engine.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "proto/values/within_memory.h"
#include "server/engine/engine_impl.h"

namespace anex::engine {
namespace {

constexpr size_t kLabelBytes = 64;
// How late an overdue lease or an unattached session may be noticed.
constexpr absl::Duration kSweepInterval = absl::Milliseconds(100);

// Never destroyed: a thread that hangs in a device may still ask for the time.
const Clock& ClockOf(const EngineOptions& options) {
  static const Clock& system = *new SystemClock;
  return options.clock != nullptr ? *options.clock : system;
}

RegionMaker RegionsFor(const Identity& identity, const EngineOptions& options) {
  if (identity.kind != Identity::Kind::kInProcess) {
    return options.make_region ? options.make_region : RegionMaker(shm::CreateRegion);
  }
  return [](uint64_t bytes, std::string_view) { return shm::CreateHeapRegion(bytes); };
}

}  // namespace

absl::Status CheckLabel(std::string_view label_untrusted, std::string_view what) {
  if (label_untrusted.size() <= kLabelBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the ", std::string(what), " has ",
                                                 label_untrusted.size(), " bytes; at most ",
                                                 kLabelBytes, " are kept"));
}

absl::Status CheckRole(const Caller& caller, Role least) {
  if (caller.role >= least) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat("this call needs the role of ",
                                                  least == Role::kOwner ? "owner" : "operator",
                                                  "; use the daemon's main socket"));
}

Engine::Impl::Impl(EngineOptions given)
    : options(std::move(given)),
      limits(options.limits),
      clock(ClockOf(options)),
      events(std::make_shared<EventRelay>(options.events)),
      daemon_epoch((uint64_t{RandomWord()} << 32 | RandomWord()) | 1),
      started_ns(clock.Now()),
      surface_budget(std::make_shared<ByteBudget>(limits.Of(&Limits::surface_bytes),
                                                  "all sessions together have the rest", nullptr)),
      kernel_budget(std::make_shared<ByteBudget>(limits.Of(&Limits::kernel_bytes),
                                                 "all kernels together have the rest", nullptr)),
      upload_budget(std::make_shared<ByteBudget>(
          limits.Of(&Limits::upload_bytes),
          "other programs are being sent or compiled; try again later", nullptr)),
      surface_quota(std::make_shared<Quota>(limits.Of(&Limits::surfaces),
                                            "all sessions together have that many", nullptr)),
      kernel_quota(std::make_shared<Quota>(limits.Of(&Limits::kernels),
                                           "all sessions together hold that many", nullptr)),
      queue_quota(std::make_shared<Quota>(
          limits.Of(&Limits::queued), "all sessions together have that many; submit again later",
          nullptr)),
      stream_quota(std::make_shared<Quota>(limits.Of(&Limits::streams),
                                           "all sessions together have that many", nullptr)),
      compile_rate(std::make_shared<TokenBucket>(limits.Of(&Limits::compiles_per_minute), nullptr)),
      default_deadline(limits.Of(&Limits::default_submission_deadline_ns)),
      calls(limits.Of(&Limits::calls_per_process), "this process has that many calls under way",
            std::make_shared<Quota>(limits.Of(&Limits::calls),
                                    "all processes together have that many under way", nullptr)),
      sessions(limits),
      handovers("hand-over token", limits.Of(&Limits::handovers_per_session)),
      offers("import token", limits.Of(&Limits::handovers_per_session)),
      grants("grant ticket", limits.Of(&Limits::handovers_per_session)),
      prober(clock, limits.Of(&Limits::device_hang_ns)) {}

Engine::Impl::~Impl() {
  if (sweeper.joinable()) {
    {
      absl::MutexLock lock(&sweeper_mutex);
      stop_sweeper = true;
    }
    sweeper.join();
  }
  reaper.Stop();
  for (const auto& dispatcher : dispatchers) dispatcher->StopIntake();
  for (const auto& session : sessions.List()) EndSession(session->id(), "shutdown");
  dispatchers.clear();  // waits for what runs
  compiler.reset();     // waits a moment; a compile that hangs is left behind
  events->Off();
}

absl::Status Engine::Impl::StartDevices() {
  for (const device::DeviceFactory& factory : options.devices.factories()) {
    absl::StatusOr<std::shared_ptr<DeviceSlot>> slot = DeviceSlot::Start(factory);
    if (slot.ok()) {
      slots.push_back(*std::move(slot));
    } else {
      absent_devices.emplace_back(factory.name, slot.status());
    }
  }
  std::string reasons;
  for (const auto& [name, why] : absent_devices) {
    absl::StrAppend(&reasons, "; ", name, ": ", std::string(why.message()));
  }
  if (slots.empty()) {
    return absl::UnavailableError(absl::StrCat("no device could be started", reasons));
  }
  default_device = options.default_device.empty() ? slots.front()->name() : options.default_device;
  bool found = false;
  for (const auto& slot : slots) {
    found |= slot->name() == default_device;
    absl::StatusOr<std::unique_ptr<Sleeper>> sleeper = Sleeper::Create();
    if (!sleeper.ok()) return sleeper.status();
    DispatcherOptions run;
    run.sleeper = *std::move(sleeper);
    run.slot = slot;
    run.clock = &clock;
    run.lane_depth = limits.Of(&Limits::lane_depth);
    run.device_hang_ns = limits.Of(&Limits::device_hang_ns);
    run.on_hang = [events = events](std::string_view sentence) { events->OnDeviceHang(sentence); };
    dispatchers.push_back(std::make_unique<Dispatcher>(std::move(run)));
  }
  if (found) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("the default device \"", default_device, "\" could not be started", reasons));
}

void Engine::Impl::StartCompiler() {
  if (!options.cache_dir.empty()) {
    ArtifactCacheOptions store;
    store.folder = options.cache_dir;
    store.quota_bytes = limits.Get(&Limits::cache_bytes);
    store.report = [events = events](std::string_view sentence) {
      events->OnCacheTrouble(sentence);
    };
    cache = std::make_shared<ArtifactCache>(std::move(store));
  }
  CompileServiceOptions compile;
  compile.devices = slots;
  compile.default_device = default_device;
  compile.engine_version = absl::StrCat(options.version, " ", options.build);
  compile.cache = cache;
  compile.concurrent_compiles = limits.Get(&Limits::concurrent_compiles);
  compile.compile_text_bytes = limits.Of(&Limits::compile_text_bytes);
  compile.compile_weight_bytes = limits.Of(&Limits::compile_weight_bytes);
  compile.compile_deadline_ns = limits.Of(&Limits::compile_deadline_ns);
  compile.clock = &clock;
  compile.kernel_memory = kernel_budget;
  compiler = std::make_unique<CompileService>(std::move(compile));
}

void Engine::Impl::StartSweeper() {
  sweeper = std::thread([this] {
    absl::MutexLock lock(&sweeper_mutex);
    while (!sweeper_mutex.AwaitWithTimeout(absl::Condition(&stop_sweeper), kSweepInterval)) {
      sweeper_mutex.Unlock();
      // What a want of memory leaves undone is done the next time.
      (void)WithinMemory("look for what is overdue", [this] {
        Sweep(clock.Now());
        return absl::OkStatus();
      });
      sweeper_mutex.Lock();
    }
  });
}

void Engine::Impl::Sweep(int64_t now_ns) {
  for (const auto& dispatcher : dispatchers) {
    dispatcher->TakeFromSources();  // from here on their deadlines count
    dispatcher->ExpireLate();
  }
  const auto free = [this](auto expired) {
    using Expired = decltype(expired);
    if (!expired.empty()) reaper.Free({std::make_shared<Expired>(std::move(expired))});
  };
  free(handovers.Sweep(now_ns));
  free(offers.Sweep(now_ns));
  streams.Sweep(now_ns);
  for (const std::shared_ptr<Session>& session : sessions.RemoveUnattached(now_ns)) {
    reaper.Add(session, "no side channel came (attach_deadline)");
  }
  for (const auto& session : sessions.List()) {
    for (const auto& [id, entry] : session->leases.List()) entry.set->Sweep(now_ns);
  }
}

Dispatcher& Engine::Impl::DispatcherOf(std::string_view device) const {
  for (const auto& dispatcher : dispatchers) {
    if (dispatcher->slot().name() == device) return *dispatcher;
  }
  return *dispatchers.front();
}

// Sources and lanes are closed twice: before, so that nothing queued starts on objects that are
// going; after, for an AttachSource or Submit that found its session just before it ended.
void Engine::Impl::EndSession(SessionId id, std::string_view reason) {
  const std::shared_ptr<Session> session = sessions.Remove(id);
  if (session) End(*session, reason);
}

Session::Remains Engine::Impl::End(Session& session, std::string_view reason) {
  const SessionId id = session.id();
  Session::Remains remains;
  const auto keep = [&remains](auto&& dropped) {
    using Dropped = std::decay_t<decltype(dropped)>;
    if (!dropped.empty()) remains.push_back(std::make_shared<Dropped>(std::move(dropped)));
  };
  const auto close_lanes = [&] {
    for (const auto& dispatcher : dispatchers) keep(dispatcher->CloseLanes(id));
  };
  std::vector<SourceTable::Entry> ended = sources.TakeAll(id);
  Detach(ended, /*last_look=*/false);
  close_lanes();
  keep(session.End());
  const std::vector<SourceTable::Entry> late = sources.TakeAll(id);
  Detach(late, /*last_look=*/false);
  close_lanes();
  ended.insert(ended.end(), late.begin(), late.end());
  for (const SourceTable::Entry& each : ended) each.source->Detached();
  streams.Close(id, clock.Now());
  keep(handovers.DropOwner(id));
  keep(offers.DropOwner(id));
  keep(grants.DropOwner(id));
  events->OnSessionEnded(id, reason);
  return remains;
}

absl::StatusOr<std::unique_ptr<Engine>> Engine::Create(EngineOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  if (absl::Status started = impl->StartDevices(); !started.ok()) return started;
  impl->StartCompiler();
  impl->ApplyLimits();
  impl->ApplyWeights(impl->options.weights);
  impl->StartSweeper();
  return std::unique_ptr<Engine>(new Engine(std::move(impl)));
}

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() = default;

absl::StatusOr<SessionGrant> Engine::Open(const Caller& caller, const OpenSpec& spec) {
  if (absl::Status role = CheckRole(caller, Role::kOwner); !role.ok()) return role;
  if (impl_->draining)
    return absl::UnavailableError("the daemon is draining; try another or later");
  absl::Status name = CheckLabel(spec.client_name, "client name");
  if (!name.ok()) return name;
  if (absl::Status features = CheckFeatures(spec.features); !features.ok()) return features;
  if (spec.weight < 1 || spec.weight > kMostWeight) {
    return absl::InvalidArgumentError(
        absl::StrCat("weight is from 1 to ", kMostWeight, ", found ", spec.weight));
  }
  const auto make = [&](SessionId id) {
    Session::Options made{.id = id,
                          .identity = caller.identity,
                          .client_name = spec.client_name,
                          .weight = spec.weight,
                          .opened_ns = impl_->clock.Now(),
                          .make_region = RegionsFor(caller.identity, impl_->options),
                          .engine_budget = impl_->surface_budget,
                          .engine_uploads = impl_->upload_budget,
                          .engine_surfaces = impl_->surface_quota,
                          .engine_kernels = impl_->kernel_quota,
                          .engine_queue = impl_->queue_quota,
                          .engine_streams = impl_->stream_quota,
                          .engine_compiles = impl_->compile_rate};
    auto session = std::make_shared<Session>(std::move(made), impl_->limits);
    session->SetWeight(impl_->WeightOf(spec.client_name, spec.weight));
    return session;
  };
  absl::StatusOr<SessionTable::Opened> opened =
      impl_->sessions.Open(caller.identity, impl_->clock.Now(), make);
  if (!opened.ok()) return opened.status();
  SessionGrant grant;
  grant.id = opened->session->id();
  grant.secret = opened->secret;
  grant.side_channel_token = opened->side_channel_token;
  if (!grant.side_channel_token.empty()) grant.side_channel = impl_->options.side_channel;
  grant.daemon = GetInfo(caller);
  impl_->events->OnSessionOpened(grant.id, caller.identity, spec.client_name);
  return grant;
}

absl::StatusOr<SessionId> Engine::Authenticate(std::string_view secret,
                                               const Identity& identity) const {
  return impl_->sessions.FindBySecret(secret, identity);
}

absl::Status Engine::Close(const Caller& caller) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  impl_->EndSession(caller.session, "closed");
  return absl::OkStatus();
}

absl::Status Engine::Evict(const Caller& caller, SessionId session) {
  if (absl::Status role = CheckRole(caller, Role::kOperator); !role.ok()) return role;
  if (!impl_->sessions.Find(session).ok()) {
    return absl::NotFoundError(absl::StrCat("no session ", absl::Hex(session.value())));
  }
  impl_->EndSession(session, "evicted");
  return absl::OkStatus();
}

absl::StatusOr<SessionId> Engine::AttachSideChannel(std::string_view token,
                                                    const Identity& identity) {
  return impl_->sessions.Attach(token, identity, impl_->clock.Now());
}

void Engine::SessionGone(SessionId session, std::string_view reason) {
  const std::shared_ptr<Session> gone = impl_->sessions.Remove(session);
  if (gone) impl_->reaper.Add(gone, reason);
}

}  // namespace anex::engine
