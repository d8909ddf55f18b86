#include "server/engine/run/dispatcher.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/engine/run/round_robin.h"

namespace anex::engine {
namespace {

// Blocked jobs are looked at for their deadlines this often; also what an injected clock can lag.
constexpr int64_t kExpiryPeriodNs = 10'000'000;

bool IsChain(const Work& work) {
  return std::holds_alternative<std::shared_ptr<const Chain>>(work);
}

// Stops the running job before its next step, or before it waits. Returns how many will surely say
// CANCELLED: a chain does; a single run that is on the device already ends as it ends.
uint32_t StopRunning(Lane& lane) {
  const Job* running = lane.running_job();
  if (running == nullptr || !lane.StopRunning()) return 0;
  return IsChain(running->item.work) ? 1 : 0;
}

}  // namespace

Dispatcher::Dispatcher(DispatcherOptions options)
    : slot_(std::move(options.slot)),
      ready_(std::move(options.ready)),
      clock_(*options.clock),
      lane_depth_(options.lane_depth),
      device_hang_ns_(options.device_hang_ns),
      abandoned_(std::make_shared<std::atomic<uint32_t>>(0)),
      scheduler_(options.scheduler ? std::move(options.scheduler)
                                   : std::make_unique<RoundRobin>()) {
  absl::MutexLock lock(&mutex_);
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
  ready_->Notify();
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
}

// --- Lanes
// ----------------------------------------------------------------------------------------

uint64_t Dispatcher::OpenLane(LaneRequest request) {
  absl::MutexLock lock(&mutex_);
  const uint64_t number = ++last_lane_;
  lanes_[number] = std::make_unique<Lane>(number, request.session, request.name, lane_depth_,
                                          std::move(request.usage));
  scheduler_->Add({number, request.session, request.qos, request.weight});
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

void Dispatcher::CloseLanes(SessionId session) {
  JobList dropped;
  {
    absl::MutexLock lock(&mutex_);
    std::vector<Lane*> closing;
    for (auto& [number, lane] : lanes_) {
      if (lane->session() == session && !lane->closed()) closing.push_back(lane.get());
    }
    for (Lane* lane : closing) CloseLocked(*lane, dropped);
  }
  CompleteAll(dropped, absl::CancelledError("the session has ended"));
}

void Dispatcher::CloseLocked(Lane& lane, JobList& out) {
  TakeLocked(lane, out, [](const Job&) { return true; });
  scheduler_->Remove(lane.number());
  lane.Close();
  lane.StopRunning();
  if (!lane.running()) lanes_.erase(lane.number());  // else Settle does
}

template <typename Test>
uint32_t Dispatcher::TakeLocked(Lane& lane, JobList& out, Test test) {
  const uint32_t taken = lane.TakeQueued(out, test);
  queued_ -= taken;
  Refresh(lane);
  return taken;
}

void Dispatcher::Refresh(Lane& lane) {
  if (!lane.closed()) scheduler_->SetReady(lane.number(), lane.Ready());
}

void Dispatcher::UnblockLocked() {
  for (uint64_t number : blocked_) {
    auto it = lanes_.find(number);
    if (it == lanes_.end()) continue;
    it->second->Unblock();
    Refresh(*it->second);
  }
  blocked_.clear();
}

// --- Submissions
// ----------------------------------------------------------------------------------

absl::Status Dispatcher::Submit(uint64_t lane, WorkItem item) {
  std::shared_ptr<CompletionQueue> completions = item.completions;
  if (absl::Status reserved = completions->Reserve(); !reserved.ok()) return reserved;
  auto job = std::make_shared<Job>();
  job->item = std::move(item);
  job->accepted_ns = clock_.Now();
  absl::Status status;
  {
    absl::MutexLock lock(&mutex_);
    auto it = lanes_.find(lane);
    if (!refuse_.ok()) {
      status = refuse_;
    } else if (it == lanes_.end()) {
      status = absl::NotFoundError("the lane has been released");
    } else {
      job->lane = it->second->name();
      job->session_usage = it->second->usage();
      status = it->second->Push(job);
    }
    if (status.ok()) {
      CountSubmitted(*job);
      ++queued_;
      Refresh(*it->second);
    }
  }
  if (status.ok()) {
    ready_->Notify();
  } else {
    completions->Unreserve();
  }
  return status;
}

uint32_t Dispatcher::Cancel(uint64_t lane, uint64_t user_data) {
  JobList cancelled;
  uint32_t told = 0;
  {
    absl::MutexLock lock(&mutex_);
    auto it = lanes_.find(lane);
    if (it == lanes_.end()) return 0;
    told = TakeLocked(*it->second, cancelled,
                      [&](const Job& job) { return job.item.user_data == user_data; });
    const Job* running = it->second->running_job();
    if (running != nullptr && running->item.user_data == user_data) {
      told += StopRunning(*it->second);
    }
  }
  CompleteAll(cancelled, absl::CancelledError("cancelled by the client"));
  return told;
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

void Dispatcher::CountSubmitted(const Job& job) {
  usage_.Submitted();
  if (job.session_usage != nullptr) job.session_usage->Submitted();
  if (Kernel* kernel = KernelOf(job.item.work)) kernel->usage().Submitted();
}

void Dispatcher::Complete(Job& job, absl::Status status, bool release) {
  const int64_t now_ns = clock_.Now();
  const int64_t queue_ns = (job.started_ns != 0 ? job.started_ns : now_ns) - job.accepted_ns;
  usage_.Finished(status, queue_ns);
  if (job.session_usage != nullptr) job.session_usage->Finished(status, queue_ns);
  if (Kernel* kernel = KernelOf(job.item.work)) kernel->usage().Finished(status, queue_ns);
  Completion completion = std::move(job.completion);
  completion.lane = job.lane;
  completion.user_data = job.item.user_data;
  completion.status = std::move(status);
  completion.queue_ns = queue_ns;
  completion.total_ns = now_ns - job.accepted_ns;
  std::shared_ptr<CompletionQueue> completions = std::move(job.item.completions);
  if (release) {
    job.pins.clear();
    job.item.work = FenceStep{};
  }
  completions->Push(std::move(completion));
}

void Dispatcher::CompleteAll(JobList& jobs, const absl::Status& status) {
  for (const std::shared_ptr<Job>& job : jobs) Complete(*job, status);
}

// --- The device thread
// ----------------------------------------------------------------------------

void Dispatcher::StartWorkerLocked() {
  auto worker = std::make_shared<Worker>();
  worker->abandoned = abandoned_;
  worker_ = worker;
  worker->thread = std::thread([this, worker] { WorkerLoop(worker); });
}

void Dispatcher::WorkerLoop(std::shared_ptr<Worker> worker) {
  for (;;) {
    const uint64_t seen = ready_->count();
    bool stopping = false;
    std::shared_ptr<Job> job = Pick(seen, stopping);
    if (job == nullptr) {
      if (stopping) break;
      Sleep(seen);
    } else if (!RunPicked(*worker, job)) {
      job.reset();  // frees what the hung step used; nothing here may touch the dispatcher
      worker->abandoned->fetch_sub(1, std::memory_order_relaxed);
      return;
    }
  }
  absl::MutexLock lock(&mutex_);
  worker->exited = true;
}

std::shared_ptr<Job> Dispatcher::Pick(uint64_t seen, bool& stopping) {
  ExpireBlocked(clock_.Now());
  absl::MutexLock lock(&mutex_);
  stopping = stopping_;
  if (seen != seen_ready_) {
    seen_ready_ = seen;
    UnblockLocked();
  }
  const std::optional<uint64_t> next = scheduler_->Next();
  if (!next.has_value()) return nullptr;
  Lane& lane = *lanes_.find(*next)->second;
  current_ = &lane;
  --queued_;
  std::shared_ptr<Job> job = lane.Start();
  Refresh(lane);
  return job;
}

bool Dispatcher::RunPicked(Worker& worker, const std::shared_ptr<Job>& job) {
  StepResult result = TryStep(worker, *job);
  if (result.kind == StepResult::Kind::kAbandoned) return false;
  if (result.kernel != nullptr) {
    usage_.Ran(result.kernel_ns, result.end_ns);
    result.kernel->usage().Ran(result.kernel_ns, result.end_ns);
    if (job->session_usage != nullptr) job->session_usage->Ran(result.kernel_ns, result.end_ns);
  }
  const bool done = Decide(*job, result);
  if (done) Complete(*job, std::move(result.status));
  Settle(result, done);
  return true;
}

StepResult Dispatcher::TryStep(Worker& worker, Job& job) {
  const int64_t now_ns = clock_.Now();
  if (now_ns > job.item.deadline_ns) {
    return {.status = absl::DeadlineExceededError(absl::StrCat(
                "the deadline passed ", job.started_ns != 0 ? "between two steps" : "in the queue",
                "; ", DescribeStep(job), " was not run"))};
  }
  const bool first = job.started_ns == 0;
  if (first) job.started_ns = now_ns;
  StepResult result = DoStep(job, worker.watch, clock_);
  // A job that only found out that it has to wait has not started.
  if (result.kind == StepResult::Kind::kBlocked && first) job.started_ns = 0;
  return result;
}

bool Dispatcher::Decide(Job& job, StepResult& result) {
  absl::MutexLock lock(&mutex_);
  const bool finished = result.kind == StepResult::Kind::kFinished;
  if (!finished && !job.stop_requested) return false;
  const bool stop =
      job.stop_requested && (!finished || IsChain(job.item.work) || current_->closed());
  if (stop && result.status.ok()) {
    result.status = absl::CancelledError(current_->closed() ? "the lane or its session has ended"
                                                            : "stopped between two steps");
  }
  current_->Decide();
  return true;
}

void Dispatcher::Settle(const StepResult& result, bool done) {
  std::shared_ptr<Job> finished;  // goes after the lock
  absl::MutexLock lock(&mutex_);
  Lane& lane = *std::exchange(current_, nullptr);
  if (!lane.closed() && result.kind != StepResult::Kind::kBlocked) {
    scheduler_->Served(lane.number(), result.device_ns);
  }
  if (done) {
    finished = lane.Finish();
  } else {
    ++queued_;
    if (result.kind == StepResult::Kind::kBlocked) {
      lane.Block();
      blocked_.push_back(lane.number());
    } else {
      lane.PutBack();
    }
  }
  if (lane.closed()) {
    if (lane.empty()) lanes_.erase(lane.number());
  } else {
    Refresh(lane);
  }
}

void Dispatcher::ExpireBlocked(int64_t now_ns) {
  JobList expired;
  {
    absl::MutexLock lock(&mutex_);
    if (blocked_.empty() || now_ns < next_expiry_ns_) return;
    next_expiry_ns_ = now_ns + kExpiryPeriodNs;
    for (uint64_t number : blocked_) {
      auto it = lanes_.find(number);
      if (it == lanes_.end()) continue;
      TakeLocked(*it->second, expired,
                 [&](const Job& job) { return now_ns > job.item.deadline_ns; });
    }
  }
  CompleteAll(expired, absl::DeadlineExceededError(
                           "the deadline passed in the queue, behind a fence or a parameter set "
                           "that is being written"));
}

void Dispatcher::Sleep(uint64_t seen) {
  bool blocked = false;
  {
    absl::MutexLock lock(&mutex_);
    blocked = !blocked_.empty();
  }
  ready_->Wait(seen, blocked ? absl::Nanoseconds(kExpiryPeriodNs) : absl::InfiniteDuration());
}

// --- The watchdog
// ---------------------------------------------------------------------------------

void Dispatcher::WatchLoop() {
  // An eighth: a hang is noticed at most that much late, and an idle daemon wakes rarely.
  const absl::Duration period = std::clamp(absl::Nanoseconds(device_hang_ns_ / 8),
                                           absl::Milliseconds(1), absl::Milliseconds(500));
  while (!watch_stop_.WaitForNotificationWithTimeout(period)) {
    std::shared_ptr<Worker> worker;
    {
      absl::MutexLock lock(&mutex_);
      worker = worker_;
    }
    if (worker != nullptr) Abandon(worker);
  }
}

void Dispatcher::Abandon(const std::shared_ptr<Worker>& worker) {
  const std::optional<uint64_t> step = worker->watch.Overdue(clock_.Now(), device_hang_ns_);
  if (!step.has_value()) return;
  // Counted before: the thread takes itself off again as soon as it comes back.
  abandoned_->fetch_add(1, std::memory_order_relaxed);
  if (!worker->watch.Abandon(*step)) {
    abandoned_->fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  std::shared_ptr<Job> hung;
  JobList waiting;
  {
    absl::MutexLock lock(&mutex_);
    worker->thread.detach();
    worker_ = nullptr;
    Lane& lane = *std::exchange(current_, nullptr);
    hung = lane.Finish();
    for (auto& [number, other] : lanes_) {
      TakeLocked(*other, waiting, [](const Job&) { return true; });
    }
    if (lane.closed()) lanes_.erase(lane.number());
  }
  const std::string reason =
      absl::StrCat("device ", slot_->name(), " did not come back from a step within ",
                   device_hang_ns_ / 1'000'000, " ms (device_hang_ns) and was given up");
  if (const Invocation* invocation = InvocationOf(*hung)) invocation->Quarantine();
  const std::string what = DescribeStep(*hung);
  Complete(*hung,
           absl::DeadlineExceededError(
               absl::StrCat(reason, "; it was ", what, ", whose surfaces are quarantined")),
           /*release=*/false);
  hung.reset();
  CompleteAll(waiting, absl::UnavailableError(absl::StrCat(reason, "; submit again")));
  Recover(reason);
}

void Dispatcher::Recover(const std::string& reason) {
  {
    absl::MutexLock lock(&mutex_);
    if (stopping_) return;
  }
  const absl::Status fresh = slot_->Replace(reason);  // without the lock: it makes a device
  JobList waiting;
  absl::Status lost;
  {
    absl::MutexLock lock(&mutex_);
    if (stopping_) return;
    if (fresh.ok()) {
      StartWorkerLocked();
      return;
    }
    lost = absl::UnavailableError(
        absl::StrCat(reason, ", and there is no other: ", fresh.message(), "; restart the daemon"));
    refuse_ = lost;
    for (auto& [number, lane] : lanes_) {
      TakeLocked(*lane, waiting, [](const Job&) { return true; });
    }
  }
  CompleteAll(waiting, lost);
}

// --- Observation
// ----------------------------------------------------------------------------------

Dispatcher::Load Dispatcher::load() const {
  absl::MutexLock lock(&mutex_);
  return {queued_, current_ != nullptr ? 1u : 0u};
}

Dispatcher::Load Dispatcher::LoadOf(SessionId session) const {
  absl::MutexLock lock(&mutex_);
  Load load;
  for (const auto& [number, lane] : lanes_) {
    if (lane->session() != session) continue;
    load.queued += lane->queued();
    load.running += lane->running() ? 1 : 0;
  }
  return load;
}

DeviceStatus Dispatcher::Status() const {
  DeviceStatus status;
  status.info.name = slot_->name();
  status.info.description = slot_->capabilities().description;
  status.info.capabilities = slot_->capabilities().claims;
  status.info.health = slot_->health(&status.info.health_reason);
  const int64_t now_ns = clock_.Now();
  status.busy_1s = usage_.DeviceShare1s(now_ns);
  status.busy_60s = usage_.DeviceShare60s(now_ns);
  status.usage = usage_.Snapshot();
  const Load now = load();
  status.queued = now.queued;
  status.running = now.running;
  return status;
}

}  // namespace anex::engine
