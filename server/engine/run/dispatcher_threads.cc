// The dispatcher's two threads: the one that drives the device and the one that watches it.

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/engine/run/dispatcher.h"

namespace anex::engine {
namespace {

// Blocked jobs are looked at for their deadlines this often; also what an injected clock can lag.
constexpr int64_t kExpiryPeriodNs = 10'000'000;

}  // namespace

// --- The device thread ---

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

// --- The watchdog ---

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
  if (on_hang_) on_hang_(absl::StrCat(reason, "; it was ", what));
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
  if (on_hang_) on_hang_(std::string_view(lost.message().data(), lost.message().size()));
  CompleteAll(waiting, lost);
}

}  // namespace anex::engine
