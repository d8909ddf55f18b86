#include "server/engine/run/lane.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace anex::engine {

absl::Status Lane::Push(std::shared_ptr<Job> job) {
  if (closed_) return absl::NotFoundError("the lane has been released");
  if (queued() >= depth_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("lane_depth=", depth_, ": drain completions before submitting more"));
  }
  jobs_.push_back(std::move(job));
  return absl::OkStatus();
}

const std::shared_ptr<Job>& Lane::Start() {
  running_ = true;
  decided_ = false;
  return jobs_.front();
}

std::shared_ptr<Job> Lane::Finish() {
  std::shared_ptr<Job> job = std::move(jobs_.front());
  jobs_.pop_front();
  running_ = false;
  return job;
}

bool Lane::StopRunning() {
  if (!running_ || decided_) return false;
  jobs_.front()->stop_requested = true;
  return true;
}

int64_t Lane::EarliestDeadline() const {
  int64_t earliest = INT64_MAX;
  for (const auto& job : jobs_) earliest = std::min(earliest, job->item.deadline_ns);
  return earliest;
}

}  // namespace anex::engine
