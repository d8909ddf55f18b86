// The dispatcher's two threads: the one that drives the device and the one that watches it.

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "proto/values/status_words.h"
#include "proto/values/within_memory.h"
#include "server/engine/run/dispatcher.h"

namespace anex::engine {
namespace {

// Queued jobs are looked at for their deadlines this often; also what an injected clock can lag.
constexpr int64_t kExpiryPeriodNs = 10'000'000;
// A completion that says how late it was takes a microsecond or two: so many are made at one time,
// by the device thread between two turns and by others.
constexpr size_t kMostLateInATurn = 16, kMostLateAtOnce = 256;
// Sources are asked after each step, but while steps are shorter not more often than this, and less
// often the more there are: a look at a ring where nothing is costs some ten nanoseconds, and all
// of them shall take a small part of the time.
constexpr int64_t kAskPeriodNs = 2'000, kAskPeriodOfEachNs = 50;
constexpr size_t kMostUnasked = 8;  // turns, and one for each source: should the clock stand

const std::shared_ptr<Usage>& UsageOf(const Kernel* kernel) {
  static constinit const std::shared_ptr<Usage> kNone;  // takes no memory, now or later
  return kernel == nullptr ? kNone : kernel->shared_usage();
}

UsageNote NoteOf(const StepResult& result) {
  return {.ran = result.ran, .device_ns = result.device_ns, .end_ns = result.end_ns};
}

}  // namespace

// --- The device thread ---

void Dispatcher::StartWorkerLocked() {
  auto worker = std::make_shared<Worker>();
  worker->abandoned = abandoned_;
  worker->thread = std::thread([this, worker] { WorkerLoop(worker); });
  worker_ = worker;
}

void Dispatcher::Worker::Bury(std::shared_ptr<Job> hung) {
  absl::MutexLock lock(&mutex);
  if (!returned) buried = std::move(hung);  // else it goes with the parameter, after the lock
}

void Dispatcher::Worker::Return() {
  std::shared_ptr<Job> freed;
  absl::MutexLock lock(&mutex);
  returned = true;
  freed = std::move(buried);
}

// One look at the clock a turn of a single kernel: what ends it begins the next one.
void Dispatcher::WorkerLoop(std::shared_ptr<Worker> worker) {
  Leaving leaving;
  int64_t now_ns = clock_.Now(), asked_ns = now_ns;
  bool must_ask = true;
  size_t unasked = 0;
  for (bool worked = false;;) {
    const uint32_t news = sleeper_->news();  // before the look for work, or it would be lost
    const size_t sources = sources_.count();
    const int64_t period_ns = kAskPeriodNs + static_cast<int64_t>(sources) * kAskPeriodOfEachNs;
    const bool ask =
        must_ask || unasked >= kMostUnasked + sources || now_ns - asked_ns >= period_ns;
    if (ask && sources_.Poll(clock_, now_ns, /*idle=*/must_ask) > 0) {
      worked = true;
      now_ns = clock_.Now();
    }
    unasked = ask ? 0 : unasked + 1;
    if (ask) asked_ns = now_ns;
    must_ask = false;
    bool stopping = false;
    Job* const job = Pick(leaving, now_ns, stopping);
    if (job == nullptr) {
      if (stopping) break;
      if (ask) Rest(news, std::exchange(worked, false));
      must_ask = true;
      now_ns = clock_.Now();
    } else if (!RunPicked(*worker, *job, now_ns, leaving)) {
      worker->Return();  // frees what the hung step used; nothing here may touch the dispatcher
      worker->abandoned->fetch_sub(1, std::memory_order_relaxed);
      return;
    } else {
      worked = true;
    }
  }
  absl::MutexLock lock(&mutex_);
  worker->exited = true;
}

Job* Dispatcher::Pick(Leaving& leaving, int64_t& now_ns, bool& stopping) {
  std::shared_ptr<CompletionSink> left;  // goes after the lock
  {
    absl::MutexLock lock(&mutex_);
    if (leaving.has_value()) left = LeaveLocked(*leaving);
    leaving.reset();
    stopping = stopping_;
    if (wakes_->any()) UnblockLocked();
    if (now_ns <= next_expiry_ns_) return PickLocked(now_ns);
  }
  ExpireSome(kMostLateInATurn);
  now_ns = clock_.Now();
  absl::MutexLock lock(&mutex_);
  return PickLocked(now_ns);
}

// The lane stays ready for the scheduler while it is on the device: nobody asks for the next one
// before it has been served.
Job* Dispatcher::PickLocked(int64_t now_ns) {
  const std::optional<uint64_t> next = scheduler_->Next();
  if (!next.has_value()) return nullptr;
  Lane& lane = *lanes_.find(*next)->second;
  current_ = &lane;
  turn_began_ns_ = now_ns;
  --queued_;
  return lane.Start().get();
}

// What lies between two turns, such as handing back what the last one finished, is nobody's step:
// where a step's own time is told or charged the clock is looked at once more. A kernel's time is
// the device's to say.
bool Dispatcher::RunPicked(Worker& worker, Job& job, int64_t& now_ns, Leaving& leaving) {
  now_ns = IsChain(job.item.work) ? clock_.Now() : std::max(now_ns, job.accepted_ns);
  StepResult result = TryStep(worker, job, now_ns);
  if (result.kind == StepResult::Kind::kAbandoned) return false;
  now_ns = result.end_ns;
  // What the device stopped is looked at with the lock: who asked for it, or was it late?
  const bool finished = result.kind == StepResult::Kind::kFinished;
  if (!finished || absl::IsCancelled(result.status) || !job.Settle()) {
    NoteTurn(job, result);
    if (PutBack(job, result)) return true;
    Finish(job, std::move(result.status), now_ns);
  } else if (result.kernel == KernelOf(job.item.work)) {
    Finish(job, std::move(result.status), now_ns, NoteOf(result));
  } else {  // the last step of a chain: an evaluation of its kernel, and no completion of it
    NoteTurn(job, result);
    Finish(job, std::move(result.status), now_ns);
  }
  leaving = std::move(result);
  return true;
}

void Dispatcher::NoteTurn(const Job& job, const StepResult& result) {
  if (result.device_ns == 0 && !result.ran) return;
  log_.Note(job.session_usage, UsageOf(result.kernel), NoteOf(result));
}

// Noted before it is handed back: who has the completion finds it in the accounts.
void Dispatcher::Finish(Job& job, absl::Status status, int64_t now_ns, UsageNote turn) {
  turn.finished = status.code();
  turn.queue_ns = QueueNs(job, now_ns);
  log_.Note(job.session_usage, UsageOf(KernelOf(job.item.work)), turn);
  HandBack(job, std::move(status), now_ns, /*release=*/true);
}

StepResult Dispatcher::TryStep(Worker& worker, Job& job, int64_t now_ns) {
  if (now_ns > job.item.deadline_ns) return {.status = LateStatus(job, now_ns), .end_ns = now_ns};
  const bool first = job.started_ns == 0;
  if (first) job.started_ns = now_ns;
  StepResult result;
  // Whose step wants more memory than there is fails, and nobody else.
  absl::Status room = WithinMemory("run a step", [&] {
    result = DoStep(job, worker.watch, clock_, now_ns);
    return absl::OkStatus();
  });
  if (!room.ok()) result = {.status = std::move(room)};
  if (result.kind == StepResult::Kind::kAbandoned) return result;
  if (result.end_ns == 0) result.end_ns = clock_.Now();
  result.wall_ns = result.end_ns - now_ns;
  // A job that only found out that it has to wait has not started.
  if (result.kind == StepResult::Kind::kBlocked && first) job.started_ns = 0;
  return result;
}

bool Dispatcher::PutBack(Job& job, StepResult& result) {
  absl::MutexLock lock(&mutex_);
  const bool finished = result.kind == StepResult::Kind::kFinished;
  const bool asked = job.stop_asked();
  Lane& lane = *current_;
  if (!finished && !asked) {
    current_ = nullptr;
    ++queued_;
    if (result.kind == StepResult::Kind::kBlocked) {
      lane.Block();
    } else {
      lane.PutBack(/*stepped=*/!result.inside_step);
    }
    EndTurn(lane, result);
    return true;
  }
  job.orphaned = lane.closed();
  const bool stop = asked && (!finished || Stops(job) || lane.closed());
  const bool stopped = absl::IsCancelled(result.status);  // by the device, within the step
  if (stop && (stopped || result.status.ok())) {
    const char* const why = lane.closed() ? "the lane or its session has ended"
                            : stopped     ? "stopped while it ran"
                                          : "stopped between two steps";
    result.status =
        InWordsIfRoom(absl::StatusCode::kCancelled, [why] { return absl::CancelledError(why); });
  } else if (stopped && job.late) {
    result.status = LateStatusOfRun(job, result.end_ns);
  }
  job.ending.store(Job::Ending::kSettled, std::memory_order_release);
  return false;
}

std::shared_ptr<CompletionSink> Dispatcher::LeaveLocked(const StepResult& result) {
  Lane& lane = *std::exchange(current_, nullptr);
  std::shared_ptr<Job> job = lane.Finish();
  std::shared_ptr<CompletionSink> sink = std::move(job->item.completions);
  KeepLocked(std::move(job));
  EndTurn(lane, result);
  return sink;
}

void Dispatcher::EndTurn(Lane& lane, const StepResult& result) {
  if (result.kind != StepResult::Kind::kBlocked) {
    lane.Took(result.wall_ns);
    expected_turn_ns_ = lane.expected_turn_ns();
  }
  scheduler_->Served(lane.number(), result.device_ns);
  if (!lane.closed()) {
    Refresh(lane);
  } else if (lane.empty()) {
    ForgetLocked(lane);
  }
}

void Dispatcher::TakeFromSources() {
  {
    absl::MutexLock lock(&mutex_);
    if (current_ == nullptr) return;  // it looks for itself
  }
  sources_.TakeFromAll();
}

void Dispatcher::ExpireLate() {
  while (ExpireSome(kMostLateAtOnce)) {
  }
}

// Looks at most every kExpiryPeriodNs, however many deadlines pass one after the other: whoever
// comes up for its turn is looked at again. But where some were left late it looks again at once.
bool Dispatcher::ExpireSome(size_t most) {
  const int64_t now_ns = clock_.Now();
  JobList late;
  bool more = false;
  {
    absl::MutexLock lock(&mutex_);
    if (now_ns <= next_expiry_ns_) return false;
  }
  const auto make_room = [&] {
    late.reserve(most);
    return absl::OkStatus();
  };
  if (!WithinMemory("look for what is late", make_room).ok()) return false;  // when there is some
  {
    absl::MutexLock lock(&mutex_);
    if (now_ns <= next_expiry_ns_) return false;
    int64_t earliest_ns = INT64_MAX;
    if (current_ != nullptr) current_->StopLate(now_ns);
    for (auto& [number, lane] : lanes_) {
      const uint32_t taken = lane->TakeExpired(now_ns, late, most - late.size());
      queued_ -= taken;
      if (taken > 0) Refresh(*lane);
      earliest_ns = std::min(earliest_ns, lane->earliest_deadline());
    }
    more = late.size() == most;
    next_expiry_ns_ = more ? now_ns - 1 : std::max(earliest_ns, now_ns + kExpiryPeriodNs);
  }
  CompleteLate(late, now_ns);
  return more;
}

void Dispatcher::Rest(uint32_t news, bool worked) {
  if (worked && sources_.Look(news)) return;
  log_.Rest();
  bool blocked = false;
  {
    absl::MutexLock lock(&mutex_);
    blocked = queued_ > 0;                                  // else it would be picked
    if (blocked && next_expiry_ns_ < clock_.Now()) return;  // more that are late
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
           clock_.Now(), /*release=*/false);
  worker->Bury(std::move(hung));
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
