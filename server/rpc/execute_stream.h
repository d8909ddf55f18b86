// One Execute stream: submissions in, completions out, never more in flight than its credits.
//
// Threads: Run on the call's thread, which reads; one writer thread of its own, which drains the
// completion queue. Where a client waits for each answer before it goes on, the reading thread
// looks for it itself and answers without waking the writer. Whoever drains writes, under one lock,
// so completions leave in their order. A slow reader fills only its own queue: places are reserved
// before work is queued, so the dispatcher never waits for a stream. (A client that sends on and
// reads nothing until its window of some 64 KiB is full of answers has its submissions taken again
// when it reads.)
//
// Invariant: each submission that was read gets exactly one completion, refused ones too, as long
// as the session lives. With the session the stream ends: what was accepted is answered first.
#ifndef ANEX_SERVER_RPC_EXECUTE_STREAM_H_
#define ANEX_SERVER_RPC_EXECUTE_STREAM_H_

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "anex/v1/execution.grpc.pb.h"
#include "server/engine/engine.h"

namespace anex::rpc {

class ExecuteStream {
 public:
  using Wire = grpc::ServerReaderWriter<v1::ExecuteResponse, v1::ExecuteRequest>;
  static constexpr uint32_t kMostCredits = 1024, kDefaultCredits = 64;

  // `cut` ends the call from this side, whatever the client does: reads and writes fail then.
  ExecuteStream(engine::Engine& engine, const engine::Caller& caller, Wire& wire,
                std::function<void()> cut);
  ~ExecuteStream() { cut_->Off(); }

  // From the first message to the end. INVALID_ARGUMENT for a stream that does not begin with
  // `open` or opens twice; RESOURCE_EXHAUSTED for one too many.
  absl::Status Run();

 private:
  absl::Status Open();
  absl::Status ReadAll();
  // Submissions in a row that are for one lane go to the engine together.
  void Take(const v1::Submission& message);
  void SubmitTaken();
  bool WaitsForAnswer(const v1::ExecuteRequest& request, absl::Duration reading) const;
  void AnswerSoon() ABSL_LOCKS_EXCLUDED(writing_);
  void WriteAll() ABSL_LOCKS_EXCLUDED(writing_);
  void WriteBatch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(writing_);
  bool Left();  // the client has gone
  // A completion for a submission that was not accepted.
  void Refuse(uint64_t lane_id, uint64_t user_data, const absl::Status& status);

  engine::Engine& engine_;
  const engine::Caller caller_;
  Wire& wire_;
  const std::shared_ptr<engine::StreamCut> cut_;
  std::vector<Submission> taken_;  // of one lane, not yet submitted
  engine::QuotaPlace place_;       // among the session's streams
  std::shared_ptr<engine::CompletionQueue> completions_;
  int looks_left_out_ = 0;  // still to come; the reader's
  absl::Mutex writing_;
  std::vector<Completion> batch_ ABSL_GUARDED_BY(writing_);  // drained, not yet written
  v1::ExecuteResponse response_ ABSL_GUARDED_BY(writing_);
  std::atomic<bool> broken_{false};        // a write failed or the call was cancelled
  std::atomic<bool> reading_done_{false};  // no further submission will come
};

}  // namespace anex::rpc

#endif  // ANEX_SERVER_RPC_EXECUTE_STREAM_H_
