#include "client/cli/bench/crew.h"

#include <sched.h>

#include <utility>

#include "client/cli/bench/lane_way.h"

namespace anex::bench {

Crew::Crew(int members, Part ready, Part work)
    : members_(members),
      make_ready_(std::move(ready)),
      work_(std::move(work)),
      taken_(static_cast<size_t>(members)) {
  for (int i = 0; i < members; ++i) threads_.emplace_back([this, i] { Member(i); });
}

Crew::~Crew() {
  {
    absl::MutexLock lock(&mutex_);
    over_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

void Crew::Member(int i) {
  for (uint64_t turn = 1;; ++turn) {
    const auto called = [this, turn] {
      mutex_.AssertReaderHeld();
      return over_ || called_ == turn;
    };
    {
      absl::MutexLock lock(&mutex_, absl::Condition(&called));
      if (called_ != turn) return;  // over
    }
    absl::Status status = make_ready_(i);
    {
      absl::MutexLock lock(&mutex_);
      ++ready_;
    }
    while (started_.load(std::memory_order_acquire) != turn) ::sched_yield();
    if (status.ok()) status = work_(i);
    const int64_t taken = NowNs() - start_ns_.load(std::memory_order_relaxed);
    absl::MutexLock lock(&mutex_);
    taken_[static_cast<size_t>(i)] = taken;
    first_.Update(status);
    ++done_;
  }
}

absl::StatusOr<std::vector<int64_t>> Crew::Go() {
  absl::MutexLock lock(&mutex_);
  ready_ = done_ = 0;
  first_ = absl::OkStatus();
  const uint64_t turn = ++called_;
  mutex_.Await(absl::Condition(this, &Crew::AllReady));
  start_ns_.store(NowNs(), std::memory_order_relaxed);
  started_.store(turn, std::memory_order_release);
  mutex_.Await(absl::Condition(this, &Crew::AllDone));
  if (!first_.ok()) return first_;
  return taken_;
}

}  // namespace anex::bench
