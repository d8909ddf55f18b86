#include "client/transport/grpc_submission_stream.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/convert/execution_convert.h"

namespace anex {
namespace {

// Besides what is in flight, so many completions may wait for Next.
constexpr size_t kUndelivered = 1024;
// Submissions of one message: a message stays small, and a long batch starts before all of it is
// out.
constexpr uint32_t kBatch = 256;

}  // namespace

GrpcSubmissionStream::GrpcSubmissionStream(std::shared_ptr<GrpcConnection> connection)
    : connection_(std::move(connection)) {}

absl::StatusOr<std::unique_ptr<SubmissionStream>> GrpcSubmissionStream::Open(
    std::shared_ptr<GrpcConnection> connection, uint32_t credits) {
  const absl::Status ready = connection->SessionReady();
  if (!ready.ok()) return ready;
  std::unique_ptr<GrpcSubmissionStream> stream(new GrpcSubmissionStream(std::move(connection)));
  const absl::Status started = stream->Start(credits);
  if (!started.ok()) return started;
  return stream;
}

absl::Status GrpcSubmissionStream::Start(uint32_t credits) {
  connection_->Prepare(context_, absl::InfiniteDuration());
  stream_ = connection_->execution->Execute(&context_);
  reader_ = std::thread([this] { ReadLoop(); });
  v1::ExecuteRequest open;
  open.mutable_open()->set_credits(credits);
  {
    absl::MutexLock writing(&write_mutex_);
    stream_->Write(open);  // a failure shows in the reader, with its reason
  }
  absl::MutexLock lock(&mutex_);
  const auto settled = [this] {
    mutex_.AssertReaderHeld();
    return granted_ || ended_.has_value();
  };
  mutex_.AwaitWithTimeout(absl::Condition(&settled), connection_->call_deadline());
  if (granted_) return absl::OkStatus();
  if (!ended_.has_value()) {
    return absl::DeadlineExceededError("the daemon gave no credits for the stream in time");
  }
  return ended_->ok() ? absl::UnavailableError("the daemon closed the stream at once") : *ended_;
}

GrpcSubmissionStream::~GrpcSubmissionStream() {
  {
    absl::MutexLock lock(&mutex_);
    closing_ = true;
  }
  // What is queued runs on: a cancelled stream only drops its completions.
  context_.TryCancel();
  if (reader_.joinable()) reader_.join();
}

void GrpcSubmissionStream::ReadLoop() {
  v1::ExecuteResponse response;
  bool good = true;
  while (good && stream_->Read(&response)) good = Take(response);
  if (!good) context_.TryCancel();
  absl::Status end = connection_->Outcome(context_, stream_->Finish());
  if (!good) end = absl::DataLossError("the daemon sent completions that break the contract");
  absl::MutexLock lock(&mutex_);
  if (good && !closing_ && !given_up_ && absl::IsCancelled(end)) {
    end = absl::UnavailableError(
        "the daemon ended the stream, because its session has ended: open a new session");
  }
  ended_ = std::move(end);
}

bool GrpcSubmissionStream::Take(const v1::ExecuteResponse& response) {
  absl::MutexLock lock(&mutex_);
  if (!granted_) {
    if (response.credits() == 0) return false;
    granted_ = true;
    credits_ = response.credits();
    undelivered_bound_ = credits_ + kUndelivered;
  }
  for (const v1::Completion& each : response.completions()) {
    const auto room = [this] {
      mutex_.AssertReaderHeld();
      return closing_ || done_.size() < undelivered_bound_;
    };
    mutex_.Await(absl::Condition(&room));
    if (closing_) return false;
    absl::StatusOr<Completion> completion = convert::FromProto(each);
    if (!completion.ok() || in_flight_ == 0) return false;
    --in_flight_;
    ++credits_;
    done_.push_back(*std::move(completion));
  }
  return true;
}

absl::StatusOr<uint32_t> GrpcSubmissionStream::TakeCredits(uint32_t wanted) {
  absl::MutexLock lock(&mutex_);
  const auto some = [this] {
    mutex_.AssertReaderHeld();
    return credits_ > 0 || ended_.has_value();
  };
  if (!mutex_.AwaitWithTimeout(absl::Condition(&some), connection_->call_deadline())) {
    return absl::DeadlineExceededError("no credit came back in time: nothing completes");
  }
  if (ended_.has_value()) {
    return ended_->ok() ? absl::UnavailableError("the daemon closed the stream") : *ended_;
  }
  const uint32_t taken = std::min({wanted, credits_, kBatch});
  credits_ -= taken;
  in_flight_ += taken;
  return taken;
}

void GrpcSubmissionStream::GiveUp() {
  {
    absl::MutexLock lock(&mutex_);
    given_up_ = true;
  }
  context_.TryCancel();
}

absl::Status GrpcSubmissionStream::Submit(std::span<const Submission> submissions) {
  absl::MutexLock writing(&write_mutex_);
  for (bool first = true; !submissions.empty(); first = false) {
    const absl::StatusOr<uint32_t> taken = TakeCredits(static_cast<uint32_t>(submissions.size()));
    if (!taken.ok()) {
      // Part of the batch is out: nobody could tell which, so the stream ends for good.
      if (!first) GiveUp();
      return taken.status();
    }
    v1::ExecuteRequest request;
    for (const Submission& each : submissions.first(*taken)) {
      convert::ToProto(each, request.add_submissions());
    }
    if (!stream_->Write(request)) {
      context_.TryCancel();
      return absl::UnavailableError(
          absl::StrCat("the daemon at ", connection_->endpoint(),
                       " ended the stream of submissions; Next says why, then open another one"));
    }
    submissions = submissions.subspan(*taken);
  }
  return absl::OkStatus();
}

absl::StatusOr<Completion> GrpcSubmissionStream::Next(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  const auto some = [this] {
    mutex_.AssertReaderHeld();
    return !done_.empty() || ended_.has_value();
  };
  if (!mutex_.AwaitWithTimeout(absl::Condition(&some), timeout)) {
    return absl::DeadlineExceededError("no completion within the timeout");
  }
  if (done_.empty()) {
    return ended_->ok() ? absl::UnavailableError(absl::StrCat("the daemon closed the stream with ",
                                                              in_flight_, " in flight"))
                        : *ended_;
  }
  Completion completion = std::move(done_.front());
  done_.pop_front();
  return completion;
}

}  // namespace anex
