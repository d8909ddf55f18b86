#include "server/engine/run/dispatcher.h"

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "proto/values/within_memory.h"
#include "server/engine/run/fair_scheduler.h"

namespace anex::engine {
namespace {

// As many as a busy lane has queued by default.
constexpr size_t kMostSpareJobs = 256;

// Places for completions in one sink; those that are not kept are given back, also when memory is
// short.
class ReservedPlaces {
 public:
  explicit ReservedPlaces(std::shared_ptr<CompletionSink> sink) : sink_(std::move(sink)) {}
  ~ReservedPlaces() {
    for (; taken_ > 0; --taken_) sink_->Unreserve();
  }
  ReservedPlaces(const ReservedPlaces&) = delete;
  ReservedPlaces& operator=(const ReservedPlaces&) = delete;
  absl::Status Take() {
    absl::Status reserved = sink_->Reserve();
    if (reserved.ok()) ++taken_;
    return reserved;
  }
  size_t taken() const { return taken_; }
  void KeepOne() { --taken_; }

 private:
  const std::shared_ptr<CompletionSink> sink_;
  size_t taken_ = 0;
};

// Submissions of kernels on their way into the kernels' accounts: several of one go at once.
class SubmittedRuns {
 public:
  void Add(Kernel* kernel) {
    if (kernel != kernel_) Flush();
    kernel_ = kernel;
    ++count_;
  }
  void Flush() {
    if (kernel_ != nullptr && count_ > 0) kernel_->usage().Submitted(count_);
    count_ = 0;
  }

 private:
  Kernel* kernel_ = nullptr;
  uint64_t count_ = 0;
};

}  // namespace

Dispatcher::Dispatcher(DispatcherOptions options)
    : slot_(std::move(options.slot)),
      sleeper_(std::move(options.sleeper)),
      wakes_(std::make_shared<WakeList>(*sleeper_)),
      clock_(*options.clock),
      lane_depth_(options.lane_depth),
      device_hang_ns_(options.device_hang_ns),
      on_hang_(std::move(options.on_hang)),
      abandoned_(std::make_shared<std::atomic<uint32_t>>(0)),
      scheduler_(options.scheduler ? std::move(options.scheduler)
                                   : std::make_unique<FairScheduler>()) {
  absl::MutexLock lock(&mutex_);
  spare_.reserve(kMostSpareJobs);
  StartWorkerLocked();
  watchdog_ = std::thread([this] { WatchLoop(); });
}

Dispatcher::~Dispatcher() {
  StopIntake();
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  CancelAll("the engine is shutting down");
  sleeper_->Wake();
  std::thread finished;
  {
    absl::MutexLock lock(&mutex_);
    const auto gone = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return worker_ == nullptr || worker_->exited;
    };
    mutex_.Await(absl::Condition(&gone));
    if (worker_ != nullptr) finished = std::move(worker_->thread);
    worker_ = nullptr;
  }
  if (finished.joinable()) finished.join();
  watch_stop_.Notify();
  watchdog_.join();
  wakes_->Close();
}

// --- Lanes ---

absl::StatusOr<uint64_t> Dispatcher::OpenLane(LaneRequest request) {
  absl::MutexLock lock(&mutex_);
  const uint64_t number = ++last_lane_;
  auto lane = std::make_unique<Lane>(number, request.session, request.name, lane_depth_,
                                     std::move(request.usage), std::move(request.queue),
                                     std::make_shared<Waiter>(number, wakes_));
  if (request.qos == QosClass::kRealTime) lane->OrderByDeadline();
  const auto place = lanes_.emplace(number, std::move(lane)).first;
  // In both or in neither, also when memory is short.
  absl::Cleanup forget = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { lanes_.erase(place); };
  const absl::Status added =
      scheduler_->Add({number, request.user, request.session, request.qos, request.weight});
  if (!added.ok()) return added;
  std::move(forget).Cancel();
  return number;
}

void Dispatcher::CloseLane(uint64_t lane) {
  JobList dropped;
  {
    absl::MutexLock lock(&mutex_);
    auto it = lanes_.find(lane);
    if (it == lanes_.end() || it->second->closed()) return;
    CloseLocked(*it->second, dropped);
  }
  CompleteAll(dropped, absl::CancelledError("the lane was released"));
}

std::vector<std::shared_ptr<Job>> Dispatcher::CloseLanes(SessionId session) {
  JobList dropped;
  {
    absl::MutexLock lock(&mutex_);
    std::vector<Lane*> closing;
    for (auto& [number, lane] : lanes_) {
      if (lane->session() == session && !lane->closed()) closing.push_back(lane.get());
    }
    for (Lane* lane : closing) CloseLocked(*lane, dropped);
  }
  CompleteAll(dropped, absl::CancelledError("the session has ended"), /*release=*/false);
  return dropped;
}

void Dispatcher::CloseLocked(Lane& lane, JobList& out) {
  TakeLocked(lane, out, [](const Job&) { return true; });
  lane.Close();
  lane.StopRunning();
  if (!lane.running()) ForgetLocked(lane);  // else EndTurn does: what runs is charged first
}

void Dispatcher::ForgetLocked(Lane& lane) {
  scheduler_->Remove(lane.number());
  lanes_.erase(lane.number());
}

void Dispatcher::Refresh(Lane& lane) {
  const bool ready = lane.Ready();
  const int64_t deadline_ns = lane.FrontDeadline();
  if (lane.closed() || !lane.News(ready, deadline_ns)) return;
  scheduler_->SetReady(lane.number(), ready, deadline_ns);
}

void Dispatcher::UnblockLocked() {
  wakes_->TakeEach([this](uint64_t number) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    auto it = lanes_.find(number);
    if (it == lanes_.end()) return;
    it->second->Unblock();
    Refresh(*it->second);
  });
}

void Dispatcher::Charge(uint64_t lane, int64_t ns) {
  absl::MutexLock lock(&mutex_);
  scheduler_->Served(lane, ns);
}

// --- Submissions ---

absl::Status Dispatcher::Submit(uint64_t lane, WorkItem item) {
  absl::Status refused;
  SubmitSome(lane, std::span(&item, 1), refused);
  return refused;
}

size_t Dispatcher::SubmitSome(uint64_t lane, std::span<WorkItem> items, absl::Status& refused) {
  refused = absl::OkStatus();
  if (items.empty()) return 0;
  ReservedPlaces places(items.front().completions);
  while (refused.ok() && places.taken() < items.size()) refused = places.Take();
  const size_t wanted = places.taken();
  if (wanted == 0) return 0;
  const int64_t now_ns = clock_.Now();
  size_t queued = 0;
  std::shared_ptr<Job> dropped;  // the one that is refused goes after the lock
  SubmittedRuns runs;
  {
    absl::MutexLock lock(&mutex_);
    const auto it = lanes_.find(lane);
    absl::Status why = refuse_;
    if (why.ok() && it == lanes_.end()) why = absl::NotFoundError("the lane has been released");
    while (why.ok() && queued < wanted) {
      Lane& to = *it->second;
      Job* job = nullptr;
      why = WithinMemory("queue this submission", [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
        dropped = NewJobLocked(std::move(items[queued]));
        job = dropped.get();
        job->lane = to.name();
        job->session_usage = to.usage();
        job->accepted_ns = now_ns;
        return to.Push(std::move(dropped));
      });
      if (!why.ok()) break;
      runs.Add(KernelOf(job->item.work));
      next_expiry_ns_ = std::min(next_expiry_ns_, job->item.deadline_ns);
      ++queued_;
      ++queued;
      places.KeepOne();
    }
    if (!why.ok()) refused = std::move(why);
    if (queued > 0) Refresh(*it->second);
    runs.Flush();  // with the lock: what is queued keeps its kernel alive
    log_.device().Submitted(queued);
    if (queued > 0 && it->second->usage() != nullptr) it->second->usage()->Submitted(queued);
  }
  if (queued > 0) sleeper_->Wake();
  return queued;
}

uint32_t Dispatcher::Cancel(uint64_t lane, uint64_t user_data) {
  return CancelIf(
      lane, [user_data](const Job& job) { return job.item.user_data == user_data; },
      "cancelled by the client");
}

uint32_t Dispatcher::CancelFor(uint64_t lane, const CompletionSink& completions) {
  return CancelIf(
      lane, [&](const Job& job) { return job.item.completions.get() == &completions; },
      "the caller has left");
}

uint32_t Dispatcher::CancelIf(uint64_t lane, const std::function<bool(const Job&)>& test,
                              std::string_view why) {
  JobList cancelled;
  uint32_t told = 0;
  {
    absl::MutexLock lock(&mutex_);
    auto it = lanes_.find(lane);
    if (it == lanes_.end()) return 0;
    told = TakeLocked(*it->second, cancelled, test);
    const Job* running = it->second->running_job();
    if (running != nullptr && test(*running)) told += StopRunning(*it->second);
  }
  CompleteAll(cancelled, absl::CancelledError(std::string(why)));
  return told;
}

// Whether a job that runs and is told to stop will say CANCELLED: between its steps a chain always
// does.
bool Dispatcher::Stops(const Job& job) const {
  return IsChain(job.item.work) || slot_->capabilities().stops_runs;
}

// Stops the running job within its step or before the next, or before it waits. Returns how many
// will surely say CANCELLED. Once it is told so, its work is not touched without the lock.
uint32_t Dispatcher::StopRunning(Lane& lane) {
  const Job* running = lane.running_job();
  if (running == nullptr || !lane.StopRunning()) return 0;
  return Stops(*running) ? 1 : 0;
}

absl::Status Dispatcher::WaitIdle(uint64_t lane, const WaitLimit& limit) {
  absl::MutexLock lock(&mutex_);
  const auto idle = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    auto it = lanes_.find(lane);
    return it == lanes_.end() || it->second->empty();
  };
  return AwaitUntil(mutex_, absl::Condition(&idle), limit, "an idle lane");
}

void Dispatcher::StopIntake() {
  absl::MutexLock lock(&mutex_);
  if (refuse_.ok()) {
    refuse_ = absl::UnavailableError("the daemon is draining: no new submissions are taken");
  }
}

bool Dispatcher::IdleLocked() const { return queued_ == 0 && current_ == nullptr; }

uint32_t Dispatcher::Drain(const WaitLimit& limit) {
  StopIntake();
  {
    absl::MutexLock lock(&mutex_);
    const auto idle = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return IdleLocked(); };
    if (AwaitUntil(mutex_, absl::Condition(&idle), limit, "empty queues").ok()) return 0;
  }
  return CancelAll("the daemon is draining and its time is up");
}

uint32_t Dispatcher::CancelAll(std::string_view why) {
  JobList cancelled;
  uint32_t told = 0;
  {
    absl::MutexLock lock(&mutex_);
    for (auto& [number, lane] : lanes_) {
      told += TakeLocked(*lane, cancelled, [](const Job&) { return true; });
      told += StopRunning(*lane);
    }
  }
  CompleteAll(cancelled, absl::CancelledError(std::string(why)));
  return told;
}

std::shared_ptr<Job> Dispatcher::NewJobLocked(WorkItem item) {
  std::shared_ptr<Job> job;
  if (spare_.empty()) {
    job = std::make_shared<Job>();
  } else {
    job = std::move(spare_.back());
    spare_.pop_back();
  }
  job->item = std::move(item);
  job->pins.reserve(SetsOf(job->item.work));  // here want of memory refuses, later it would fail
  job->control.emplace();
  job->turns_left = TurnsOf(job->item.work);
  return job;
}

// What it held outside of itself Complete and LeaveLocked have let go of.
void Dispatcher::KeepLocked(std::shared_ptr<Job> finished) {
  if (spare_.size() == kMostSpareJobs) return;
  finished->session_usage.reset();
  finished->completion = Completion();
  finished->cursor = ChainCursor();
  finished->copied = 0;
  finished->step_spent_ns = 0;
  finished->started_ns = 0;
  finished->ending.store(Job::Ending::kOpen, std::memory_order_relaxed);
  finished->late = false;
  finished->orphaned = false;
  spare_.push_back(std::move(finished));
}

void Dispatcher::Complete(Job& job, absl::Status status, int64_t now_ns, bool release) {
  Kernel* const kernel = KernelOf(job.item.work);
  log_.Add(job.session_usage.get(), kernel == nullptr ? nullptr : &kernel->usage(),
           {.finished = status.code(), .queue_ns = QueueNs(job, now_ns)});
  HandBack(job, std::move(status), now_ns, release);
}

void Dispatcher::HandBack(Job& job, absl::Status status, int64_t now_ns, bool release) {
  Completion completion = std::move(job.completion);
  completion.lane = job.lane;
  completion.user_data = job.item.user_data;
  completion.status = std::move(status);
  completion.queue_ns = QueueNs(job, now_ns);
  completion.total_ns = now_ns - job.accepted_ns;
  job.place.Reset();  // before the completion: who has it finds the place free
  if (release) {
    if (job.orphaned) undertaker_.Bury({std::move(job.item.work), std::move(job.pins)});
    job.pins.clear();
    job.item.work = FenceStep{};
  }
  job.item.completions->Push(std::move(completion));
}

void Dispatcher::CompleteAll(JobList& jobs, const absl::Status& status, bool release) {
  const int64_t now_ns = clock_.Now();
  for (const std::shared_ptr<Job>& job : jobs) Complete(*job, status, now_ns, release);
}

void Dispatcher::CompleteLate(JobList& jobs, int64_t now_ns) {
  for (const std::shared_ptr<Job>& job : jobs) Complete(*job, LateStatus(*job, now_ns), now_ns);
}

}  // namespace anex::engine
