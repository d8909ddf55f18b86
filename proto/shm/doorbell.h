// Waking across threads and processes, in two forms: a wait on a 32-bit word in (shared) memory,
// and a doorbell, a descriptor that poll can wait for.
//
// Threads: any. A word wait may return early for no reason: the caller looks at the word again. A
// doorbell rung several times before it is drained is one wake-up. Neither form loses one: a wake
// that comes between looking at the word and waiting makes the wait return at once, because the
// kernel compares the word again; a ring stays until drained. Memory: word and doorbell order
// nothing by themselves. The waker stores with release before it wakes, the waiter loads with
// acquire after it woke.
#ifndef ANEX_PROTO_SHM_DOORBELL_H_
#define ANEX_PROTO_SHM_DOORBELL_H_

#include <atomic>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/shm/owned_descriptor.h"

namespace anex::shm {

static_assert(std::atomic<uint32_t>::is_always_lock_free && sizeof(std::atomic<uint32_t>) == 4);

enum class WordWait {
  kLookAgain,  // woken, the word differed already, or for no reason
  kTimedOut,
};

// Sleeps while `word` holds `expected`, at most `timeout` of monotonic time. The word may lie in
// memory shared with another process.
WordWait WaitOnWord(const std::atomic<uint32_t>& word, uint32_t expected, absl::Duration timeout);
// Wakes the waiters of `word`: one, or all.
void WakeOne(std::atomic<uint32_t>& word);
void WakeAll(std::atomic<uint32_t>& word);

class Doorbell {
 public:
  // RESOURCE_EXHAUSTED when descriptors are short.
  static absl::StatusOr<Doorbell> Create();
  // A peer's doorbell, from what its Share gave: to ring only.
  static Doorbell AdoptRinger(OwnedDescriptor ringer);
  Doorbell(Doorbell&&) = default;
  Doorbell& operator=(Doorbell&&) = default;

  void Ring() const;   // never blocks; safe in a signal handler
  void Drain() const;  // makes it quiet again; never blocks
  int poll_descriptor() const { return listen_.get(); }
  // A descriptor for a peer that is to ring it. RESOURCE_EXHAUSTED when descriptors are short.
  absl::StatusOr<OwnedDescriptor> Share() const;

 private:
  Doorbell(OwnedDescriptor listen, OwnedDescriptor ring)
      : listen_(std::move(listen)), ring_(std::move(ring)) {}
  OwnedDescriptor listen_;
  OwnedDescriptor ring_;  // empty where one descriptor does both
};

}  // namespace anex::shm

#endif  // ANEX_PROTO_SHM_DOORBELL_H_
