// Where completions go: the hand-back from a dispatcher to one front, which never calls up. A queue
// that the front drains (completion_queue.h), or memory that the client itself reads (a ring).
//
// Threads: Reserve and Unreserve from submitters, Push from whoever completes: the device thread, a
// canceller, the watchdog; several at once.
// Invariant: a place is reserved before work is queued, so Push never waits for the front and never
// fails; every reserved place is filled by exactly one Push, or given back by Unreserve if queueing
// failed. Nothing of an engine's is locked while Push runs.
#ifndef ANEX_SERVER_ENGINE_RUN_COMPLETION_SINK_H_
#define ANEX_SERVER_ENGINE_RUN_COMPLETION_SINK_H_

#include "absl/status/status.h"
#include "proto/values/execution_values.h"

namespace anex::engine {

class CompletionSink {
 public:
  virtual ~CompletionSink() = default;
  // An error, naming the bound, means that no place is free.
  virtual absl::Status Reserve() = 0;
  virtual void Unreserve() = 0;
  virtual void Push(Completion completion) = 0;
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_RUN_COMPLETION_SINK_H_
