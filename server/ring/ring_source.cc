#include "server/ring/ring_source.h"

#include <algorithm>
#include <span>
#include <utility>

#include "proto/values/status_words.h"
#include "proto/values/within_memory.h"

namespace anex::ring {
namespace {

// What an entry asks for, in its ring's lane.
Submission SubmissionOf(const RingSubmission& entry, LaneId lane) {
  Submission submission;
  submission.lane = lane;
  submission.user_data = entry.user_data;
  submission.target = entry.target;
  submission.argument = entry.argument;
  submission.deadline_ns = entry.deadline_ns;
  switch (entry.verb) {
    case RingVerb::kInvocation:
      submission.kind = SubmissionKind::kInvocation;
      break;
    case RingVerb::kChain:
      submission.kind = SubmissionKind::kChain;
      break;
    case RingVerb::kPublish:
      submission.kind = SubmissionKind::kPublish;
      break;
    case RingVerb::kFenceSignal:
      submission.fence_signal = true;
      [[fallthrough]];
    case RingVerb::kFenceWait:
      submission.kind = SubmissionKind::kFence;
      break;
  }
  return submission;
}

}  // namespace

bool RingSource::Refill() {
  if (at_ < count_) return true;
  at_ = count_ = 0;
  const absl::Status taken = InWordsIfRoom(absl::StatusCode::kDataLoss, [this]() -> absl::Status {
    const absl::StatusOr<size_t> count = parts_.ring->Take(batch_);
    if (!count.ok()) return count.status();
    count_ = *count;
    return absl::OkStatus();
  });
  if (taken.ok()) return count_ > 0;
  broken_ = true;
  const absl::string_view text = taken.message();
  if (!parts_.on_broken) return false;
  (void)WithinMemory("say that a ring is broken", [&] {
    parts_.on_broken({text.data(), text.size()});
    return absl::OkStatus();
  });
  return false;
}

engine::WorkSource::Taken RingSource::Poll(size_t most) {
  if (broken_ || !Refill()) return {};
  const size_t end = std::min(count_, at_ + most);
  std::array<Submission, kMostTaken> submissions;
  RingSubmission entry;
  std::string_view wrong;
  size_t good = 0;
  for (; at_ + good < end; ++good) {
    wrong = DecodeUntrusted(batch_[at_ + good], entry);
    if (!wrong.empty()) break;
    submissions[good] = SubmissionOf(entry, parts_.lane);
  }
  absl::Status refused;
  const size_t accepted = parts_.engine->SubmitSome(
      parts_.caller, std::span(submissions).first(good), shared_from_this(), refused,
      /*from_source=*/true);
  at_ += accepted;
  if (accepted < good) {
    Refuse(submissions[accepted].user_data, std::move(refused));
    return {accepted + 1, true};
  }
  if (wrong.empty()) return {accepted, false};
  Refuse(entry.user_data, InWordsIfRoom(absl::StatusCode::kInvalidArgument, [wrong] {
           return absl::InvalidArgumentError(absl::string_view(wrong.data(), wrong.size()));
         }));
  return {accepted + 1, true};
}

void RingSource::Charge(int64_t ns) { parts_.engine->ChargeLane(parts_.caller, parts_.lane, ns); }

void RingSource::Detached() {
  parts_.ring->Close(RingState::kClosed);
  for (const std::string& token : parts_.tokens) {
    (void)parts_.engine->TakeHandover(parts_.caller.session, token);
  }
}

void RingSource::Refuse(uint64_t user_data, absl::Status status) {
  ++at_;
  Completion refused;
  refused.user_data = user_data;
  refused.status = std::move(status);
  Push(std::move(refused));
}

bool RingSource::HasWork() const {
  return !broken_ && (at_ < count_ || parts_.ring->HasSubmissions());
}

bool RingSource::PrepareToSleep() {
  if (broken_) return true;
  return at_ == count_ && parts_.ring->PrepareToSleep();
}

void RingSource::Awake(bool rang) {
  parts_.ring->Awake();
  if (rang) parts_.bell->Drain();
}

void RingSource::Push(Completion completion) {
  RingCompletion entry;
  entry.user_data = completion.user_data;
  entry.queue_ns = completion.queue_ns;
  entry.device_ns = completion.device_ns;
  entry.total_ns = completion.total_ns;
  entry.generation = completion.generation;
  entry.steps_done = completion.steps_done;
  entry.status = static_cast<uint8_t>(completion.status.code());
  const absl::string_view text = completion.status.message();
  absl::MutexLock lock(&post_mutex_);
  parts_.ring->Post(entry, {text.data(), text.size()});
  parts_.ring->WakeClient();
}

}  // namespace anex::ring
