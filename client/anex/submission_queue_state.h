// What a SubmissionQueue is inside; apart so that Session::OpenQueue can make one.
// Threads: `mutex` guards what changes; `stream` is null in unary mode.
// Invariant: outstanding = submitted and not yet taken by Next, at most `credits`.
#ifndef ANEX_CLIENT_ANEX_SUBMISSION_QUEUE_STATE_H_
#define ANEX_CLIENT_ANEX_SUBMISSION_QUEUE_STATE_H_

#include <deque>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client/anex/session_core.h"
#include "client/anex/submission_queue.h"
#include "client/anex/submit_path.h"

namespace anex {

struct SubmissionQueue::State {
  State(internal::CorePtr core, internal::SubmitPath path, uint32_t credits)
      : core(std::move(core)),
        stream(std::move(path.stream)),
        mode(path.mode),
        note(std::move(path.note)),
        credits(credits) {}

  const internal::CorePtr core;  // keeps the transport alive for `stream`
  const std::unique_ptr<SubmissionStream> stream;
  const SubmitMode mode;  // how it goes; never kBest
  const std::string note;
  const uint32_t credits;
  absl::Mutex mutex;
  uint32_t outstanding ABSL_GUARDED_BY(mutex) = 0;
  std::deque<Completion> done ABSL_GUARDED_BY(mutex);  // unary mode only
};

}  // namespace anex

#endif  // ANEX_CLIENT_ANEX_SUBMISSION_QUEUE_STATE_H_
