#include "client/anex/lane.h"

#include "client/anex/chain.h"
#include "client/anex/invocation.h"
#include "client/anex/submission_queue.h"
#include "client/anex/submission_queue_state.h"

namespace anex {
namespace {

absl::StatusOr<Submission> Make(const Lane& lane, SubmissionKind kind, uint64_t target,
                                uint64_t user_data, const RunOptions& options) {
  if (!lane || target == 0) return internal::EmptyObject();
  if (options.deadline < absl::ZeroDuration()) {
    return absl::InvalidArgumentError("RunOptions::deadline is negative");
  }
  return Submission{.lane = lane.id(),
                    .user_data = user_data,
                    .kind = kind,
                    .target = target,
                    .deadline_ns = absl::ToInt64Nanoseconds(options.deadline),
                    .step_timings = options.step_timings};
}

}  // namespace

absl::StatusOr<Submission> MakeSubmission(const Lane& lane, const Invocation& invocation,
                                          uint64_t user_data, const RunOptions& options) {
  return Make(lane, SubmissionKind::kInvocation, invocation.id().value(), user_data, options);
}

absl::StatusOr<Submission> MakeSubmission(const Lane& lane, const Chain& chain, uint64_t user_data,
                                          const RunOptions& options) {
  return Make(lane, SubmissionKind::kChain, chain.id().value(), user_data, options);
}

absl::StatusOr<Completion> Lane::RunOne(const absl::StatusOr<Submission>& submission) const {
  if (!submission.ok()) return submission.status();
  const absl::StatusOr<Transport*> transport = handle_.Live();
  if (!transport.ok()) return transport.status();
  absl::StatusOr<Completion> completion = runner_->Run(**transport, *submission);
  if (completion.ok() && !completion->status.ok()) return completion->status;
  return completion;
}

absl::StatusOr<Completion> Lane::Run(const Invocation& invocation,
                                     const RunOptions& options) const {
  return RunOne(MakeSubmission(*this, invocation, 0, options));
}

absl::StatusOr<Completion> Lane::Run(const Chain& chain, const RunOptions& options) const {
  return RunOne(MakeSubmission(*this, chain, 0, options));
}

absl::StatusOr<SubmissionQueue> Lane::OpenQueue(uint32_t credits, SubmitMode mode) const {
  const absl::StatusOr<Transport*> transport = handle_.Live();
  if (!transport.ok()) return transport.status();
  if (credits == 0) return absl::InvalidArgumentError("a queue needs at least one credit");
  if (mode == SubmitMode::kRing || mode == SubmitMode::kBest) runner_->GiveUpRing();
  absl::StatusOr<internal::SubmitPath> path = internal::OpenPath(**transport, id(), mode, credits);
  if (!path.ok()) return path.status();
  return SubmissionQueue(
      std::make_unique<SubmissionQueue::State>(handle_.core(), *std::move(path), credits));
}

SubmitMode Lane::path() const { return runner_ ? runner_->path() : SubmitMode::kUnary; }

std::string Lane::note() const { return runner_ ? runner_->note() : std::string(); }

absl::StatusOr<uint32_t> Lane::Cancel(uint64_t user_data) const {
  const absl::StatusOr<Transport*> transport = handle_.Live();
  if (!transport.ok()) return transport.status();
  return (*transport)->Cancel(id(), user_data);
}

absl::StatusOr<LaneStatus> Lane::Describe() const {
  const absl::StatusOr<Transport*> transport = handle_.Live();
  if (!transport.ok()) return transport.status();
  return (*transport)->DescribeLane(id());
}

absl::Status Lane::WaitIdle() const {
  const absl::StatusOr<Transport*> transport = handle_.Live();
  return transport.ok() ? (*transport)->WaitLaneIdle(id()) : transport.status();
}

absl::Status Lane::Release() { return handle_.Release(); }

absl::Status Fence::Signal(uint64_t value) const {
  const absl::StatusOr<Transport*> transport = handle_.Live();
  return transport.ok() ? (*transport)->SignalFence(id(), value) : transport.status();
}

absl::StatusOr<uint64_t> Fence::Wait(uint64_t value) const {
  const absl::StatusOr<Transport*> transport = handle_.Live();
  if (!transport.ok()) return transport.status();
  return (*transport)->WaitFence(id(), value);
}

absl::Status Fence::Release() { return handle_.Release(); }

}  // namespace anex
