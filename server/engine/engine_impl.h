// What the engine is made of, and the few helpers that its verbs share. Included by engine*.cc
// only; the verbs are split by noun: engine.cc (start, end, sessions), engine_status.cc,
// engine_limits.cc,
// engine_surfaces.cc, engine_kernels.cc, engine_parameters.cc, engine_execution.cc;
// engine_resolve.cc turns handles into objects.
//
// Threads: everything here is constant after Create, atomic, or locks for itself; the engine has no
// lock of its own but the sweeper's.
#ifndef ANEX_SERVER_ENGINE_ENGINE_IMPL_H_
#define ANEX_SERVER_ENGINE_ENGINE_IMPL_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/engine/compile/compile_service.h"
#include "server/engine/device_prober.h"
#include "server/engine/engine.h"
#include "server/engine/event_relay.h"
#include "server/engine/objects/byte_budget.h"
#include "server/engine/objects/device_slot.h"
#include "server/engine/objects/process_quotas.h"
#include "server/engine/objects/session.h"
#include "server/engine/objects/session_table.h"
#include "server/engine/objects/token_table.h"
#include "server/engine/objects/wait.h"
#include "server/engine/run/dispatcher.h"
#include "server/engine/session_reaper.h"
#include "server/engine/source_table.h"

namespace anex::engine {

// A hand-over that waits to be taken. It holds the surface, so that its memory stays charged.
struct PendingHandover {
  std::shared_ptr<Surface> surface;  // null for what a front made
  Handover handover;
  QuotaPlace place;  // among the daemon's surfaces: it keeps a descriptor
};

// A client's memory that waits to be imported: it costs what it will cost then.
struct PendingOffer {
  QuotaPlace place;
  ByteCharge charge;
  std::shared_ptr<shm::SharedRegion> region;  // goes first
};

// A grant that waits to be claimed.
struct GrantOffer {
  std::shared_ptr<Surface> surface;
  Access access = Access::kReadOnly;
};

struct Engine::Impl {
  explicit Impl(EngineOptions options);
  ~Impl();

  // Starting, in this order; Create calls them.
  absl::Status StartDevices();
  void StartCompiler();
  void StartSweeper();

  // The caller's session; UNAUTHENTICATED without one.
  absl::StatusOr<std::shared_ptr<Session>> SessionOf(const Caller& caller) const {
    return sessions.Find(caller.session);
  }
  WaitLimit LimitOf(const Caller& caller) const { return WaitLimit::Of(caller, clock); }
  // REQUIRES: `device` is the name of one of `dispatchers`, as kernels' and lanes' are.
  Dispatcher& DispatcherOf(std::string_view device) const;
  // NOT_FOUND; "" is the default device's.
  absl::StatusOr<Dispatcher*> DispatcherNamed(std::string_view device) const;
  // Ends and frees everything of a session: lanes first, then what it owns, then its tokens.
  // Idempotent.
  void EndSession(SessionId id, std::string_view reason);
  // The same for one that is in no table any more; its memory is freed with what this returns.
  Session::Remains End(Session& session, std::string_view reason);
  // A token for something of a session. UNAUTHENTICATED if that has ended: nobody would drop it.
  template <typename T>
  absl::StatusOr<std::string> AddToken(TokenTable<T>& table, const Session& session, T value,
                                       int64_t expires_ns = INT64_MAX) {
    absl::StatusOr<std::string> token = table.Add(session.id(), std::move(value), expires_ns);
    if (!session.ended()) return token;
    table.DropOwner(session.id());
    return absl::UnauthenticatedError("the session has ended; open a new one");
  }
  // Takes what a lane's source holds and nobody has seen yet. REQUIRES: the lane is not locked.
  void TakeFromSource(SessionId session, LaneId lane) const;
  // Ends what TakeAll or Take gave: nothing comes out of it any more once this returns.
  static void Detach(std::span<const SourceTable::Entry> sources, bool last_look);
  // Ends overdue leases, sessions without a side channel, tokens that nobody used.
  void Sweep(int64_t now_ns);

  // The one layout for a new tensor: see SurfaceSpec.
  absl::StatusOr<TensorLayout> LayoutFor(const Session& session, DType dtype, const Shape& shape,
                                         std::span<const PortRef> fits) const;
  absl::StatusOr<std::vector<ResolvedBinding>> Resolve(const Session& session,
                                                       std::span<const Binding> bindings) const;
  absl::StatusOr<BoundSurface> Resolve(const Session& session, SurfaceId surface) const;
  absl::StatusOr<ResolvedChain> Resolve(const Session& session, const ChainSpec& spec) const;
  absl::StatusOr<ResolvedStep> ResolveStep(const Session& session, const ChainStep& step) const;
  // What a submission asks for; `device` is where it must run, or "" if anywhere: a name that lives
  // as long as the work.
  absl::StatusOr<Work> Resolve(const Session& session, const Submission& submission,
                               std::string_view& device) const;
  // The dispatcher of a session's lane; opens the lane there with its first submission.
  absl::StatusOr<Dispatcher*> Settle(const Session& session, LaneId id, SessionLane& lane,
                                     std::string_view device) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(lane.mutex);

  // Submits a few to their lane, up to the first that is refused; how many were queued. Throws for
  // want of memory only if none was.
  size_t SubmitTo(const Session& session, SessionLane& lane,
                  std::span<const Submission> submissions,
                  const std::shared_ptr<CompletionSink>& completions, absl::Status& refused) const;

  // Lets `cancel` cancel submissions in a lane, unless none has ever been in it.
  absl::StatusOr<uint32_t> CancelOn(
      const Caller& caller, LaneId lane,
      const std::function<uint32_t(Dispatcher&, uint64_t device_lane)>& cancel) const;

  DeviceInfo InfoOf(const DeviceSlot& slot) const;

  // The configured weight of a client, or what it asked for, as far as it may.
  uint32_t WeightOf(const std::string& client_name, uint32_t asked) const;
  // Puts what has changed into force wherever it is not looked up anyway.
  void ApplyLimits();
  void ApplyWeights(const Weights& wanted);
  void ApplySessionWeights();

  const EngineOptions options;
  LiveLimits limits;
  const Clock& clock;
  const std::shared_ptr<EventRelay> events;  // outlives the engine where threads are left behind
  const uint64_t daemon_epoch;
  const int64_t started_ns;
  // Of all sessions together.
  const std::shared_ptr<ByteBudget> surface_budget, kernel_budget, upload_budget;
  const std::shared_ptr<Quota> surface_quota, kernel_quota, queue_quota, stream_quota;
  const std::shared_ptr<TokenBucket> compile_rate;
  const Bound default_deadline;
  ProcessQuotas calls;

  std::vector<std::shared_ptr<DeviceSlot>> slots;                    // constant after StartDevices
  std::vector<std::pair<std::string, absl::Status>> absent_devices;  // and why
  std::string default_device;
  std::vector<std::unique_ptr<Dispatcher>> dispatchers;  // one per slot, same order
  std::shared_ptr<ArtifactCache> cache;                  // null = none
  std::unique_ptr<CompileService> compiler;

  SessionTable sessions;
  SourceTable sources;
  StreamTable streams;
  TokenTable<PendingHandover> handovers;
  TokenTable<PendingOffer> offers;
  TokenTable<GrantOffer> grants;
  DeviceProber prober;

  absl::Mutex change_mutex;  // one change of limits or weights at a time, until it is in force
  mutable absl::Mutex weights_mutex;
  Weights weights ABSL_GUARDED_BY(weights_mutex);

  std::atomic<uint64_t> grpc_tensor_bytes{0};
  std::atomic<bool> draining{false};

  absl::Mutex sweeper_mutex;
  bool stop_sweeper ABSL_GUARDED_BY(sweeper_mutex) = false;
  std::thread sweeper;

  // Frees the sessions of clients that have gone. Unmapping what a client had may take seconds,
  // which neither the side channel's thread nor the sweeper has.
  SessionReaper reaper{
      [this](Session& session, std::string_view reason) { return End(session, reason); }};
};

// What a client of another version may ask for by name, sorted.
std::span<const std::string_view> Features();
// FAILED_PRECONDITION naming the first feature that this daemon does not have.
absl::Status CheckFeatures(std::span<const std::string> wanted_untrusted);

// INVALID_ARGUMENT for a label or name of more than 64 bytes.
absl::Status CheckLabel(std::string_view label_untrusted, std::string_view what);
// PERMISSION_DENIED below `least`.
absl::Status CheckRole(const Caller& caller, Role least);

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_ENGINE_IMPL_H_
