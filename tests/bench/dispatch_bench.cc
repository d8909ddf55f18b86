// What the way to the device costs over a ring, next to a raw ring in the same run: round trips of
// a null kernel with client and server on one core and on two, many in flight, allocations, and
// eight rings that nobody uses; then in process, on a gRPC stream next to a raw one, who gets how
// much of the device, what clients do to others that stop or die, and four trainers over one. Each
// server is a process of its own; contenders take turns, and differences and ratios are those of
// medians.
//
//   bench_dispatch --anexd PATH [--trainer PATH --data PATH] [--json FILE] [--rounds N]
//                  [--only ring|in-process|stream|fairness|isolation|trainers]...

#include <sched.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "tests/bench/dispatch_figures.h"
#include "tests/bench/measure.h"
#include "tests/bench/ring_rig.h"
#include "tests/e2e/process.h"
#include "tests/system/cores.h"

namespace anex::bench {
namespace {

constexpr int kClientCore = 0;
constexpr int kOtherCore = 1;
constexpr uint32_t kEntries = 16, kDepth = 12;
constexpr int64_t kKernelNs = 100'000;

struct Arguments {
  std::string anexd, trainer, data, json;
  std::vector<std::string> only;
  int rounds = 60;

  bool Wants(const std::string& part) const {
    return only.empty() || std::ranges::find(only, part) != only.end();
  }
};

std::function<void()> RoundTripOf(RingPeer& peer) {
  return [&peer] { peer.RoundTrip(); };
}

double Extra(const std::map<std::string, Figures>& figures) {
  return figures.at("engine").p50_us - figures.at("raw ring").p50_us;
}

double RoundTrips(const std::string& title, RingPeer& raw, RingPeer& engine, int rounds,
                  nlohmann::json& report) {
  const auto figures =
      Interleave({{"raw ring", RoundTripOf(raw)}, {"engine", RoundTripOf(engine)}}, rounds, 300);
  PrintTable(title, figures, "raw ring");
  for (const auto& [name, figure] : figures) {
    report["figures"][title][name] = {
        {"p50_us", figure.p50_us}, {"p99_us", figure.p99_us}, {"min_us", figure.min_us}};
  }
  return Extra(figures);
}

// Submissions finished per second, engine over raw; the median of the rounds of each.
double PipelinedRatio(const std::string& title, RingPeer& raw, RingPeer& engine, int rounds,
                      nlohmann::json& report) {
  // Rounds that are short, and about as long for both: on a busy machine a long one would pay for
  // the time slices of others, and only the slower of the two.
  constexpr uint64_t kCount = 240;
  std::vector<int64_t> raw_ns, engine_ns;
  for (int round = -1; round < 20 * rounds; ++round) {
    const int64_t r = raw.Pipelined(kDepth, kCount), e = engine.Pipelined(kDepth, kCount);
    if (round < 0) continue;
    raw_ns.push_back(r);
    engine_ns.push_back(e);
  }
  const Figures raw_round = Summarize(raw_ns), engine_round = Summarize(engine_ns);
  const double raw_us = raw_round.p50_us / kCount, engine_us = engine_round.p50_us / kCount;
  const double raw_min_us = raw_round.min_us / kCount, engine_min_us = engine_round.min_us / kCount;
  std::printf("\n%s, %u in flight: raw %.3f us, engine %.3f us each: %.2f of its rate\n",
              title.c_str(), kDepth, raw_us, engine_us, raw_us / engine_us);
  std::printf("  (the best rounds: raw %.3f us, engine %.3f us each: %.2f)\n", raw_min_us,
              engine_min_us, raw_min_us / engine_min_us);
  report["figures"]["pipelined, " + title] = {{"raw_us", raw_us},
                                              {"engine_us", engine_us},
                                              {"raw_min_us", raw_min_us},
                                              {"engine_min_us", engine_min_us}};
  return raw_us / engine_us;
}

double AllocationsPerEvaluation(RingPeer& engine) {
  constexpr uint64_t kCount = 20'000;
  engine.Pipelined(kDepth, 1000);  // what is made once is made
  for (int i = 0; i < 100; ++i) engine.RoundTrip();
  const uint64_t before = engine.allocations();
  const auto start = std::chrono::steady_clock::now();
  engine.Pipelined(kDepth, kCount);
  for (int i = 0; i < 1000; ++i) engine.RoundTrip();
  const auto took = std::chrono::steady_clock::now() - start;
  const uint64_t made = engine.allocations() - before;
  // What the engine's own sweeper allocates in as much time is no part of an evaluation.
  const uint64_t idle = engine.allocations();
  std::this_thread::sleep_for(took + std::chrono::milliseconds(100));
  const uint64_t swept = engine.allocations() - idle;
  return static_cast<double>(made - std::min(made, swept)) / static_cast<double>(kCount + 1000);
}

// Of one core.
double IdleCpu(RingPeer& engine) {
  constexpr auto kTime = std::chrono::seconds(3);
  engine.RoundTrip();  // they have been used
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const double before = engine.cpu_seconds();
  std::this_thread::sleep_for(kTime);
  return (engine.cpu_seconds() - before) / std::chrono::duration<double>(kTime).count();
}

void MeasureRings(int rounds, nlohmann::json& report) {
  const auto raw_same = RingPeer::Echo(kClientCore, kEntries);
  const auto raw_other = RingPeer::Echo(kOtherCore, kEntries);
  const auto engine_same = RingPeer::Engine(kClientCore, {.entries = kEntries});
  const auto engine_other = RingPeer::Engine(kOtherCore, {.entries = kEntries});
  const auto eight = RingPeer::Engine(kOtherCore, {.rings = 8, .entries = kEntries});
  report["ring_over_raw_same_core_us"] =
      RoundTrips("null kernel, one core", *raw_same, *engine_same, rounds, report);
  report["ring_over_raw_two_cores_us"] =
      RoundTrips("null kernel, two cores", *raw_other, *engine_other, rounds, report);
  report["ring_pipelined_over_raw_ring_same_core"] =
      PipelinedRatio("one core", *raw_same, *engine_same, rounds, report);
  report["ring_pipelined_over_raw_ring"] =
      PipelinedRatio("two cores", *raw_other, *engine_other, rounds, report);
  report["allocs_per_eval_ring"] = AllocationsPerEvaluation(*engine_other);
  report["idle_cpu_8_rings"] = IdleCpu(*eight);
}

// Children are forked before this process has threads.
int Main(const Arguments& arguments) {
  nlohmann::json report;
  test::ScratchFolder folder;
  const std::string raw_stream = folder.Join("raw.sock");
  if (arguments.Wants("stream")) StartRawStreamServer(raw_stream);
  std::unique_ptr<RingPeer> slow, chain;
  if (arguments.Wants("in-process")) {
    slow = RingPeer::Engine(kOtherCore, {.busy_ns = kKernelNs, .entries = kEntries});
    chain = RingPeer::Engine(kOtherCore,
                             {.busy_ns = kKernelNs, .entries = kEntries, .chain_steps = 120});
  }
  if (arguments.Wants("ring")) {
    PinTo(kClientCore);
    MeasureRings(arguments.rounds, report);
    test::RunAnywhere();
  }
  if (arguments.Wants("in-process")) {
    MeasureInProcessNull(kClientCore, kClientCore, arguments.rounds, report);
    MeasureInProcessNull(kClientCore, kOtherCore, arguments.rounds, report);
    test::RunAnywhere();
    MeasureInProcess(*slow, *chain, arguments.rounds, report);
  }
  if (arguments.Wants("fairness")) MeasureFairness(report);
  if (arguments.Wants("stream")) {
    MeasureStream(arguments.anexd, raw_stream, arguments.rounds, report);
  }
  if (arguments.Wants("isolation")) {
    MeasureIsolation(arguments.anexd, CLIENT_PROGRAM, arguments.rounds, report);
  }
  if (arguments.Wants("trainers") && !arguments.trainer.empty()) {
    MeasureTrainers(arguments.anexd, arguments.trainer, arguments.data, report);
  }
  std::printf("\n");
  for (const auto& [name, value] : report.items()) {
    if (value.is_number()) std::printf("%-42s %10.4f\n", name.c_str(), value.get<double>());
  }
  if (!arguments.json.empty()) std::ofstream(arguments.json) << report.dump(2) << "\n";
  return 0;
}

}  // namespace
}  // namespace anex::bench

int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);  // as anexd does
  anex::bench::Arguments arguments;
  CLI::App app("What the way to the device costs, and who gets how much of it.");
  app.add_option("--anexd", arguments.anexd, "the daemon's program")->required();
  app.add_option("--trainer", arguments.trainer,
                 "anex_trainer; left out: no trainers are measured");
  app.add_option("--data", arguments.data, "text or folder for the trainers");
  app.add_option("--only", arguments.only,
                 "ring, in-process, fairness, stream, isolation, trainers; all if not given");
  app.add_option("--json", arguments.json, "file for the figures");
  app.add_option("--rounds", arguments.rounds, "interleaved rounds");
  CLI11_PARSE(app, argc, argv);
  return anex::bench::Main(arguments);
}
