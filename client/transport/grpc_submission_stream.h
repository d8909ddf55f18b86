// Many submissions in flight on one gRPC stream: Execution.Execute.
//
// Threads: Submit from any thread, Next from one at a time; a reader thread of its own takes what
// the daemon sends. Credits: taken before a submission is written, given back when its completion
// arrives. Bound: completions that nobody takes stop the reader at `undelivered_bound`, and flow
// control then stops the daemon's sending; nothing grows.
#ifndef ANEX_CLIENT_TRANSPORT_GRPC_SUBMISSION_STREAM_H_
#define ANEX_CLIENT_TRANSPORT_GRPC_SUBMISSION_STREAM_H_

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client/transport/grpc_connection.h"
#include "client/transport/transport.h"

namespace anex {

class GrpcSubmissionStream : public SubmissionStream {
 public:
  // Opens the stream and waits for the daemon's credits.
  static absl::StatusOr<std::unique_ptr<SubmissionStream>> Open(
      std::shared_ptr<GrpcConnection> connection, uint32_t credits);
  ~GrpcSubmissionStream() override;

  absl::Status Submit(std::span<const Submission> submissions) override;
  absl::StatusOr<Completion> Next(absl::Duration timeout) override;

 private:
  using Stream = grpc::ClientReaderWriter<v1::ExecuteRequest, v1::ExecuteResponse>;

  explicit GrpcSubmissionStream(std::shared_ptr<GrpcConnection> connection);
  absl::Status Start(uint32_t credits);
  void ReadLoop() ABSL_LOCKS_EXCLUDED(mutex_);
  // Takes what one message brings; false if it breaks the contract.
  bool Take(const v1::ExecuteResponse& response) ABSL_LOCKS_EXCLUDED(mutex_);
  // Ends the stream, because what was sent of a batch cannot be told from what was not.
  void GiveUp() ABSL_LOCKS_EXCLUDED(mutex_);
  // Waits for at least one credit and takes as many as there are, at most `wanted`.
  absl::StatusOr<uint32_t> TakeCredits(uint32_t wanted) ABSL_LOCKS_EXCLUDED(mutex_);

  const std::shared_ptr<GrpcConnection> connection_;
  grpc::ClientContext context_;
  std::unique_ptr<Stream> stream_;
  absl::Mutex write_mutex_;  // one writer at a time; taken before mutex_, never after
  absl::Mutex mutex_;
  bool granted_ ABSL_GUARDED_BY(mutex_) = false;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false, given_up_ ABSL_GUARDED_BY(mutex_) = false;
  uint32_t credits_ ABSL_GUARDED_BY(mutex_) = 0;
  uint32_t in_flight_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t undelivered_bound_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<Completion> done_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Status> ended_ ABSL_GUARDED_BY(mutex_);  // why no more will come
  std::thread reader_;
};

}  // namespace anex

#endif  // ANEX_CLIENT_TRANSPORT_GRPC_SUBMISSION_STREAM_H_
