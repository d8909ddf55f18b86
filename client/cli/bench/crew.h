// Threads that begin together, again and again: what several clients at once are made of. Between
// two goes they sleep; before one each makes ready, then yields until all are.
//
// Threads: Go from one. Lifetime: what the functions use outlives the crew.
#ifndef ANEX_CLIENT_CLI_BENCH_CREW_H_
#define ANEX_CLIENT_CLI_BENCH_CREW_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

namespace anex::bench {

class Crew {
 public:
  using Part = std::function<absl::Status(int member)>;

  // `ready` is untimed, `work` is timed; each is called by the member's own thread.
  Crew(int members, Part ready, Part work);
  ~Crew();

  // How long after the common start each member had done its work; or the first error. A member
  // that fails to make ready does not work.
  absl::StatusOr<std::vector<int64_t>> Go();

 private:
  void Member(int i);
  bool AllReady() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return ready_ == members_; }
  bool AllDone() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return done_ == members_; }

  const int members_;
  const Part make_ready_, work_;
  std::atomic<uint64_t> started_{0};  // the go that has begun
  std::atomic<int64_t> start_ns_{0};
  absl::Mutex mutex_;
  uint64_t called_ ABSL_GUARDED_BY(mutex_) = 0;  // the go that members make ready for
  bool over_ ABSL_GUARDED_BY(mutex_) = false;
  int ready_ ABSL_GUARDED_BY(mutex_) = 0, done_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status first_ ABSL_GUARDED_BY(mutex_);
  std::vector<int64_t> taken_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

}  // namespace anex::bench

#endif  // ANEX_CLIENT_CLI_BENCH_CREW_H_
