// What clients saw, in one order, and whether it is a history that the contract allows:
//
//   1. each submission completes exactly once, and nothing completes that was not submitted; of a
//      client that has ended (its session closed, the process killed) some may not be seen;
//   2. what ran in a lane completed in the order in which it was submitted;
//   3. CANCELLED and DEADLINE_EXCEEDED say what somebody asked for; no other error is seen.
//   (Whoever
//      records gives each lane work that fails if it is run out of order: a fence of its own that
//      each signals to its number, which never falls.)
//
// Threads: History from any; a submission is added before it is sent, a completion when it is seen,
// so the order is one in which it may have happened. FindViolations is pure.
#ifndef ANEX_TESTS_CONFORMANCE_HISTORY_H_
#define ANEX_TESTS_CONFORMANCE_HISTORY_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

namespace anex::test {

struct HistoryEvent {
  enum class Kind : uint8_t { kSubmitted, kCompleted, kCancelAsked, kClientEnded };
  Kind kind = Kind::kSubmitted;
  uint32_t client = 0, lane = 0;                  // lanes are numbered within their client
  uint64_t id = 0;                                // of a submission, in its lane; rising
  bool has_deadline = false;                      // of kSubmitted
  absl::StatusCode code = absl::StatusCode::kOk;  // of kCompleted
};

class History {
 public:
  void Add(const HistoryEvent& event) {
    absl::MutexLock lock(&mutex_);
    events_.push_back(event);
  }
  std::vector<HistoryEvent> events() const {
    absl::MutexLock lock(&mutex_);
    return events_;
  }

 private:
  mutable absl::Mutex mutex_;
  std::vector<HistoryEvent> events_ ABSL_GUARDED_BY(mutex_);
};

// One sentence each; none for a good history.
std::vector<std::string> FindViolations(std::span<const HistoryEvent> events);

}  // namespace anex::test

#endif  // ANEX_TESTS_CONFORMANCE_HISTORY_H_
