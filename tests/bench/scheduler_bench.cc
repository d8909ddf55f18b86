// What the scheduling policy itself costs: one turn (Next, not ready, Served, ready again) with 1,
// 16 and 1,000 lanes in as many sessions, and a copy of it with a forecast, as a status page needs
// them. No daemon, no thread.
//
//   bench_scheduler [--json FILE]     (what else ./dev bench passes is not used)

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "server/engine/run/fair_scheduler.h"
#include "server/engine/run/forecast.h"
#include "tests/bench/measure.h"

namespace anex::bench {
namespace {

using engine::FairScheduler;
using engine::LaneBacklog;

constexpr int kTurns = 20'000;

double NsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
}

// Costs that keep the heaps moving, drawn before the clock runs.
std::vector<int64_t> Costs() {
  std::mt19937 random(1);
  std::vector<int64_t> costs(4096);
  for (int64_t& cost : costs) cost = 2000 + static_cast<int64_t>(random() % 200'000);
  return costs;
}

FairScheduler Busy(int lanes) {
  FairScheduler policy;
  for (int i = 1; i <= lanes; ++i) {
    const uint64_t lane = static_cast<uint64_t>(i);
    const auto qos = static_cast<QosClass>(1 + i % 4);
    if (!policy.Add({lane, 501 + lane % 4, SessionId(lane), qos, 1 + static_cast<uint32_t>(i % 3)})
             .ok()) {
      Fail("a lane was not added");
    }
    policy.SetReady(lane, true);
  }
  return policy;
}

double TurnNs(int lanes, const std::vector<int64_t>& costs) {
  FairScheduler policy = Busy(lanes);
  std::vector<int64_t> rounds;
  for (int round = 0; round < 25; ++round) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kTurns; ++i) {
      const uint64_t lane = *policy.Next();
      policy.SetReady(lane, false);
      policy.Served(lane, costs[static_cast<size_t>(i) % costs.size()]);
      policy.SetReady(lane, true);
    }
    rounds.push_back(static_cast<int64_t>(NsSince(start) * 1000 / kTurns));  // in ps, for digits
  }
  return Summarize(rounds).p50_us;  // ps / 1000
}

struct LookAhead {
  double copy_us = 0, forecast_us = 0;
};

LookAhead LookAheadUs(int lanes) {
  const FairScheduler policy = Busy(lanes);
  std::vector<LaneBacklog> backlog;
  for (int i = 1; i <= lanes; ++i) backlog.push_back({static_cast<uint64_t>(i), 100, 50'000});
  std::vector<int64_t> copies, forecasts;
  for (int round = 0; round < 25; ++round) {
    auto start = std::chrono::steady_clock::now();
    const std::unique_ptr<engine::Scheduler> ahead = policy.Clone();
    copies.push_back(static_cast<int64_t>(NsSince(start)));
    start = std::chrono::steady_clock::now();
    if (Forecast(*ahead, backlog, 0).empty()) Fail("nothing was foreseen");
    forecasts.push_back(static_cast<int64_t>(NsSince(start)));
  }
  return {Summarize(copies).p50_us, Summarize(forecasts).p50_us};
}

int Main(int argc, char** argv) {
  CLI::App app("the cost of a scheduling turn");
  std::string json_file;
  app.add_option("--json", json_file);
  app.allow_extras();
  CLI11_PARSE(app, argc, argv);
  const std::vector<int64_t> costs = Costs();
  nlohmann::json json;
  std::printf("  %8s %12s %14s %14s\n", "lanes", "turn ns", "copy us", "forecast us");
  for (const int lanes : {1, 16, 1000}) {
    const double turn_ns = TurnNs(lanes, costs);
    const LookAhead ahead = LookAheadUs(lanes);
    std::printf("  %8d %12.0f %14.1f %14.1f\n", lanes, turn_ns, ahead.copy_us, ahead.forecast_us);
    json["turn_ns"][std::to_string(lanes)] = turn_ns;
    json["copy_us"][std::to_string(lanes)] = ahead.copy_us;
    json["forecast_us"][std::to_string(lanes)] = ahead.forecast_us;
  }
  if (!json_file.empty()) std::ofstream(json_file) << json.dump(2) << "\n";
  return 0;
}

}  // namespace
}  // namespace anex::bench

int main(int argc, char** argv) { return anex::bench::Main(argc, argv); }
