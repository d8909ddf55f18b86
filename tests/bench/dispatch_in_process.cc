#include <algorithm>
#include <chrono>
#include <cstdio>

#include "tests/bench/dispatch_figures.h"
#include "tests/bench/local_engine.h"
#include "tests/bench/measure.h"
#include "tests/bench/ring_rig.h"

namespace anex::bench {
namespace {

constexpr int64_t kKernelNs = 100'000;
constexpr int kChainSteps = 120;
constexpr uint32_t kDepth = 12;
constexpr uint64_t kCount = 240;

double PerEvaluationUs(LocalEngine& local, const LocalClient& client,
                       const std::shared_ptr<engine::CompletionQueue>& queue) {
  const Submission submission = RunOf(client);
  uint64_t submitted = 0, finished = 0;
  std::vector<Completion> done;
  const auto begin = std::chrono::steady_clock::now();
  while (finished < kCount) {
    while (submitted < kCount && submitted - finished < kDepth) {
      Check(local.engine().Submit(client.caller, submission, queue), "submit");
      ++submitted;
    }
    done.clear();
    finished += queue->Drain(done, kDepth, absl::Seconds(10));
  }
  const auto took = std::chrono::steady_clock::now() - begin;
  return std::chrono::duration<double, std::micro>(took).count() / static_cast<double>(kCount);
}

}  // namespace

void MeasureInProcess(RingPeer& ring, RingPeer& chain_ring, int rounds, nlohmann::json& report) {
  LocalEngine slow(kKernelNs);
  const LocalClient slow_client = slow.Open("slow", 1);
  const ChainId chain = slow.NewChain(slow_client, kChainSteps);
  const auto evaluate = [](LocalEngine& local, const LocalClient& client,
                           const Submission& submission) {
    const Completion completion =
        Must(local.engine().Evaluate(client.caller, submission), "evaluate");
    Check(completion.status, "evaluate");
  };
  const auto figures =
      Interleave({{"in process", [&] { evaluate(slow, slow_client, RunOf(slow_client)); }},
                  {"ring", [&] { ring.RoundTrip(); }}},
                 rounds / 4 + 1, 50);
  PrintTable("100 us kernel", figures, "in process");
  report["ring_100us_over_inproc"] = figures.at("ring").p50_us / figures.at("in process").p50_us;

  const auto chains = Interleave(
      {{"in process", [&] { evaluate(slow, slow_client, RunOf(slow_client.lane, chain)); }},
       {"ring", [&] { chain_ring.RoundTrip(); }}},
      rounds / 8 + 3, 2);
  PrintTable("chain of 120 kernels of 100 us", chains, "in process");
  report["chain120_100us_over_inproc"] = chains.at("ring").p50_us / chains.at("in process").p50_us;
}

// What the engine adds to a kernel that takes no time: when nobody waits for a single one, and for
// whoever does, who pays for two threads that find each other's work.
void MeasureInProcessNull(int client_core, int engine_core, int rounds, nlohmann::json& report) {
  PinTo(engine_core);  // the engine's threads stay where they begin
  LocalEngine null(0);
  PinTo(client_core);
  const LocalClient client = null.Open("null", 1);
  const auto queue = null.engine().CreateCompletionQueue(kDepth);
  std::vector<int64_t> in_flight_ns;
  for (int round = -1; round < 20 * rounds; ++round) {
    const double us = PerEvaluationUs(null, client, queue);
    if (round >= 0) in_flight_ns.push_back(static_cast<int64_t>(us * 1000));
  }
  const auto alone = Interleave(
      {{"one at a time",
        [&] {
          Check(Must(null.engine().Evaluate(client.caller, RunOf(client)), "evaluate").status,
                "evaluate");
        }}},
      rounds, 300);
  const double in_flight_us = Summarize(in_flight_ns).p50_us;
  const double alone_us = alone.at("one at a time").p50_us;
  const std::string cores = client_core == engine_core ? "same_core" : "two_cores";
  std::printf(
      "\nnull kernel in process, %s: %.3f us each with %u in flight, %.3f us one at a time\n",
      cores.c_str(), in_flight_us, kDepth, alone_us);
  // The device itself takes nothing: what it returns is all that it does. The figure is that of the
  // worse placement.
  report["engine_over_device_us_" + cores] = in_flight_us;
  report["engine_over_device_us"] =
      std::max(in_flight_us, report.value("engine_over_device_us", 0.0));
  report["engine_round_trip_us_" + cores] = alone_us;
}

}  // namespace anex::bench
