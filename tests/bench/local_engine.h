// An engine in this process on a spinning device, with sessions that each have one kernel, for
// benchmarks. Whatever fails ends the benchmark.
//
// Threads: as Engine.
#ifndef ANEX_TESTS_BENCH_LOCAL_ENGINE_H_
#define ANEX_TESTS_BENCH_LOCAL_ENGINE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "server/engine/engine.h"
#include "tests/bench/spin_device.h"

namespace anex::bench {

struct LocalClient {
  engine::Caller caller;
  int elements = 0;
  InvocationId invocation;
  LaneId lane;
};

class LocalEngine {
 public:
  explicit LocalEngine(int64_t unit_ns);

  // A session of `weight` whose kernel spins for `elements` units; every one needs another number
  // of elements to be told apart in the log.
  LocalClient Open(const std::string& name, int elements, uint32_t weight = 1);
  LaneId NewLane(const LocalClient& client);
  // A chain of `steps` runs of the client's kernel.
  ChainId NewChain(const LocalClient& client, int steps);

  engine::Engine& engine() { return *engine_; }
  const SpinLog& log() const { return *log_; }
  // What the engine says that the client's session used of the device.
  int64_t accounted_ns(const LocalClient& client) const;

 private:
  const std::shared_ptr<SpinLog> log_ = std::make_shared<SpinLog>();
  std::unique_ptr<engine::Engine> engine_;
};

Submission RunOf(const LocalClient& client);
Submission RunOf(LaneId lane, ChainId chain);

}  // namespace anex::bench

#endif  // ANEX_TESTS_BENCH_LOCAL_ENGINE_H_
