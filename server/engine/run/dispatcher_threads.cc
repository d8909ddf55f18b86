// The dispatcher's two threads: the one that drives the device and the one that watches it.

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "proto/values/within_memory.h"
#include "server/engine/run/dispatcher.h"

namespace anex::engine {
namespace {

// Queued jobs are looked at for their deadlines this often; also what an injected clock can lag.
constexpr int64_t kExpiryPeriodNs = 10'000'000;

}  // namespace

// --- The device thread ---

void Dispatcher::StartWorkerLocked() {
  auto worker = std::make_shared<Worker>();
  worker->abandoned = abandoned_;
  worker->thread = std::thread([this, worker] { WorkerLoop(worker); });
  worker_ = worker;
}

void Dispatcher::WorkerLoop(std::shared_ptr<Worker> worker) {
  for (bool worked = false;;) {
    const uint32_t news = sleeper_->news();  // before the look for work, or it would be lost
    const uint64_t seen = ready_->count();
    bool stopping = false;
    if (sources_.Poll() > 0) worked = true;
    std::shared_ptr<Job> job = Pick(seen, stopping);
    if (job == nullptr) {
      if (stopping) break;
      Rest(news, std::exchange(worked, false));
    } else if (!RunPicked(*worker, job)) {
      job.reset();  // frees what the hung step used; nothing here may touch the dispatcher
      worker->abandoned->fetch_sub(1, std::memory_order_relaxed);
      return;
    } else {
      worked = true;
    }
  }
  absl::MutexLock lock(&mutex_);
  worker->exited = true;
}

std::shared_ptr<Job> Dispatcher::Pick(uint64_t seen, bool& stopping) {
  const int64_t now_ns = clock_.Now();
  {
    absl::MutexLock lock(&mutex_);
    stopping = stopping_;
    if (seen != seen_ready_) {
      seen_ready_ = seen;
      UnblockLocked();
    }
    if (now_ns <= next_expiry_ns_) return PickLocked(now_ns);
  }
  ExpireLate();
  absl::MutexLock lock(&mutex_);
  return PickLocked(now_ns);
}

std::shared_ptr<Job> Dispatcher::PickLocked(int64_t now_ns) {
  const std::optional<uint64_t> next = scheduler_->Next();
  if (!next.has_value()) return nullptr;
  Lane& lane = *lanes_.find(*next)->second;
  current_ = &lane;
  turn_began_ns_ = now_ns;
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
  if (PutBack(*job, result)) return true;
  Complete(*job, std::move(result.status));
  Leave(result);
  return true;
}

StepResult Dispatcher::TryStep(Worker& worker, Job& job) {
  const int64_t now_ns = clock_.Now();
  if (now_ns > job.item.deadline_ns) return {.status = LateStatus(job, now_ns)};
  const bool first = job.started_ns == 0;
  if (first) job.started_ns = now_ns;
  StepResult result = DoStep(job, worker.watch, clock_);
  result.wall_ns = result.kernel != nullptr ? result.end_ns - now_ns : result.device_ns;
  // A job that only found out that it has to wait has not started.
  if (result.kind == StepResult::Kind::kBlocked && first) job.started_ns = 0;
  return result;
}

bool Dispatcher::PutBack(Job& job, StepResult& result) {
  absl::MutexLock lock(&mutex_);
  const bool finished = result.kind == StepResult::Kind::kFinished;
  Lane& lane = *current_;
  if (!finished && !job.stop_requested) {
    current_ = nullptr;
    ++queued_;
    if (result.kind == StepResult::Kind::kBlocked) {
      lane.Block();
      blocked_.push_back(lane.number());
    } else {
      lane.PutBack();
    }
    EndTurn(lane, result);
    return true;
  }
  const bool stop = job.stop_requested && (!finished || Stops(job) || lane.closed());
  const bool stopped = absl::IsCancelled(result.status);  // by the device, within the step
  if (stop && (stopped || result.status.ok())) {
    result.status = absl::CancelledError(lane.closed() ? "the lane or its session has ended"
                                         : stopped     ? "stopped while it ran"
                                                       : "stopped between two steps");
  } else if (stopped && job.late) {
    result.status = LateStatusOfRun(job, clock_.Now());
  }
  lane.Decide();
  return false;
}

void Dispatcher::Leave(const StepResult& result) {
  absl::MutexLock lock(&mutex_);
  Lane& lane = *std::exchange(current_, nullptr);
  KeepLocked(lane.Finish());
  EndTurn(lane, result);
}

void Dispatcher::EndTurn(Lane& lane, const StepResult& result) {
  if (result.kind != StepResult::Kind::kBlocked) {
    lane.Took(result.wall_ns);
    expected_turn_ns_ = lane.expected_turn_ns();
    scheduler_->Served(lane.number(), result.device_ns);
  }
  if (!lane.closed()) {
    Refresh(lane);
  } else if (lane.empty()) {
    ForgetLocked(lane);
  }
}

// At most every kExpiryPeriodNs, however many deadlines pass one after the other: whoever comes up
// for its turn is looked at again.
void Dispatcher::ExpireLate() {
  const int64_t now_ns = clock_.Now();
  JobList late;
  {
    absl::MutexLock lock(&mutex_);
    if (now_ns <= next_expiry_ns_) return;
    int64_t earliest_ns = INT64_MAX;
    if (current_ != nullptr) current_->StopLate(now_ns);
    for (auto& [number, lane] : lanes_) {
      const uint32_t taken = lane->TakeExpired(now_ns, late);
      queued_ -= taken;
      if (taken > 0) Refresh(*lane);
      earliest_ns = std::min(earliest_ns, lane->earliest_deadline());
    }
    next_expiry_ns_ = std::max(earliest_ns, now_ns + kExpiryPeriodNs);
  }
  CompleteLate(late, now_ns);
}

void Dispatcher::Rest(uint32_t news, bool worked) {
  if (worked && sources_.Look(news)) return;
  bool blocked = false;
  {
    absl::MutexLock lock(&mutex_);
    blocked = !blocked_.empty();
  }
  sources_.Sleep(news, blocked ? absl::Nanoseconds(kExpiryPeriodNs) : absl::InfiniteDuration());
}

// --- The watchdog ---

void Dispatcher::WatchLoop() {
  // An eighth: a hang is noticed at most that much late, and an idle daemon wakes rarely.
  const auto period = [this] {
    return std::clamp(absl::Nanoseconds(DeviceHangNs() / 8), absl::Milliseconds(1),
                      absl::Milliseconds(500));
  };
  while (!watch_stop_.WaitForNotificationWithTimeout(period())) {
    std::shared_ptr<Worker> worker;
    uint64_t progress = 0;
    {
      absl::MutexLock lock(&mutex_);
      worker = worker_;
      if (current_ != nullptr) progress = current_->running_job()->control->progress();
    }
    if (worker != nullptr) Abandon(worker, progress);
  }
}

void Dispatcher::Abandon(const std::shared_ptr<Worker>& worker, uint64_t progress) {
  const std::optional<uint64_t> step =
      worker->watch.Overdue(clock_.Now(), DeviceHangNs(), progress);
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
    hung->control->Stop();  // should it wake up after all
    scheduler_->Served(lane.number(), DeviceHangNs());
    for (auto& [number, other] : lanes_) {
      TakeLocked(*other, waiting, [](const Job&) { return true; });
    }
    if (lane.closed()) ForgetLocked(lane);
  }
  const std::string reason =
      absl::StrCat("device ", slot_->name(), " made no progress in a step for ",
                   DeviceHangNs() / 1'000'000, " ms (device_hang_ns) and was given up");
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
  // Without the lock: it makes a device.
  absl::Status fresh =
      WithinMemory("start the device again", [&] { return slot_->Replace(reason); });
  JobList waiting;
  absl::Status lost;
  {
    absl::MutexLock lock(&mutex_);
    if (stopping_) return;
    // Without a device it still answers what sources bring.
    const absl::Status started = WithinMemory("start the device again", [this] {
      mutex_.AssertHeld();
      StartWorkerLocked();
      return absl::OkStatus();
    });
    if (fresh.ok()) fresh = started;
    if (fresh.ok()) return;
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
