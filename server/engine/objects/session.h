// A connected client's lease. Everything a client makes belongs to its session and goes when it
// goes.
//
// Threads: any; each table has its own short lock and hands values out by copy. No two of the
// session's locks are ever held together. Invariants: handles resolve only in the tables of their
// own session. After End nothing can be added; what running kernels still use lives on by
// shared_ptr until they return.
#ifndef ANEX_SERVER_ENGINE_OBJECTS_SESSION_H_
#define ANEX_SERVER_ENGINE_OBJECTS_SESSION_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "proto/shm/wait_estimate.h"
#include "proto/values/status_values.h"
#include "server/engine/caller.h"
#include "server/engine/limits.h"
#include "server/engine/objects/chain.h"
#include "server/engine/objects/fence.h"
#include "server/engine/objects/handle_table.h"
#include "server/engine/objects/invocation.h"
#include "server/engine/objects/kernel.h"
#include "server/engine/objects/kernel_charges.h"
#include "server/engine/objects/parameter_set.h"
#include "server/engine/objects/quota.h"
#include "server/engine/objects/surface.h"
#include "server/engine/objects/surface_pool.h"
#include "server/engine/objects/token_bucket.h"
#include "server/engine/objects/usage.h"

namespace anex::engine {

// A lane as its session knows it. Dispatchers have their own lanes behind it: which one, and on
// which device, is settled by the first submission and stays.
struct SessionLane {
  LaneSpec spec;
  absl::Mutex mutex;
  std::string device ABSL_GUARDED_BY(mutex);  // "" until the first submission
  uint64_t device_lane ABSL_GUARDED_BY(mutex) = 0;
  bool released ABSL_GUARDED_BY(mutex) = false;
  // The device thread itself asks somebody for the lane's work (Engine::AttachSource).
  std::atomic<bool> has_source{false};
  shm::WaitEstimate waits;  // of those who wait for a single submission
};

struct ParameterSetEntry {
  std::shared_ptr<ParameterSet> set;
  ParameterSetInfo info;  // handles of the set's surfaces
};

struct LeaseEntry {
  ParameterSetId set_id;
  std::shared_ptr<ParameterSet> set;
  LeaseNumber number = 0;
};

class Session {
 public:
  struct Options {
    SessionId id;
    Identity identity;
    std::string client_name;
    uint32_t weight = 1;
    int64_t opened_ns = 0;
    RegionMaker make_region;
    // Of all sessions together; may be null.
    std::shared_ptr<ByteBudget> engine_budget;   // surface bytes
    std::shared_ptr<ByteBudget> engine_uploads;  // of programs
    std::shared_ptr<Quota> engine_surfaces, engine_kernels, engine_queue, engine_streams;
    std::shared_ptr<TokenBucket> engine_compiles;
  };
  Session(Options options, const LiveLimits& limits);
  ~Session() { End(); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  SessionId id() const { return options_.id; }
  const Identity& identity() const { return options_.identity; }
  const std::string& client_name() const { return options_.client_name; }
  // What its client asked for, and what is in force.
  uint32_t asked_weight() const { return options_.weight; }
  uint32_t weight() const { return weight_.load(std::memory_order_relaxed); }
  void SetWeight(uint32_t weight) { weight_.store(weight, std::memory_order_relaxed); }
  int64_t opened_ns() const { return options_.opened_ns; }
  SurfacePool& pool() const { return *pool_; }
  const std::shared_ptr<Usage>& usage() const { return usage_; }
  const std::shared_ptr<Quota>& queue() const { return queue_; }      // submissions in lanes
  const std::shared_ptr<Quota>& streams() const { return streams_; }  // Execute streams
  TokenBucket& compiles() const { return *compiles_; }
  KernelCharges& kernel_charges() const { return *kernel_charges_; }
  ByteBudget& uploads() const { return *uploads_; }
  bool ended() const { return ended_.load(std::memory_order_acquire); }

  HandleTable<SurfaceId, SurfaceEntry> surfaces;
  HandleTable<KernelId, std::shared_ptr<const KernelEntry>> kernels;
  HandleTable<ParameterSetId, std::shared_ptr<const ParameterSetEntry>> sets;
  HandleTable<LeaseId, LeaseEntry> leases;
  HandleTable<InvocationId, std::shared_ptr<Invocation>> invocations;
  HandleTable<ChainId, std::shared_ptr<const Chain>> chains;
  HandleTable<LaneId, std::shared_ptr<SessionLane>> lanes;
  HandleTable<FenceId, std::shared_ptr<Fence>> fences;

  // Counts and bytes of what it owns; queues and shares are the dispatchers' to fill in.
  SessionStatus Status(int64_t now_ns) const;

  // What a session held, to be let go of: who does that may be the last owner of much memory, whose
  // end takes its time.
  using Remains = std::vector<std::shared_ptr<const void>>;
  // Ends everything, in this order: lanes (the dispatchers were told before), chains, invocations,
  // leases, parameter sets, kernels, fences, surfaces, pooled memory. It is freed with what this
  // returns. Idempotent.
  Remains End();

 private:
  const Options options_;
  const std::shared_ptr<ByteBudget> budget_;
  const std::shared_ptr<SurfacePool> pool_;
  const std::shared_ptr<Usage> usage_;
  const std::shared_ptr<Quota> queue_, streams_;
  const std::unique_ptr<TokenBucket> compiles_;
  const std::unique_ptr<KernelCharges> kernel_charges_;
  const std::shared_ptr<ByteBudget> uploads_;
  std::atomic<uint32_t> weight_;
  std::atomic<bool> ended_{false};
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_OBJECTS_SESSION_H_
