// One device and its queue: lanes in, completions out. The device thread picks a lane, checks the
// deadline, pins generations, runs one step, records what it used, and hands the completion back or
// puts the job back for its next step.
//
//   Submit -> lane -> scheduler -> [device thread: step_runner -> Request::Run] -> CompletionSink
//     ^                             |   ^ watched: no progress for device_hang_ns = hung
//     `--- work sources asked by ---'
//
// Between its steps the device thread asks the attached sources (rings) for work; when there is
// none it looks and yields for a moment if it has just worked, then sleeps (work_sources.h).
//
// Threads: every method from any thread; one device thread and one watchdog thread inside. The lock
// guards lanes and scheduler; it is never held while the device works, bytes are copied, a
// generation is pinned or an object is destroyed. The policy is asked anew after every step, so a
// chain gives way between any two of its steps and goes on later, with the generations that it has
// pinned.
//
// What costs is done once for many: the lock is taken once per turn (the job that is done leaves as
// the next one is picked), the clock is read once, as a step ends, accounts are settled many notes
// at a time.
//
// Invariants: every accepted submission gives exactly one completion. Order within a lane is that
// of Submit. A job that waits (fence, fenced set) holds up its own lane only, and is looked at
// again when what it waits for has changed (objects/waiter.h): such a look is charged as the
// shortest step. Between any two steps of a chain other sessions get their turn.
//
// A hung device (a step that makes no progress; one that is merely long goes on): its thread and
// what it uses are left behind, to be freed if it ever returns; the running submission fails
// DEADLINE_EXCEEDED, those that wait fail UNAVAILABLE, the invocation is quarantined, a fresh
// device instance goes into the slot and a new device thread takes over. If there is no fresh
// instance, Submit says UNAVAILABLE with the reason from then on, also to what sources bring.
#ifndef ANEX_SERVER_ENGINE_RUN_DISPATCHER_H_
#define ANEX_SERVER_ENGINE_RUN_DISPATCHER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "proto/values/hash_map.h"
#include "proto/values/status_values.h"
#include "server/engine/clock.h"
#include "server/engine/limits.h"
#include "server/engine/objects/device_slot.h"
#include "server/engine/objects/sleeper.h"
#include "server/engine/objects/usage.h"
#include "server/engine/objects/wait.h"
#include "server/engine/objects/waiter.h"
#include "server/engine/run/forecast.h"
#include "server/engine/run/job.h"
#include "server/engine/run/lane.h"
#include "server/engine/run/run_watch.h"
#include "server/engine/run/scheduler.h"
#include "server/engine/run/step_runner.h"
#include "server/engine/run/undertaker.h"
#include "server/engine/run/usage_log.h"
#include "server/engine/run/work_sources.h"

namespace anex::engine {

struct DispatcherOptions {
  std::shared_ptr<DeviceSlot> slot;
  std::unique_ptr<Sleeper> sleeper;      // the device thread's
  std::unique_ptr<Scheduler> scheduler;  // null = a FairScheduler
  const Clock* clock = nullptr;          // outlives the dispatcher and any step that hangs
  Bound lane_depth{"lane_depth", 256};
  Bound device_hang_ns{"device_hang_ns", 10'000'000'000};
  // A step was given up, or its device could not be replaced; from the watchdog's thread. May be
  // empty.
  std::function<void(std::string_view sentence)> on_hang;
};

// A new lane of a session on this device.
struct LaneRequest {
  uint64_t user = 0;  // the session's account: the uid of a local user
  SessionId session;
  LaneId name;  // the session's handle of it, for completions
  QosClass qos = QosClass::kDefault;
  uint32_t weight = 1;           // the session's
  std::shared_ptr<Usage> usage;  // the session's; may be null
  std::shared_ptr<Quota> queue;  // the session's; may be null
};

class Dispatcher {
 public:
  // Starts the threads.
  explicit Dispatcher(DispatcherOptions options);
  // Cancels what is queued and waits for what runs (at most until the watchdog calls it hung).
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  const DeviceSlot& slot() const { return *slot_; }

  // Returns the dispatcher's number of the lane; never 0, never used twice. FAILED_PRECONDITION for
  // a real-time lane without a reservation.
  absl::StatusOr<uint64_t> OpenLane(LaneRequest request);
  // What is queued completes CANCELLED; a chain that runs stops after its step. Idempotent.
  void CloseLane(uint64_t lane);
  // The same for all lanes of a session that ended. What the jobs referred to goes with what this
  // returns, but for a running step's: they may be the last owners of much memory, whose end takes
  // its time.
  std::vector<std::shared_ptr<Job>> CloseLanes(SessionId session);

  // Reserves a place in item.completions and queues. NOT_FOUND for a closed lane,
  // RESOURCE_EXHAUSTED naming the bound (of the lane, the session, the daemon, or
  // completions_per_queue), UNAVAILABLE while draining or
  // without a device.
  absl::Status Submit(uint64_t lane, WorkItem item);
  // The same for several of one sink, in order, up to the first that is refused: returns how many
  // were queued, and `refused` says why not the next one. One lock and one look at the clock.
  size_t SubmitSome(uint64_t lane, std::span<WorkItem> items, absl::Status& refused);
  // Queued jobs with this user_data complete CANCELLED; so does a running one, which stops within
  // its step if the device can (Capabilities::stops_runs). If it can't, a chain stops after its
  // step, and a single run ends as it ends and is not counted.
  uint32_t Cancel(uint64_t lane, uint64_t user_data);
  // The same for jobs whose completion goes to `completions`: nobody is there to have it.
  uint32_t CancelFor(uint64_t lane, const CompletionSink& completions);
  // Until nothing is queued or running in the lane. OK at once for a closed one.
  absl::Status WaitIdle(uint64_t lane, const WaitLimit& limit);

  // From now on the device thread asks `source` for work. See WorkSources; neither may be called
  // from inside of a source.
  void Attach(std::shared_ptr<WorkSource> source) { sources_.Attach(std::move(source)); }
  void Detach(const std::shared_ptr<WorkSource>& source, bool last_look) {
    sources_.Detach(source, last_look);
  }
  // The lane's source took the device's thread for `ns`, or some if that is 0, for what was
  // refused: its session has had that much.
  void Charge(uint64_t lane, int64_t ns);
  // Takes what waits in a source, as the device thread does between its steps: it may be long
  // inside one. Not from inside of a source.
  void TakeFrom(const std::shared_ptr<WorkSource>& source) { sources_.TakeFrom(source); }
  // The same of all sources, if the device thread is inside a step.
  void TakeFromSources();

  // Refuses new work from now on; returns without waiting.
  void StopIntake();
  // Completes what is queued and late DEADLINE_EXCEEDED, and stops what runs and is late. The
  // device thread sees to that between its steps; somebody else must call this now and then for the
  // time in which it is inside one.
  void ExpireLate();

  // Waits until nothing is queued or running, or until `limit`; then cancels the rest and returns
  // how many.
  uint32_t Drain(const WaitLimit& limit);

  // From now on; see Scheduler.
  void SetUserWeight(uint64_t user, uint32_t weight);
  void SetSessionWeight(SessionId session, uint32_t weight);
  void SetShares(const ClassShares& shares);

  struct Load {
    uint32_t queued = 0, running = 0;
  };
  Load load() const;  // of the device
  // A lane as it stands. When its next turn comes is told if it waits for one and that can be
  // foreseen; a blocked one's can't. The prospect may be some milliseconds old, the rest is not.
  struct LaneView {
    SessionId session;
    LaneId name;
    uint32_t queued = 0;
    bool running = false, blocked = false;
    std::optional<Prospect> prospect;
  };
  std::vector<LaneView> Lanes() const;
  // One of them; nullopt for a closed one.
  std::optional<LaneView> LaneOf(uint64_t lane) const;
  // Busy shares, usage and load; info.is_default is the caller's to fill in.
  DeviceStatus Status() const;
  // All that has completed is in the accounts of sessions and kernels once this returns.
  void SettleAccounts() const { log_.Settle(); }
  // How often the device thread has slept.
  uint64_t sleeps() const { return sources_.sleeps(); }
  // Steps that have not returned yet since the watchdog gave them up, each with its thread.
  uint32_t abandoned() const { return abandoned_->load(std::memory_order_relaxed); }

 private:
  using JobList = Lane::JobList;
  // What a device thread may touch after it was abandoned: this, its job, and nothing else.
  struct Worker {
    RunWatch watch;
    std::shared_ptr<std::atomic<uint32_t>> abandoned;
    bool exited = false;  // guarded by the dispatcher's lock
    std::thread thread;

    // The job of a step that was given up, with all that the step may still use: kept from the time
    // that the watchdog lets go of it until the step returns, if it ever does.
    void Bury(std::shared_ptr<Job> hung) ABSL_LOCKS_EXCLUDED(mutex);
    void Return() ABSL_LOCKS_EXCLUDED(mutex);
    absl::Mutex mutex;
    bool returned ABSL_GUARDED_BY(mutex) = false;
    std::shared_ptr<Job> buried ABSL_GUARDED_BY(mutex);
  };

  // The device thread.
  void StartWorkerLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WorkerLoop(std::shared_ptr<Worker> worker);
  // A turn whose job has been completed and is still in front of its lane: it leaves with the lock
  // that is taken for the next pick.
  using Leaving = std::optional<StepResult>;
  bool RunPicked(Worker& worker, Job& job, int64_t& now_ns, Leaving& leaving);  // false: abandoned
  // Its lane keeps the job; null if there is none.
  Job* Pick(Leaving& leaving, int64_t& now_ns, bool& stopping);
  Job* PickLocked(int64_t now_ns) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  StepResult TryStep(Worker& worker, Job& job, int64_t now_ns);
  // True: the job is in its lane again. False: it is done, with result.status.
  bool PutBack(Job& job, StepResult& result);
  bool Stops(const Job& job) const;
  // At most `most`; true: there may be more.
  bool ExpireSome(size_t most);
  // What it gives dies without the lock.
  std::shared_ptr<CompletionSink> LeaveLocked(const StepResult& result)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EndTurn(Lane& lane, const StepResult& result) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The turn of a job that is not done with it; and its end, with `turn`, what its last one used.
  void NoteTurn(const Job& job, const StepResult& result);
  void Finish(Job& job, absl::Status status, int64_t now_ns, UsageNote turn = {});
  void Rest(uint32_t news, bool worked);

  std::map<uint64_t, Prospect> Prospects() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(prospects_mutex_);
  LaneView ViewLocked(const Lane& lane) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(prospects_mutex_, mutex_);

  // The watchdog.
  int64_t DeviceHangNs() const { return static_cast<int64_t>(device_hang_ns_.value()); }
  void WatchLoop();
  void Abandon(const std::shared_ptr<Worker>& worker, uint64_t progress);
  void Recover(const std::string& reason);

  void Refresh(Lane& lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void UnblockLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  template <typename Test>
  uint32_t TakeLocked(Lane& lane, JobList& out, Test test) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  uint32_t StopRunning(Lane& lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  uint32_t CancelIf(uint64_t lane, const std::function<bool(const Job&)>& test,
                    std::string_view why);
  void CloseLocked(Lane& lane, JobList& out) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ForgetLocked(Lane& lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  uint32_t CancelAll(std::string_view why);
  bool IdleLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // The end of a job that is not the device thread's. `release` lets go of what the job holds
  // first, so that whoever gets the completion finds it free; an abandoned job keeps it.
  void Complete(Job& job, absl::Status status, int64_t now_ns, bool release = true);
  void HandBack(Job& job, absl::Status status, int64_t now_ns, bool release);
  void CompleteAll(JobList& jobs, const absl::Status& status, bool release = true);
  void CompleteLate(JobList& jobs, int64_t now_ns);
  // Jobs are used again, so that none is allocated in steady use.
  std::shared_ptr<Job> NewJobLocked(WorkItem item) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void KeepLocked(std::shared_ptr<Job> finished) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::shared_ptr<DeviceSlot> slot_;
  Undertaker undertaker_;  // outlives the device thread
  const std::unique_ptr<Sleeper> sleeper_;
  const std::shared_ptr<WakeList> wakes_;  // of lanes that were blocked
  WorkSources sources_{*sleeper_};
  const Clock& clock_;
  const Bound lane_depth_, device_hang_ns_;
  const std::function<void(std::string_view)> on_hang_;
  const std::shared_ptr<std::atomic<uint32_t>> abandoned_;
  mutable UsageLog log_;

  mutable absl::Mutex mutex_;
  const std::unique_ptr<Scheduler> scheduler_ ABSL_PT_GUARDED_BY(mutex_);
  HashMap<uint64_t, std::unique_ptr<Lane>> lanes_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Job>> spare_ ABSL_GUARDED_BY(mutex_);
  uint64_t last_lane_ ABSL_GUARDED_BY(mutex_) = 0;
  uint32_t queued_ ABSL_GUARDED_BY(mutex_) = 0;                 // in lanes, but for the running one
  Lane* current_ ABSL_GUARDED_BY(mutex_) = nullptr;             // whose front job runs
  int64_t turn_began_ns_ ABSL_GUARDED_BY(mutex_) = 0;           // of the job that runs
  int64_t expected_turn_ns_ ABSL_GUARDED_BY(mutex_) = 0;        // of any lane
  int64_t next_expiry_ns_ ABSL_GUARDED_BY(mutex_) = INT64_MAX;  // nothing is late before
  absl::Status refuse_ ABSL_GUARDED_BY(mutex_);                 // not OK: what Submit answers
  std::shared_ptr<Worker> worker_ ABSL_GUARDED_BY(mutex_);      // null while there is none
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  // What Lanes last foresaw, and when it may look again: looking ahead must cost little of the
  // time.
  mutable absl::Mutex prospects_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  mutable std::map<uint64_t, Prospect> prospects_ ABSL_GUARDED_BY(prospects_mutex_);
  mutable int64_t next_prospects_ns_ ABSL_GUARDED_BY(prospects_mutex_) = INT64_MIN;

  absl::Notification watch_stop_;
  std::thread watchdog_;
};

template <typename Test>
uint32_t Dispatcher::TakeLocked(Lane& lane, JobList& out, Test test) {
  const uint32_t taken = lane.TakeQueued(out, test);
  queued_ -= taken;
  Refresh(lane);
  return taken;
}

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_RUN_DISPATCHER_H_
