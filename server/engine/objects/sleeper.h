// A thread that waits for news in poll(2), perhaps together with descriptors of others, and those
// who bring the news: a system call is made only for one that sleeps.
//
//   sleeping thread                          bringer
//   seen = news(); look for work; none       do what makes work
//   Prepare(seen): asleep = 1, then news     Wake(): news + 1, then asleep
//   poll; Awake                                      asleep? take it back and ring
//
// All four are sequentially consistent: either the thread sees the news and does not sleep, or the
// bringer sees it asleep and rings. A ring stays until it is drained, so none is lost; one that
// comes too late costs a look for nothing.
//
// Threads: Wake and news from any thread, the rest from the one that sleeps.
#ifndef ANEX_SERVER_ENGINE_OBJECTS_SLEEPER_H_
#define ANEX_SERVER_ENGINE_OBJECTS_SLEEPER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "proto/shm/doorbell.h"

namespace anex::engine {

class Sleeper {
 public:
  // RESOURCE_EXHAUSTED when descriptors are short.
  static absl::StatusOr<std::unique_ptr<Sleeper>> Create() {
    absl::StatusOr<shm::Doorbell> bell = shm::Doorbell::Create();
    if (!bell.ok()) return bell.status();
    return std::unique_ptr<Sleeper>(new Sleeper(*std::move(bell)));
  }

  void Wake() {
    news_.fetch_add(1, std::memory_order_seq_cst);
    if (!asleep_.load(std::memory_order_seq_cst)) return;
    if (asleep_.exchange(false, std::memory_order_seq_cst)) bell_.Ring();
  }
  // How much there was, ever; only whether it changed counts.
  uint32_t news() const { return news_.load(std::memory_order_acquire); }

  // From now on Wake rings. False: there is news since `seen`, do not sleep.
  bool Prepare(uint32_t seen) {
    asleep_.store(true, std::memory_order_seq_cst);
    if (news_.load(std::memory_order_seq_cst) == seen) return true;
    asleep_.store(false, std::memory_order_relaxed);
    return false;
  }
  // `rang`: poll said that the bell is ringing.
  void Awake(bool rang) {
    asleep_.store(false, std::memory_order_relaxed);
    if (rang) bell_.Drain();
  }
  int poll_descriptor() const { return bell_.poll_descriptor(); }

 private:
  explicit Sleeper(shm::Doorbell bell) : bell_(std::move(bell)) {}

  const shm::Doorbell bell_;
  std::atomic<uint32_t> news_{0};
  std::atomic<bool> asleep_{false};
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_OBJECTS_SLEEPER_H_
