#include "client/anex/lane_runner.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace anex::internal {
namespace {

constexpr uint32_t kRunsWithoutRing = 1;
// One run is under way at a time; its place is free again before the next.
constexpr uint32_t kCredits = 2;

}  // namespace

absl::StatusOr<Completion> LaneRunner::Run(Transport& transport, const Submission& submission) {
  if (!submission.step_timings && run_mutex_.TryLock()) {
    const bool ring = HasRing(transport);
    absl::StatusOr<Completion> done = Completion();
    if (ring) done = RunOnRing(transport, submission);
    run_mutex_.Unlock();
    if (ring) return done;
  }
  absl::StatusOr<Completion> done = transport.Evaluate(submission);
  // One that was refused says nothing about the lane: not even which device it will be on.
  if (done.ok()) accepted_.fetch_add(1, std::memory_order_relaxed);
  return done;
}

bool LaneRunner::HasRing(Transport& transport) {
  if (ring_ != nullptr) return true;
  if (decided_ || accepted_.load(std::memory_order_relaxed) < kRunsWithoutRing) return false;
  decided_ = true;
  place_ = core_->TakeRunRing();
  if (!place_) {
    Say(SubmitMode::kUnary, absl::StrCat("no ring: ", SessionCore::kMostRunRings,
                                         " lanes of the session have one for single runs"));
    return false;
  }
  absl::StatusOr<std::unique_ptr<SubmissionStream>> opened = transport.OpenRing(lane_, kCredits);
  if (!opened.ok()) {
    DropRing(absl::StrCat("no ring: ", std::string(opened.status().message())));
    return false;
  }
  ring_ = *std::move(opened);
  Say(SubmitMode::kRing, "");
  return true;
}

absl::StatusOr<Completion> LaneRunner::RunOnRing(Transport& transport, Submission submission) {
  const uint64_t user_data = std::exchange(submission.user_data, ++last_run_);
  if (absl::Status put = ring_->Submit(std::span(&submission, 1)); !put.ok()) {
    if (!absl::IsInvalidArgument(put)) DropRing("the ring ended");
    return put;
  }
  // The work may take as long as it was allowed to.
  const absl::Duration patience =
      transport.call_deadline() + absl::Nanoseconds(std::max<int64_t>(submission.deadline_ns, 0));
  absl::StatusOr<Completion> done = ring_->Next(patience);
  if (!done.ok()) {  // too late or over: its completion, if it still comes, is nobody's
    (void)transport.Cancel(lane_, last_run_);
    DropRing(absl::StrCat("the ring was left: ", std::string(done.status().message())));
    return done;
  }
  done->user_data = user_data;
  return done;
}

void LaneRunner::DropRing(std::string why) {
  ring_.reset();
  place_ = RunRingPlace();
  Say(SubmitMode::kUnary, std::move(why));
}

void LaneRunner::Say(SubmitMode path, std::string note) {
  absl::MutexLock lock(&said_mutex_);
  path_ = path;
  note_ = std::move(note);
}

void LaneRunner::GiveUpRing() {
  absl::MutexLock lock(&run_mutex_);
  decided_ = true;
  DropRing("no ring: the lane's is that of a queue");
}

SubmitMode LaneRunner::path() const {
  absl::MutexLock lock(&said_mutex_);
  return path_;
}

std::string LaneRunner::note() const {
  absl::MutexLock lock(&said_mutex_);
  return note_;
}

}  // namespace anex::internal
