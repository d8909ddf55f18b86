#include "server/engine/run/lane.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"

namespace anex::engine {

absl::Status Lane::Push(std::shared_ptr<Job>&& job) {
  if (closed_) return absl::NotFoundError("the lane has been released");
  if (queued() >= depth_.value())
    return depth_.Exceeded("drain completions before submitting more");
  if (queue_ != nullptr) {
    absl::StatusOr<QuotaPlace> place = queue_->Take();
    if (!place.ok()) return place.status();
    job->place = *std::move(place);
  }
  Job& queued = *job;
  queued.waiter = waiter_.get();
  jobs_.push_back(std::move(job));  // may want memory: nothing has been counted yet
  turns_left_ += queued.turns_left;
  earliest_deadline_ = std::min(earliest_deadline_, queued.item.deadline_ns);
  return absl::OkStatus();
}

const std::shared_ptr<Job>& Lane::Start() {
  running_ = true;
  return jobs_.front();
}

void Lane::PutBack(bool stepped) {
  running_ = false;
  if (!stepped || jobs_.front()->turns_left <= 1) return;
  --jobs_.front()->turns_left;
  --turns_left_;
}

std::shared_ptr<Job> Lane::Finish() {
  std::shared_ptr<Job> job = jobs_.pop_front();
  turns_left_ -= job->turns_left;
  running_ = false;
  return job;
}

// The last eight or so count.
void Lane::Took(int64_t wall_ns) {
  expected_turn_ns_ =
      expected_turn_ns_ == 0 ? wall_ns : expected_turn_ns_ + (wall_ns - expected_turn_ns_) / 8;
}

bool Lane::StopRunning() {
  if (!running_ || !jobs_.front()->AskToStop()) return false;
  jobs_.front()->control->Stop();
  return true;
}

void Lane::StopLate(int64_t now_ns) {
  Job* const job = running_ ? jobs_.front().get() : nullptr;
  if (job == nullptr || job->settled() || now_ns <= job->item.deadline_ns) return;
  job->late = true;
  job->control->Stop();
}

uint32_t Lane::TakeExpired(int64_t now_ns, JobList& out, size_t most) {
  if (now_ns <= earliest_deadline_ || most == 0) return 0;
  size_t left = most;
  const uint32_t taken = TakeQueued(
      out,
      [now_ns, &left](const Job& job) {
        return left > 0 && now_ns > job.item.deadline_ns && left-- > 0;
      },
      most);
  earliest_deadline_ = INT64_MAX;
  for (size_t i = 0; i < jobs_.size(); ++i) {
    earliest_deadline_ = std::min(earliest_deadline_, jobs_[i]->item.deadline_ns);
  }
  return taken;
}

}  // namespace anex::engine
