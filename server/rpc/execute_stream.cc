#include "server/rpc/execute_stream.h"

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "proto/convert/execution_convert.h"
#include "proto/values/within_memory.h"

namespace anex::rpc {
namespace {

constexpr size_t kBatch = 64;
// A message is sent from this size on: completions may carry a timing for each step of a long
// chain, and 8 MiB is the bound of a message.
constexpr size_t kEnoughBytes = 1 << 20;
constexpr absl::Duration kPoll = absl::Milliseconds(200);
// Looks that are left out after one that was for nothing: the work takes longer.
constexpr int kLooksLeftOut = 32;
// A message that is read at once was there already: the client does not wait for answers.
constexpr absl::Duration kAtOnce = absl::Microseconds(20);
// Answers that the reading thread gives at one time: few, so that it does not stand still in them.
constexpr int kFewAnswers = 16;

}  // namespace

ExecuteStream::ExecuteStream(engine::Engine& engine, const engine::Caller& caller, Wire& wire,
                             std::function<void()> cut)
    : engine_(engine),
      caller_(caller),
      wire_(wire),
      cut_(std::make_shared<engine::StreamCut>(std::move(cut))) {}

absl::Status ExecuteStream::Run() {
  if (absl::Status opened = Open(); !opened.ok()) return opened;
  std::thread writer([this] {
    const absl::Status written = WithinMemory("answer this call", [this] {
      WriteAll();
      return absl::OkStatus();
    });
    if (written.ok()) return;
    broken_.store(true);
    completions_->Shutdown();
    cut_->Run();  // the reader may be waiting for a client that waits for an answer
  });
  bool orderly = false;
  // However the reading ends, by an exception too, the writer ends before what it uses goes.
  const absl::Cleanup join = [&] {
    if (!orderly) broken_.store(true);
    // The rest is completed before the stream ends, unless the client has left: then what is queued
    // runs all the same and its completions are dropped.
    reading_done_.store(true);
    if (Left() || completions_->outstanding() == 0) completions_->Shutdown();  // wakes the writer
    writer.join();
  };
  absl::Status read = ReadAll();
  orderly = true;
  return read;
}

absl::Status ExecuteStream::Open() {
  v1::ExecuteRequest request;
  if (!wire_.Read(&request) || !request.has_open() || request.submissions_size() != 0) {
    return absl::InvalidArgumentError("an Execute stream begins with `open` alone");
  }
  const uint32_t wanted =
      request.open().credits() == 0 ? kDefaultCredits : request.open().credits();
  absl::StatusOr<engine::OpenedStream> stream =
      engine_.OpenStream(caller_, std::min(wanted, kMostCredits), cut_);
  if (!stream.ok()) return stream.status();
  place_ = std::move(stream->place);
  completions_ = std::move(stream->completions);
  v1::ExecuteResponse response;
  response.set_credits(static_cast<uint32_t>(completions_->bound()));  // a limit may have cut it
  wire_.Write(response);
  return absl::OkStatus();
}

absl::Status ExecuteStream::ReadAll() {
  v1::ExecuteRequest request;
  for (absl::Time began = absl::Now(); !broken_.load() && wire_.Read(&request);
       began = absl::Now()) {
    const absl::Duration reading = absl::Now() - began;
    if (request.has_open()) return absl::InvalidArgumentError("an Execute stream opens once");
    for (const v1::Submission& submission : request.submissions()) Take(submission);
    SubmitTaken();
    if (WaitsForAnswer(request, reading)) AnswerSoon();
  }
  return absl::OkStatus();
}

// One that goes on sending has more in flight than this message, or had the next one ready.
bool ExecuteStream::WaitsForAnswer(const v1::ExecuteRequest& request,
                                   absl::Duration reading) const {
  const int sent = request.submissions_size();
  return reading > kAtOnce && sent <= kFewAnswers &&
         completions_->outstanding() <= static_cast<size_t>(sent) &&
         std::ranges::none_of(request.submissions(), &v1::Submission::step_timings);
}

void ExecuteStream::Take(const v1::Submission& message) {
  auto submission = convert::FromProto(message);
  if (!submission.ok() || (!taken_.empty() && taken_.front().lane != submission->lane)) {
    SubmitTaken();
  }
  if (submission.ok()) {
    taken_.push_back(*std::move(submission));
  } else {
    Refuse(message.lane_id(), message.user_data(), submission.status());
  }
}

void ExecuteStream::SubmitTaken() {
  for (std::span<const Submission> left(taken_); !left.empty();) {
    absl::Status refused;
    left = left.subspan(engine_.SubmitSome(caller_, left, completions_, refused));
    if (refused.ok()) continue;
    Refuse(left.front().lane.value(), left.front().user_data, refused);
    left = left.subspan(1);
  }
  taken_.clear();
}

void ExecuteStream::Refuse(uint64_t lane_id, uint64_t user_data, const absl::Status& status) {
  Completion completion;
  completion.lane = LaneId(lane_id);
  completion.user_data = user_data;
  completion.status = status;
  // A client that overruns its credits waits here, in its own call, until it has read.
  for (absl::Status place = completions_->Reserve(); !place.ok(); place = completions_->Reserve()) {
    if (Left() || !absl::IsResourceExhausted(place)) return;
    absl::SleepFor(absl::Milliseconds(1));
  }
  completions_->Push(std::move(completion));
}

void ExecuteStream::AnswerSoon() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (looks_left_out_ > 0) {
    --looks_left_out_;
    return;
  }
  if (!writing_.TryLock()) return;  // the writer is at it
  const absl::Cleanup unlock = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { writing_.Unlock(); };
  batch_.clear();
  bool tried = false;
  if (completions_->DrainSoon(batch_, kBatch, tried) > 0) {
    WriteBatch();
  } else if (tried) {
    looks_left_out_ = kLooksLeftOut;
  }
}

void ExecuteStream::WriteAll() {
  while (!Left()) {
    completions_->Wait(kPoll);
    {
      absl::MutexLock lock(&writing_);
      batch_.clear();
      if (completions_->Drain(batch_, kBatch, absl::ZeroDuration()) > 0) WriteBatch();
    }
    if (reading_done_.load() && completions_->outstanding() == 0) return;
    if (completions_->ended()) {  // with the session: the reader waits for a client that may not go
      broken_.store(true);
      cut_->Run();
    }
  }
  completions_->Shutdown();
}

void ExecuteStream::WriteBatch() {
  response_.Clear();
  size_t bytes = 0;
  for (const Completion& completion : batch_) {
    convert::ToProto(completion, response_.add_completions());
    bytes += response_.completions(response_.completions_size() - 1).ByteSizeLong();
    if (bytes < kEnoughBytes) continue;
    if (!wire_.Write(response_)) broken_.store(true);
    response_.Clear();
    bytes = 0;
  }
  if (response_.completions_size() > 0 && !wire_.Write(response_)) broken_.store(true);
}

bool ExecuteStream::Left() {
  if (caller_.cancelled && caller_.cancelled()) broken_.store(true);
  return broken_.load();
}

}  // namespace anex::rpc
