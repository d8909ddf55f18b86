// Two ends of a ring in two processes, for benchmarks: a raw echo that does nothing but the ring
// (same memory, same bell, same wait policy as the daemon), and an engine with a ring door on a
// device double. Each server is a child of the benchmark, on a core of its own or the client's, and
// hands over what its client needs through a socket pair.
//
// Threads: one. Start all before the benchmark itself has threads: children are forked. They are
// killed and reaped by the destructor.
#ifndef ANEX_TESTS_BENCH_RING_RIG_H_
#define ANEX_TESTS_BENCH_RING_RIG_H_

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "proto/shm/ring.h"
#include "proto/shm/side_channel.h"
#include "proto/wire/ring_entry.h"

namespace anex::bench {

// Pins the calling thread, and those that it will start.
void PinTo(int core);

class RingPeer {
 public:
  struct EngineOptions {
    int64_t busy_ns = 0;  // what a kernel takes; 0 = the null kernel
    int rings = 1;
    uint32_t entries = 16;
    int chain_steps = 0;  // instead of one run a submission is a chain of so many
  };
  static std::unique_ptr<RingPeer> Echo(int core, uint32_t entries);
  static std::unique_ptr<RingPeer> Engine(int core, const EngineOptions& options);
  ~RingPeer();

  shm::ClientRing& ring(size_t i = 0) { return *rings_[i]; }
  // Calls of operator new in the child so far; those of the benchmark's binary are counted.
  uint64_t allocations() const { return allocations_->load(); }
  // Of the child so far.
  double cpu_seconds() const;

  // Fail the benchmark if a submission is refused. One round trip:
  void RoundTrip();
  // Nanoseconds for `count` of them with `depth` in flight.
  int64_t Pipelined(uint32_t depth, uint64_t count);

 private:
  using Serve = std::function<void(shm::SideChannel& to_client)>;
  RingPeer(int core, size_t rings, const Serve& serve);

  RingSubmission Entry() const { return {.verb = verb_, .target = target_}; }

  pid_t pid_ = -1;
  RingVerb verb_ = RingVerb::kInvocation;
  uint64_t target_ = 0;
  std::atomic<uint64_t>* allocations_ = nullptr;
  std::vector<std::unique_ptr<shm::ClientRing>> rings_;
};

}  // namespace anex::bench

#endif  // ANEX_TESTS_BENCH_RING_RIG_H_
