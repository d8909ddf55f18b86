// A FIFO of jobs of one session with one scheduling class.
//
// Threads: none of its own; guarded by the dispatcher's lock.
// Invariants: jobs leave in the order in which they came, but for those that are cancelled or
// expire. The front one stays in the lane while it runs; nothing but Finish takes it out then.
// Bounds: Limits::lane_depth and the session's queue; Push then fails RESOURCE_EXHAUSTED,
// "lane_depth= 256" or "queued_per_session=N".
#ifndef ANEX_SERVER_ENGINE_RUN_LANE_H_
#define ANEX_SERVER_ENGINE_RUN_LANE_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "server/engine/limits.h"
#include "server/engine/objects/quota.h"
#include "server/engine/objects/usage.h"
#include "server/engine/objects/waiter.h"
#include "server/engine/run/fifo.h"
#include "server/engine/run/job.h"

namespace anex::engine {

class Lane {
 public:
  using JobList = std::vector<std::shared_ptr<Job>>;

  // `usage` and `queue` are the session's; they may be null. `waiter` is told when what its front
  // job waits for has changed; null: nobody is.
  Lane(uint64_t number, SessionId session, LaneId name, Bound depth, std::shared_ptr<Usage> usage,
       std::shared_ptr<Quota> queue = nullptr, std::shared_ptr<Waiter> waiter = nullptr)
      : number_(number),
        session_(session),
        name_(name),
        depth_(std::move(depth)),
        usage_(std::move(usage)),
        queue_(std::move(queue)),
        waiter_(std::move(waiter)) {}

  uint64_t number() const { return number_; }
  SessionId session() const { return session_; }
  LaneId name() const { return name_; }
  const std::shared_ptr<Usage>& usage() const { return usage_; }

  // Takes a place in the session's queue too. On error nothing was queued, and `job` is still the
  // caller's.
  absl::Status Push(std::shared_ptr<Job>&& job);

  // Has work that may be tried now.
  bool Ready() const { return !running_ && !blocked_ && !jobs_.empty(); }
  bool empty() const { return jobs_.empty(); }
  bool running() const { return running_; }
  bool blocked() const { return blocked_; }
  bool closed() const { return closed_; }
  uint32_t queued() const { return static_cast<uint32_t>(jobs_.size()) - (running_ ? 1 : 0); }
  // Turns that all its jobs still need, but for the one that is on the device.
  uint64_t turns_waiting() const { return turns_left_ - (running_ ? 1 : 0); }
  // What a turn of it took lately; 0 before the first.
  int64_t expected_turn_ns() const { return expected_turn_ns_; }

  // The front job starts a step. REQUIRES: Ready().
  const std::shared_ptr<Job>& Start();
  // It goes on later, still in front; `stepped`: by one step less.
  void PutBack(bool stepped = true);
  void Block() { running_ = false, blocked_ = true; }  // its wait is not over
  void Unblock() { blocked_ = false; }
  std::shared_ptr<Job> Finish();  // it is done and leaves
  // A turn took the device's thread for so long.
  void Took(int64_t wall_ns);

  // Asks the running job to stop, within its step if the device can, else after it. False if there
  // is none or its end has been settled.
  bool StopRunning();
  // The same for one whose deadline is over.
  void StopLate(int64_t now_ns);
  const Job* running_job() const { return running_ ? jobs_.front().get() : nullptr; }
  void Close() { closed_ = true; }

  // Those that are queued, not the running one, move to `out` if `test` says so, which is at most
  // `most` times; returns how many.
  template <typename Test>
  uint32_t TakeQueued(JobList& out, Test test, size_t most = SIZE_MAX) {
    uint32_t taken = 0;
    // All or nothing, if memory is short.
    const size_t needed = out.size() + std::min(jobs_.size(), most);
    if (needed > out.capacity()) out.reserve(std::max(needed, 2 * out.capacity()));
    size_t keep = running_ ? 1 : 0;
    for (size_t i = keep; i < jobs_.size(); ++i) {
      if (test(*jobs_[i])) {
        if (i == 0) blocked_ = false;  // what held the lane up is gone
        turns_left_ -= jobs_[i]->turns_left;
        out.push_back(std::move(jobs_[i]));
        ++taken;
      } else {
        if (keep != i) jobs_[keep] = std::move(jobs_[i]);
        ++keep;
      }
    }
    jobs_.Truncate(keep);
    return taken;
  }

  // What a scheduler is to know of it changed since it was last told: so many are told nothing new.
  bool News(bool ready, int64_t deadline_ns) {
    return std::exchange(told_ready_, ready) != ready ||
           std::exchange(told_deadline_ns_, deadline_ns) != deadline_ns;
  }
  // Of the job in front, in a lane whose class is ordered by deadlines; else INT64_MAX.
  int64_t FrontDeadline() const {
    return jobs_.empty() || !by_deadline_ ? INT64_MAX : jobs_.front()->item.deadline_ns;
  }
  void OrderByDeadline() { by_deadline_ = true; }
  // No job has an earlier deadline; INT64_MAX if none has one.
  int64_t earliest_deadline() const { return earliest_deadline_; }
  // Those that are queued, not the running one, and whose deadline is over; at most `most`. Costs
  // nothing before earliest_deadline, which stays in the past while there are more.
  uint32_t TakeExpired(int64_t now_ns, JobList& out, size_t most);

 private:
  const uint64_t number_;
  const SessionId session_;
  const LaneId name_;
  const Bound depth_;
  const std::shared_ptr<Usage> usage_;
  const std::shared_ptr<Quota> queue_;
  const std::shared_ptr<Waiter> waiter_;
  Fifo<std::shared_ptr<Job>> jobs_;
  uint64_t turns_left_ = 0;  // of all jobs
  int64_t expected_turn_ns_ = 0;
  int64_t earliest_deadline_ = INT64_MAX;
  bool running_ = false, blocked_ = false, closed_ = false;
  bool by_deadline_ = false, told_ready_ = false;
  int64_t told_deadline_ns_ = INT64_MAX;
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_RUN_LANE_H_
