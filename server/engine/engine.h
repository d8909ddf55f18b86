// The engine: everything that anexd does, without gRPC. The daemon wraps it, the in-process mode
// links it. This is its face: one short method per verb, each of which checks the caller, resolves
// handles in the caller's session and delegates to one noun in objects/, compile/ or run/.
//
// Threads: every method from any thread. Methods that wait say so; they end at the caller's
// deadline with DEADLINE_EXCEEDED, or CANCELLED. No lock is held across device work.
//
// Errors common to all verbs of a session: UNAUTHENTICATED without a session; NOT_FOUND for a
// handle that is not of this session (foreign, stale and guessed ones look alike);
// RESOURCE_EXHAUSTED with the bound's name and value; UNAVAILABLE while draining or after a device
// hang that was not mended.
#ifndef ANEX_SERVER_ENGINE_ENGINE_H_
#define ANEX_SERVER_ENGINE_ENGINE_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/shm/doorbell.h"
#include "proto/shm/shared_region.h"
#include "proto/values/execution_values.h"
#include "proto/values/kernel_values.h"
#include "proto/values/parameter_values.h"
#include "proto/values/probe_values.h"
#include "proto/values/status_values.h"
#include "proto/values/surface_values.h"
#include "server/device/device_list.h"
#include "server/engine/caller.h"
#include "server/engine/clock.h"
#include "server/engine/events.h"
#include "server/engine/limits.h"
#include "server/engine/objects/byte_budget.h"
#include "server/engine/objects/quota.h"
#include "server/engine/run/completion_queue.h"
#include "server/engine/run/work_source.h"
#include "server/engine/stream_table.h"
#include "server/engine/weights.h"

namespace anex::engine {

// The memory of a surface that its maker made global, by the system's number of it.
using GlobalIosurfaceFinder =
    absl::StatusOr<std::shared_ptr<shm::SharedRegion>> (*)(uint32_t number, uint64_t minimum_bytes);

struct EngineOptions {
  device::DeviceList devices;  // at least one; the first available one is the default unless named
  std::string default_device;
  std::string cache_dir;       // "" = no disk cache
  std::string version, build;  // shown, and part of the cache key
  std::string runtime_dir;     // shown to owners only
  std::string side_channel;    // path or "xpc:NAME", given to clients; "" in process
  Limits limits;               // at first
  Weights weights;             // at first
  // Memory of surfaces of other processes; null = shm::CreateRegion.
  std::function<absl::StatusOr<std::shared_ptr<shm::SharedRegion>>(uint64_t, std::string_view)>
      make_region;
  // What it makes can be handed over for reading only. An IOSurface cannot: who has its port may
  // write; it is handed only to those who may write anyway, others read it through messages.
  bool regions_share_read_only = true;
  const Clock* clock = nullptr;  // null = SystemClock; must outlive the engine
  Events* events = nullptr;      // null = nobody listens; must outlive the engine
  // Null, which is the rule: nothing is looked up by a number that a stranger could guess.
  GlobalIosurfaceFinder find_global_iosurface = nullptr;
};

// What a lasting way into a session takes of it, held as long as it is open.
struct Admission {
  QuotaPlace place;   // among its streams
  ByteCharge memory;  // of its surfaces' bytes
};

// What the side channel delivers for a token.
struct Handover {
  std::shared_ptr<shm::SharedRegion> region;  // null for a doorbell
  shm::RegionAccess access = shm::RegionAccess::kReadOnly;
  std::shared_ptr<const shm::Doorbell> bell;             // to be rung by the client
  std::shared_ptr<const Admission> admission = nullptr;  // what pays until it is taken
};

// A stream of a session: its place among them, held as long as it is open, and where its
// completions come out. Once the session has ended and all of them are out, the queue has ended.
struct OpenedStream {
  QuotaPlace place;
  std::shared_ptr<CompletionQueue> completions;
};

// A grant ticket made by one session for another: one use, 32 random bytes as hex.
struct GrantTicket {
  std::string ticket;
};

class Engine {
 public:
  // Starts the devices and their threads. UNAVAILABLE with each device's reason if none can start.
  static absl::StatusOr<std::unique_ptr<Engine>> Create(EngineOptions options);
  ~Engine();  // drains without waiting: cancels what is queued, waits for what runs

  // --- Daemon -------------------------------------------------------------------------------
  DaemonInfo GetInfo(const Caller& caller) const;
  DaemonStatus GetStatus(const Caller& caller) const;
  std::vector<DeviceInfo> ListDevices(const Caller& caller) const;
  std::vector<SurfaceStatus> ListSurfaces(const Caller& caller) const;  // observer: all sessions
  // Adds tensor bytes that a front moved inside messages; shown as grpc_tensor_bytes.
  void CountTensorBytes(uint64_t bytes);

  // --- Sessions -----------------------------------------------------------------------------
  // A local session lives until Close, eviction or SessionGone; until its side channel has attached
  // it lives at most Limits::attach_deadline_ns (in-process callers need no side channel).
  absl::StatusOr<SessionGrant> Open(const Caller& caller, const OpenSpec& spec);
  // Secret -> session, if `identity` is the one that opened it. UNAUTHENTICATED otherwise.
  absl::StatusOr<SessionId> Authenticate(std::string_view secret, const Identity& identity) const;
  absl::Status Close(const Caller& caller);
  absl::Status Evict(const Caller& caller, SessionId session);  // operator
  // From the side-channel door: token of SessionGrant, one use, same uid.
  absl::StatusOr<SessionId> AttachSideChannel(std::string_view token, const Identity& identity);
  // End of file, process exit, protocol error. Frees everything; idempotent.
  void SessionGone(SessionId session, std::string_view reason);

  // --- Surfaces -----------------------------------------------------------------------------
  absl::StatusOr<SurfaceInfo> CreateSurface(const Caller& caller, const SurfaceSpec& spec);
  // A one-use token that the side channel exchanges for a descriptor (TakeHandover).
  absl::StatusOr<std::string> PrepareHandover(const Caller& caller, SurfaceId surface,
                                              Access access);
  // The same for what a front has made for the caller's session.
  absl::StatusOr<std::string> PrepareHandover(const Caller& caller, Handover handover);
  absl::StatusOr<Handover> TakeHandover(SessionId session, std::string_view token);
  // In-process: the region itself, without a descriptor.
  absl::StatusOr<std::shared_ptr<shm::SharedRegion>> MapSurface(const Caller& caller,
                                                                SurfaceId surface);
  // A client-made region that came over the side channel -> one-use import token.
  absl::StatusOr<std::string> OfferRegion(SessionId session,
                                          std::shared_ptr<shm::SharedRegion> region);
  absl::StatusOr<SurfaceInfo> ImportSurface(const Caller& caller, std::string_view token,
                                            const TensorLayout& layout_untrusted,
                                            std::string_view label);
  // PERMISSION_DENIED without a finder.
  absl::StatusOr<SurfaceInfo> ImportGlobalIosurface(const Caller& caller, uint32_t number,
                                                    const TensorLayout& layout_untrusted,
                                                    std::string_view label);
  absl::StatusOr<GrantTicket> GrantSurface(const Caller& caller, SurfaceId surface, Access access);
  absl::StatusOr<SurfaceInfo> ClaimGrant(const Caller& caller, std::string_view ticket);
  absl::StatusOr<SurfaceInfo> DescribeSurface(const Caller& caller, SurfaceId surface) const;
  // Packed row-major bytes of a region (empty = all), for remote and simple clients.
  absl::StatusOr<std::string> ReadSurface(const Caller& caller, SurfaceId surface,
                                          const Region& region);
  absl::Status WriteSurface(const Caller& caller, SurfaceId surface, const Region& region,
                            std::string_view packed);
  absl::Status ReleaseSurface(const Caller& caller, SurfaceId surface);

  // --- Kernels ------------------------------------------------------------------------------
  // Waits for the compile. INVALID_ARGUMENT carries the rendered diagnostics. A caller who leaves,
  // or whose session ends, stops it, unless another one waits for the same program.
  // `upload` is what AdmitUpload gave for this program; null: the engine takes it itself.
  absl::StatusOr<KernelInfo> Compile(const Caller& caller, ProgramSource source,
                                     const CompileOptions& options,
                                     std::shared_ptr<const ByteCharge> upload = nullptr);
  // Room for a program of `bytes` of text and weights that is about to be sent; to be held as long
  // as it is kept. RESOURCE_EXHAUSTED "upload_bytes" or "upload_bytes_per_session"; a caller
  // without a session is bound by the first only.
  absl::StatusOr<std::shared_ptr<const ByteCharge>> AdmitUpload(const Caller& caller,
                                                                uint64_t bytes);
  // FAILED_PRECONDITION "not cached" if neither loaded nor in the cache: send the program then.
  absl::StatusOr<KernelInfo> CompileByDigest(const Caller& caller, std::string_view digest,
                                             const CompileOptions& options, std::string_view name);
  // What Compile would key on; lets a client try CompileByDigest before shipping weights.
  absl::StatusOr<std::string> Digest(const ProgramSource& source,
                                     const CompileOptions& options) const;
  // Findings only: those of the front end and what the device lacks, without compiling; for the
  // device "ane", "ane:CHIP", "ane:CHIP@MACOS" also what is known of that engine, whether or not
  // this daemon has one. For kCompile exactly what Compile would refuse; for kCheck a missing
  // weight file is a note. NOT_FOUND for an unknown device, INVALID_ARGUMENT for an unknown chip.
  absl::StatusOr<CheckResult> Check(const Caller& caller, const ProgramSource& source,
                                    const CompileOptions& options,
                                    CheckPurpose purpose = CheckPurpose::kCheck);
  absl::StatusOr<KernelInfo> DescribeKernel(const Caller& caller, KernelId kernel) const;
  absl::Status ReleaseKernel(const Caller& caller, KernelId kernel);

  // --- Parameter sets -----------------------------------------------------------------------
  absl::StatusOr<ParameterSetInfo> CreateParameterSet(const Caller& caller,
                                                      const ParameterSetSpec& spec);
  // Waits until the back buffer (double) or the set (fenced) has no running reader.
  // FAILED_PRECONDITION if the set is leased already.
  absl::StatusOr<WriteLease> BeginWrite(const Caller& caller, ParameterSetId set,
                                        int64_t duration_ns);
  // One piece of a streamed update into the leased buffer. DATA_LOSS on a wrong checksum,
  // OUT_OF_RANGE on a gap, overlap or overrun; the lease then stays open but Publish is refused
  // until Abort.
  absl::Status Update(const Caller& caller, LeaseId lease, const WeightChunk& chunk);
  // Flips the set between submissions. `expected_generation` 0 = any, else ABORTED if the set is
  // not at expected_generation - 1. FAILED_PRECONDITION without a lease, or if a streamed parameter
  // was left unfinished. Returns the new generation.
  absl::StatusOr<uint64_t> Publish(const Caller& caller, LeaseId lease,
                                   uint64_t expected_generation);
  absl::Status Abort(const Caller& caller, LeaseId lease);
  absl::StatusOr<ParameterSetInfo> DescribeParameterSet(const Caller& caller,
                                                        ParameterSetId set) const;
  absl::Status ReleaseParameterSet(const Caller& caller, ParameterSetId set);

  // --- Invocations and chains ---------------------------------------------------------------
  absl::StatusOr<InvocationId> Prepare(const Caller& caller, const InvocationSpec& spec);
  // Replaces the named bindings for submissions made from now on.
  absl::Status Rebind(const Caller& caller, InvocationId invocation,
                      std::span<const Binding> bindings);
  absl::Status ReleaseInvocation(const Caller& caller, InvocationId invocation);
  absl::StatusOr<ChainId> DefineChain(const Caller& caller, const ChainSpec& spec);
  absl::Status ReleaseChain(const Caller& caller, ChainId chain);

  // --- Execution ----------------------------------------------------------------------------
  absl::StatusOr<LaneId> CreateLane(const Caller& caller, const LaneSpec& spec);
  absl::Status ReleaseLane(const Caller& caller, LaneId lane);  // cancels what is queued in it
  // When its next turn comes may be some milliseconds old, the rest is not.
  absl::StatusOr<LaneStatus> DescribeLane(const Caller& caller, LaneId lane) const;
  absl::StatusOr<FenceId> CreateFence(const Caller& caller, uint64_t initial_value);
  absl::Status SignalFence(const Caller& caller, FenceId fence, uint64_t value);
  absl::StatusOr<uint64_t> WaitFence(const Caller& caller, FenceId fence, uint64_t value);  // waits
  absl::Status ReleaseFence(const Caller& caller, FenceId fence);
  // A stream with `credits`, or as many as completions_per_queue allows. It ends with its session;
  // `cut` is how, if a client does not read what it is still told.
  absl::StatusOr<OpenedStream> OpenStream(const Caller& caller, size_t credits,
                                          std::shared_ptr<StreamCut> cut = nullptr);
  // A place among the session's streams and memory for a way in that may have `entries` submissions
  // in a lane.
  absl::StatusOr<Admission> AdmitRing(const Caller& caller, uint64_t entries, uint64_t bytes);
  // From now on the device thread that serves `lane` asks `source` for its work, which submits to
  // that lane only. A lane that has no device yet is settled on `device`; for "" the source itself
  // settles it with the first kernel that it brings, and the default device's thread asks it till
  // then. Ends with DetachSource, the lane or the session. ALREADY_EXISTS if the lane has one,
  // FAILED_PRECONDITION if it is on another device. Not to be called from inside of a source, and
  // neither are the verbs that end it. What it holds is taken between the device's steps, or when
  // somebody asks after the lane (Cancel, WaitLaneIdle, DescribeLane), or 100 ms into a long step.
  absl::Status AttachSource(const Caller& caller, LaneId lane, std::string_view device,
                            std::shared_ptr<WorkSource> source);
  // The lane's source took its device's thread for `ns` for what was refused: the session has had
  // that much of the device, and at least some. Does not throw.
  void ChargeLane(const Caller& caller, LaneId lane, int64_t ns);
  // Takes what is in it, then ends it; the lane stays. NOT_FOUND without one.
  absl::Status DetachSource(const Caller& caller, LaneId lane);
  // A place among the calls of the caller's process; to be held while the call is handled. Fronts
  // whose calls take threads ask first, so that one process can't have them all.
  absl::StatusOr<QuotaPlace> AdmitCall(const Caller& caller);
  std::shared_ptr<CompletionQueue> CreateCompletionQueue(size_t bound);
  // Queues `submission`; its one completion goes to `completions`. An error means that nothing was
  // queued and no completion will come.
  absl::Status Submit(const Caller& caller, const Submission& submission,
                      std::shared_ptr<CompletionSink> completions);
  // The same for several in one lane, in order, up to the first that is refused: returns how many
  // were queued, and `refused` says why not the next one.
  // Does not throw. What the lane's source holds is taken before, so that the lane's order is that
  // of its client; `from_source`: it is the source that submits, which is at it already.
  size_t SubmitSome(const Caller& caller, std::span<const Submission> submissions,
                    const std::shared_ptr<CompletionSink>& completions, absl::Status& refused,
                    bool from_source = false);
  // Submit and wait. A failed run is a Completion with a bad status; an error means not accepted,
  // or that the caller left: then it is cancelled.
  absl::StatusOr<Completion> Evaluate(const Caller& caller, const Submission& submission);
  // Cancels queued submissions of the lane with this user_data and stops what runs: within its step
  // if the device can, else a chain between two steps. Returns how many were told to stop and will
  // say CANCELLED.
  absl::StatusOr<uint32_t> Cancel(const Caller& caller, LaneId lane, uint64_t user_data);
  absl::Status WaitLaneIdle(const Caller& caller, LaneId lane);  // waits

  // --- Admin --------------------------------------------------------------------------------
  std::vector<LimitInfo> GetLimits(const Caller& caller) const;
  // From now on; all or nothing, by an operator; what they all are now. NOT_FOUND, OUT_OF_RANGE, or
  // FAILED_PRECONDITION for a limit that is taken at start only.
  absl::StatusOr<std::vector<LimitInfo>> SetLimits(const Caller& caller,
                                                   const std::map<std::string, uint64_t>& values);
  // For whoever runs the engine: a configuration that was read again. Returns the names of limits
  // that have changed in it but are taken at start only.
  std::vector<std::string> Reconfigure(const Limits& limits, const Weights& weights);
  // Refuses new sessions and submissions, waits for what is queued until `deadline_ns` from now,
  // then cancels the rest. Returns how many were cancelled.
  absl::StatusOr<uint32_t> Drain(const Caller& caller, int64_t deadline_ns);
  // How often the device threads have slept; what is idle does not.
  uint64_t device_sleeps() const;
  uint32_t running() const;  // steps on devices now, which the destructor would wait for
  bool has_cache() const;    // a disk cache, and its folder can be used
  absl::StatusOr<std::vector<CacheEntryInfo>> CacheList(const Caller& caller, bool verify);
  // By digest; an empty list prunes by the quota's policy; {"*"} removes all. Returns bytes freed.
  absl::StatusOr<uint64_t> CachePurge(const Caller& caller, std::span<const std::string> digests);

  // Tries what a device ("" = the default one) can do, on an instance of its own that is made for
  // it and goes afterwards: what clients run goes on meanwhile. A device that cannot be made, or
  // hangs, has a report that says so. One at a time: others are RESOURCE_EXHAUSTED. NOT_FOUND for
  // an unknown device, UNIMPLEMENTED for one that has nothing to tell, UNAVAILABLE while draining;
  // ends with the caller.
  absl::StatusOr<ProbeReport> Probe(const Caller& caller, std::string_view device, bool thorough);

  Health health(std::string* reason = nullptr) const;

 private:
  struct Impl;
  explicit Engine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_ENGINE_H_
