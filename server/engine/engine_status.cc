// The engine's verbs about itself: info, status, limits, cache, draining.
#include <unistd.h>

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/engine/engine_impl.h"
#include "server/engine/resident_memory.h"

namespace anex::engine {
namespace {

constexpr std::string_view kFeatures[] = {
    "chains",  "compile_by_digest", "fences",         "grants",
    "imports", "inline_tensors",    "parameter_sets", "rings"};
constexpr size_t kMostFeatures = 64;  // as many as a session may ask for

}  // namespace

std::span<const std::string_view> Features() { return kFeatures; }

absl::Status CheckFeatures(std::span<const std::string> wanted_untrusted) {
  if (wanted_untrusted.size() > kMostFeatures) {
    return absl::InvalidArgumentError(
        absl::StrCat(wanted_untrusted.size(), " features asked for; at most ", kMostFeatures));
  }
  for (const std::string& wanted : wanted_untrusted) {
    if (absl::Status length = CheckLabel(wanted, "feature's name"); !length.ok()) return length;
    if (std::find(std::begin(kFeatures), std::end(kFeatures), wanted) != std::end(kFeatures))
      continue;
    return absl::FailedPreconditionError(absl::StrCat(
        "this daemon does not have the feature \"", absl::CHexEscape(wanted),
        "\"; it is older than its client, or newer: do without, or change the daemon"));
  }
  return absl::OkStatus();
}

DaemonInfo Engine::GetInfo(const Caller& caller) const {
  DaemonInfo info;
  info.version = impl_->options.version;
  info.build = impl_->options.build;
  info.daemon_epoch = impl_->daemon_epoch;
  info.pid = getpid();
  info.uptime_ns = impl_->clock.Now() - impl_->started_ns;
  info.features.assign(Features().begin(), Features().end());
  info.default_device = impl_->default_device;
  if (caller.role >= Role::kOperator) info.runtime_dir = impl_->options.runtime_dir;
  return info;
}

DeviceInfo Engine::Impl::InfoOf(const DeviceSlot& slot) const {
  DeviceInfo info;
  info.name = slot.name();
  info.description = slot.capabilities().description;
  info.is_default = slot.name() == default_device;
  info.health = slot.health(&info.health_reason);
  info.capabilities = slot.capabilities().claims;
  info.capabilities["compiler_version"] = slot.capabilities().compiler_version;
  info.capabilities["max_rank"] = absl::StrCat(slot.capabilities().max_rank);
  return info;
}

std::vector<DeviceInfo> Engine::ListDevices(const Caller&) const {
  std::vector<DeviceInfo> devices;
  for (const auto& slot : impl_->slots) devices.push_back(impl_->InfoOf(*slot));
  for (const auto& [name, why] : impl_->absent_devices) {
    DeviceInfo absent;
    absent.name = name;
    absent.health = Health::kUnavailable;
    absent.health_reason = std::string(why.message());
    devices.push_back(std::move(absent));
  }
  return devices;
}

namespace {

// Queues and turns by session, over all devices.
using Queues = std::map<SessionId, SessionStatus>;

Queues QueuesOf(const std::vector<std::unique_ptr<Dispatcher>>& dispatchers) {
  Queues queues;
  for (const auto& dispatcher : dispatchers) {
    for (const Dispatcher::LaneView& lane : dispatcher->Lanes()) {
      SessionStatus& queue = queues[lane.session];
      queue.queued += lane.queued;
      queue.running += lane.running ? 1 : 0;
      const bool sooner =
          lane.prospect.has_value() &&
          (!queue.next.has_value() || lane.prospect->starts_in_ns < queue.next->starts_in_ns);
      if (sooner) queue.next = lane.prospect;
    }
  }
  return queues;
}

SessionStatus StatusOf(const Session& session, const Queues& queues, int64_t now) {
  SessionStatus status = session.Status(now);
  const auto queue = queues.find(session.id());
  if (queue == queues.end()) return status;
  status.queued = queue->second.queued;
  status.running = queue->second.running;
  status.next = queue->second.next;
  return status;
}

// One line per kernel that a session holds, in the order of their digests.
void AddKernels(const Session& session, std::map<std::string, KernelStatus>& by_digest) {
  for (const auto& [id, entry] : session.kernels.List()) {
    const Kernel& kernel = *entry->kernel;
    KernelStatus& status = by_digest[kernel.digest()];
    if (status.sessions.empty()) {
      status.id = id;
      status.digest = kernel.digest();
      status.name = entry->info.name;
      status.device = kernel.device_name();
      status.usage = kernel.usage().Snapshot();
      status.run_p50_ns = kernel.usage().RunPercentile(0.5);
      status.run_p99_ns = kernel.usage().RunPercentile(0.99);
    }
    if (status.sessions.empty() || status.sessions.back() != session.id()) {
      status.sessions.push_back(session.id());
    }
  }
}

std::vector<std::shared_ptr<Session>> ByAge(std::vector<std::shared_ptr<Session>> sessions) {
  std::sort(sessions.begin(), sessions.end(),
            [](const auto& a, const auto& b) { return a->id().slot() < b->id().slot(); });
  return sessions;
}

}  // namespace

DaemonStatus Engine::GetStatus(const Caller& caller) const {
  for (const auto& dispatcher : impl_->dispatchers) dispatcher->SettleAccounts();
  DaemonStatus status;
  const int64_t now = impl_->clock.Now();
  status.info = GetInfo(caller);
  status.health = health(&status.health_reason);
  for (const auto& dispatcher : impl_->dispatchers) {
    DeviceStatus device = dispatcher->Status();
    device.info = impl_->InfoOf(dispatcher->slot());
    status.devices.push_back(std::move(device));
  }
  std::map<std::string, KernelStatus> kernels;
  const Queues queues = QueuesOf(impl_->dispatchers);
  for (const auto& session : ByAge(impl_->sessions.List())) {
    status.sessions.push_back(StatusOf(*session, queues, now));
    AddKernels(*session, kernels);
  }
  for (auto& [digest, kernel] : kernels) status.kernels.push_back(std::move(kernel));
  status.grpc_tensor_bytes = impl_->grpc_tensor_bytes.load(std::memory_order_relaxed);
  status.surface_bytes = impl_->surface_budget->used();
  status.kernel_bytes = impl_->kernel_budget->used();
  status.upload_bytes = impl_->upload_budget->used();
  status.resident_bytes = ResidentBytes();
  return status;
}

std::vector<SurfaceStatus> Engine::ListSurfaces(const Caller&) const {
  std::vector<SurfaceStatus> all;
  for (const auto& session : ByAge(impl_->sessions.List())) {
    for (const auto& [id, entry] : session->surfaces.List()) {
      all.push_back({entry.Info(id), session->id()});
    }
  }
  return all;
}

void Engine::CountTensorBytes(uint64_t bytes) {
  impl_->grpc_tensor_bytes.fetch_add(bytes, std::memory_order_relaxed);
}

absl::StatusOr<uint32_t> Engine::Drain(const Caller& caller, int64_t deadline_ns) {
  if (absl::Status role = CheckRole(caller, Role::kOperator); !role.ok()) return role;
  if (deadline_ns < 0) return absl::InvalidArgumentError("the deadline is from now, not negative");
  impl_->draining = true;
  for (const auto& dispatcher : impl_->dispatchers) dispatcher->StopIntake();
  const int64_t now = impl_->clock.Now();
  WaitLimit limit = impl_->LimitOf(caller);
  limit.deadline_ns =
      std::min(limit.deadline_ns, deadline_ns > INT64_MAX - now ? INT64_MAX : now + deadline_ns);
  uint32_t cancelled = 0;
  for (const auto& dispatcher : impl_->dispatchers) cancelled += dispatcher->Drain(limit);
  return cancelled;
}

uint32_t Engine::running() const {
  uint32_t running = 0;
  for (const auto& dispatcher : impl_->dispatchers) running += dispatcher->load().running;
  return running;
}

bool Engine::has_cache() const { return impl_->cache && impl_->cache->usable(); }

absl::StatusOr<std::vector<CacheEntryInfo>> Engine::CacheList(const Caller&, bool verify) {
  if (!impl_->cache) return absl::FailedPreconditionError("the daemon runs without a disk cache");
  return impl_->cache->List(verify);
}

absl::StatusOr<uint64_t> Engine::CachePurge(const Caller& caller,
                                            std::span<const std::string> digests) {
  if (absl::Status role = CheckRole(caller, Role::kOperator); !role.ok()) return role;
  if (!impl_->cache) return absl::FailedPreconditionError("the daemon runs without a disk cache");
  return impl_->cache->Purge(digests);
}

absl::StatusOr<ProbeReport> Engine::Probe(const Caller& caller, std::string_view device,
                                          bool thorough) {
  if (absl::Status role = CheckRole(caller, Role::kOperator); !role.ok()) return role;
  if (absl::Status label = CheckLabel(device, "device's name"); !label.ok()) return label;
  if (impl_->draining) return absl::UnavailableError("the daemon is draining; probe another time");
  const device::DeviceList& devices = impl_->options.devices;
  const device::DeviceFactory* factory =
      devices.Find(device.empty() ? std::string_view(impl_->default_device) : device);
  if (factory != nullptr) return impl_->prober.Probe(*factory, thorough, impl_->LimitOf(caller));
  std::string known;
  for (const device::DeviceFactory& each : devices.factories()) {
    absl::StrAppend(&known, known.empty() ? "" : ", ", each.name);
  }
  return absl::NotFoundError(
      absl::StrCat("no device \"", absl::CHexEscape(std::string(device)), "\"; there is: ", known));
}

Health Engine::health(std::string* reason) const {
  std::string why;
  Health worst = Health::kServing;
  for (const auto& slot : impl_->slots) {
    std::string problem;
    Health health = slot->health(&problem);
    // Without another device the daemon still serves, less well.
    if (health == Health::kUnavailable && slot->name() != impl_->default_device) {
      health = Health::kDegraded;
    }
    if (health <= worst) continue;
    worst = health;
    // Some reasons name the device themselves.
    const std::string name = absl::StrCat("device ", slot->name());
    why = problem.starts_with(name) ? problem : absl::StrCat(name, ": ", problem);
  }
  if (impl_->draining && worst != Health::kUnavailable) {
    worst = Health::kDraining;
    why = "no new sessions or submissions";
  }
  if (reason != nullptr) *reason = why;
  return worst;
}

}  // namespace anex::engine
