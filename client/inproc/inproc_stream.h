// A stream of submissions on an engine in this process.
//
// Threads: Submit and Next from different threads. Invariant: at most `credits` submissions have
// been submitted and not been fetched by Next; each is fetched exactly once, refused ones too. Once
// the session has ended and all is fetched, Next says UNAVAILABLE.
#ifndef ANEX_CLIENT_INPROC_INPROC_STREAM_H_
#define ANEX_CLIENT_INPROC_INPROC_STREAM_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client/transport/transport.h"
#include "server/engine/engine.h"

namespace anex {

class InprocStream final : public SubmissionStream {
 public:
  // Who asks, with a fresh deadline each time.
  using MakeCaller = std::function<engine::Caller()>;

  InprocStream(std::shared_ptr<engine::Engine> engine, MakeCaller caller,
               engine::OpenedStream stream);
  ~InprocStream() override;

  absl::Status Submit(std::span<const Submission> submissions) override;
  absl::StatusOr<Completion> Next(absl::Duration timeout) override;

 private:
  absl::Status TakeCredit(const engine::Caller& caller);
  bool HasCredit() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return credits_ > 0; }

  const std::shared_ptr<engine::Engine> engine_;
  const MakeCaller caller_;
  const engine::QuotaPlace place_;  // among the session's streams
  const std::shared_ptr<engine::CompletionQueue> completions_;
  absl::Mutex mutex_;
  uint32_t credits_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace anex

#endif  // ANEX_CLIENT_INPROC_INPROC_STREAM_H_
