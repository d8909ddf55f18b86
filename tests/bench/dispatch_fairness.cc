#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <random>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/bench/dispatch_figures.h"
#include "tests/bench/local_engine.h"
#include "tests/bench/measure.h"

namespace anex::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int64_t kUnitNs = 20'000;
constexpr uint32_t kDepth = 16;
constexpr auto kWarmUp = std::chrono::milliseconds(200);
constexpr auto kTime = std::chrono::milliseconds(1500);

// Keeps its lane full until told to stop.
class Saturating {
 public:
  Saturating(LocalEngine& local, const LocalClient& client)
      : thread_([this, &local, &client] { Run(local, client); }) {}
  ~Saturating() {
    stop_ = true;
    thread_.join();
  }

 private:
  void Run(LocalEngine& local, const LocalClient& client) {
    const auto queue = local.engine().CreateCompletionQueue(kDepth);
    const Submission submission = RunOf(client);
    std::vector<Completion> done;
    uint32_t in_flight = 0;
    while (!stop_ || in_flight > 0) {
      while (!stop_ && in_flight < kDepth) {
        Check(local.engine().Submit(client.caller, submission, queue), "submit");
        ++in_flight;
      }
      done.clear();
      in_flight -= static_cast<uint32_t>(queue->Drain(done, kDepth, absl::Seconds(10)));
      for (const Completion& completion : done) Check(completion.status, "run");
    }
  }

  std::atomic<bool> stop_{false};
  std::thread thread_;
};

double Jain(const std::vector<double>& shares) {
  double sum = 0, squares = 0;
  for (const double share : shares) {
    sum += share;
    squares += share * share;
  }
  return sum * sum / (static_cast<double>(shares.size()) * squares);
}

struct Shares {
  double jain = 0;
  double accounting_error = 0;  // the largest of the clients', as a part
};

// Device time of clients that all want more than there is, each over its weight.
Shares MeasureShares(const std::string& title, const std::vector<int>& elements,
                     const std::vector<uint32_t>& weights) {
  LocalEngine local(kUnitNs);
  std::vector<LocalClient> clients;
  for (size_t i = 0; i < elements.size(); ++i) {
    clients.push_back(local.Open(absl::StrCat("client", i), elements[i], weights[i]));
  }
  const auto logged = [&](const LocalClient& client) {
    return local.log().busy_ns[static_cast<size_t>(client.elements)].load();
  };
  std::vector<double> shares;
  {
    std::vector<std::unique_ptr<Saturating>> crew;
    for (const LocalClient& client : clients) {
      crew.push_back(std::make_unique<Saturating>(local, client));
    }
    std::this_thread::sleep_for(kWarmUp);
    std::vector<int64_t> before;
    for (const LocalClient& client : clients) before.push_back(logged(client));
    std::this_thread::sleep_for(kTime);
    for (size_t i = 0; i < clients.size(); ++i) {
      shares.push_back(static_cast<double>(logged(clients[i]) - before[i]) / weights[i]);
    }
  }
  Shares result{.jain = Jain(shares)};
  std::printf("\n%s: device time over weight", title.c_str());
  for (size_t i = 0; i < clients.size(); ++i) {
    const auto log_ns = static_cast<double>(logged(clients[i]));
    const double error =
        std::fabs(static_cast<double>(local.accounted_ns(clients[i])) - log_ns) / log_ns;
    result.accounting_error = std::max(result.accounting_error, error);
    std::printf(" %.1f ms", shares[i] / 1e6);
  }
  std::printf("; Jain's index %.4f, accounted within %.4f\n", result.jain, result.accounting_error);
  return result;
}

// With pauses that differ: with equal ones each would begin at the same point of the other client's
// kernel, as that begins when the one before has ended.
std::vector<int64_t> LightLatencies(LocalEngine& local, const LocalClient& light, int count) {
  std::mt19937 random(20261121);
  std::uniform_int_distribution<int> pause_us(100, 740);
  std::vector<int64_t> times;
  for (int i = 0; i < count; ++i) {
    const Clock::time_point begin = Clock::now();
    Check(Must(local.engine().Evaluate(light.caller, RunOf(light)), "evaluate").status, "run");
    times.push_back(std::chrono::nanoseconds(Clock::now() - begin).count());
    std::this_thread::sleep_for(std::chrono::microseconds(pause_us(random)));
  }
  return times;
}

// A light client beside one with 10,000 chains queued, whose kernels take 16 units.
void MeasureLightClient(nlohmann::json& report) {
  constexpr int kSamples = 1500, kGreedyElements = 16, kSteps = 12;
  constexpr int kLanes = 40, kChainsALane = 250;
  LocalEngine local(kUnitNs);
  const LocalClient light = local.Open("light", 1), greedy = local.Open("greedy", kGreedyElements);
  LightLatencies(local, light, 100);
  const Figures solo = Summarize(LightLatencies(local, light, kSamples));
  const ChainId chain = local.NewChain(greedy, kSteps);
  std::vector<std::shared_ptr<engine::CompletionQueue>> queues;
  for (int i = 0; i < kLanes; ++i) {
    const LaneId lane = local.NewLane(greedy);
    queues.push_back(local.engine().CreateCompletionQueue(kChainsALane));
    for (int k = 0; k < kChainsALane; ++k) {
      Check(local.engine().Submit(greedy.caller, RunOf(lane, chain), queues.back()), "submit");
    }
  }
  const Figures beside = Summarize(LightLatencies(local, light, kSamples));
  const double longest_us = kGreedyElements * kUnitNs / 1000.0;
  std::printf("\nlight client: p99 %.1f us alone, %.1f us beside %d chains of %d x %.0f us\n",
              solo.p99_us, beside.p99_us, kLanes * kChainsALane, kSteps, longest_us);
  report["light_solo_p99_us"] = solo.p99_us;
  report["light_p99_us"] = beside.p99_us;
  report["light_p99_excess_us"] = beside.p99_us - solo.p99_us - longest_us;
  Check(local.engine().Close(greedy.caller), "close");
}

}  // namespace

void MeasureFairness(nlohmann::json& report) {
  const Shares costs = MeasureShares("kernels of cost 1, 4, 16", {1, 4, 16}, {1, 1, 1});
  // Costs that differ only so much that the log tells them apart.
  const Shares weighted = MeasureShares("weights 1, 2, 4", {4, 5, 6}, {1, 2, 4});
  report["jain_equal_costs_1_4_16"] = costs.jain;
  report["jain_weighted_1_2_4"] = weighted.jain;
  report["accounting_error_vs_device_log"] =
      std::max(costs.accounting_error, weighted.accounting_error);
  MeasureLightClient(report);
}

}  // namespace anex::bench
