// The scheduler in a simulation of 1,000 sessions and a million submissions: fairness, the
// starvation bound, order in a lane, every submission completed once. ANEX_SEED repeats a run.
//
// Each judgement is also passed on policies that are wrong on purpose, and must condemn them.

#include "tests/engine/scheduler_simulation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <random>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "server/engine/run/fair_scheduler.h"

namespace anex::engine::testing {
namespace {

constexpr int64_t kUs = 1000;
constexpr int kSessions = 1000;
constexpr uint64_t kSubmissions = 1'000'000;
constexpr double kFair = 0.98;

// --- Policies that are wrong ---

// What all wrong ones share: ready lanes in a list, weights and costs not looked at.
class WrongPolicy : public Scheduler {
 public:
  absl::Status Add(const ScheduledLane&) override { return absl::OkStatus(); }
  void Remove(uint64_t lane) override { SetReady(lane, false, 0); }
  void SetReady(uint64_t lane, bool ready, int64_t) override {
    const auto it = places_.find(lane);
    if (ready == (it != places_.end())) return;
    if (ready) {
      places_[lane] = ready_.insert(Place(), lane);
    } else {
      ready_.erase(it->second);
      places_.erase(it);
    }
  }
  std::optional<uint64_t> Next() override {
    return ready_.empty() ? std::nullopt : std::optional(ready_.front());
  }
  void Served(uint64_t, int64_t) override {}
  void SetUserWeight(uint64_t, uint32_t) override {}
  void SetSessionWeight(SessionId, uint32_t) override {}
  void SetShares(const ClassShares&) override {}
  std::unique_ptr<Scheduler> Clone() const override { return nullptr; }

 protected:
  virtual std::list<uint64_t>::iterator Place() = 0;  // of one that becomes ready
  std::list<uint64_t> ready_;

 private:
  std::unordered_map<uint64_t, std::list<uint64_t>::iterator> places_;
};

// One step each in turn, whatever it costs.
class TurnAbout final : public WrongPolicy {
  std::list<uint64_t>::iterator Place() override { return ready_.end(); }
};

// Whoever became ready last.
class LastComeFirst final : public WrongPolicy {
  std::list<uint64_t>::iterator Place() override { return ready_.begin(); }
};

// --- Fairness ---

struct Contestant {
  uint64_t lane = 0;
  int64_t step_ns = 0;
  double weight = 1;  // of its share among all
  uint64_t left = 0;  // submissions that it will still hand in
};

// Every contestant always has work queued until it has handed in all of it: `left` each, in chains
// of up to four steps. Jain's index of device time over weight, taken when the first one runs dry.
double FairnessUntilTheFirstIsDone(Simulation& simulation, std::vector<Contestant> contestants,
                                   std::mt19937& random) {
  std::vector<Contestant*> by_lane(kSessions + 1, nullptr);
  const auto hand_in = [&](Contestant& one) {
    if (one.left == 0) return;
    --one.left;
    simulation.Submit(one.lane, one.step_ns, random() % 8 == 0 ? 1 + random() % 4 : 1);
  };
  for (Contestant& one : contestants) {
    by_lane[one.lane] = &one;
    for (int i = 0; i < 3; ++i) hand_in(one);
  }
  double fairness = 0;
  const auto after = [&](uint64_t lane) {
    hand_in(*by_lane[lane]);
    if (fairness != 0 || simulation.Queued(lane) != 0) return;
    std::vector<double> shares;
    for (const Contestant& one : contestants) {
      shares.push_back(static_cast<double>(simulation.device_ns(one.lane)) / one.weight);
    }
    fairness = Jain(shares);
  };
  while (simulation.Turn(after)) {
  }
  return fairness;
}

// Kernels of 1:4:16 cost in equal numbers of sessions, ten users; together a million submissions,
// such that with equal shares all end at the same time.
double FairnessOfEqualWeights(Simulation& simulation, std::mt19937& random) {
  std::vector<Contestant> contestants;
  for (int i = 0; i < kSessions; ++i) {
    const int64_t cost = int64_t{1} << (2 * (i % 3));
    const uint64_t lane = simulation.AddLane(1 + i % 10, 1 + i);
    contestants.push_back({lane, cost * 10 * kUs, 1, static_cast<uint64_t>(2288 / cost)});
  }
  std::shuffle(contestants.begin(), contestants.end(), random);
  return FairnessUntilTheFirstIsDone(simulation, std::move(contestants), random);
}

TEST(SchedulerSimulation, AThousandSessionsShareAMillionSubmissionsEvenlyByTime) {
  std::mt19937 random(SeedOfThisRun());
  Simulation simulation(std::make_unique<FairScheduler>());
  const double fairness = FairnessOfEqualWeights(simulation, random);
  RecordProperty("jain_equal_costs_1_4_16", std::to_string(fairness));
  std::printf("jain_equal_costs_1_4_16 %.5f\n", fairness);
  EXPECT_GE(fairness, kFair);
  EXPECT_GE(simulation.history().accepted(), kSubmissions);
  EXPECT_EQ(simulation.history().Problem(), "");
  EXPECT_FALSE(simulation.named_wrongly());
}

// Session weights 1:2:4 among the sessions of each user, user weights 1 and 3, costs 1:4:16 in all
// combinations: time over (user's weight * session's weight) is the same for all.
double FairnessOverWeights(Simulation& simulation, std::mt19937& random) {
  simulation.policy().SetUserWeight(2, 3);
  std::vector<Contestant> contestants;
  for (int i = 0; i < 18 * (kSessions / 18); ++i) {
    const int64_t cost = int64_t{1} << (2 * (i % 3));
    const uint32_t weight = 1u << (i / 3 % 3);
    const uint64_t user = 1 + i / 9 % 2;
    const double share = weight * (user == 2 ? 3.0 : 1.0);
    const uint64_t lane = simulation.AddLane(user, 1 + i, QosClass::kDefault, weight);
    contestants.push_back(
        {lane, cost * 10 * kUs, share, static_cast<uint64_t>(500 * share / cost)});
  }
  std::shuffle(contestants.begin(), contestants.end(), random);
  return FairnessUntilTheFirstIsDone(simulation, std::move(contestants), random);
}

TEST(SchedulerSimulation, WeightsOfSessionsAndUsersDivideTheTime) {
  std::mt19937 random(SeedOfThisRun());
  Simulation simulation(std::make_unique<FairScheduler>());
  const double fairness = FairnessOverWeights(simulation, random);
  std::printf("jain_weighted_1_2_4 %.5f\n", fairness);
  EXPECT_GE(fairness, kFair);
  EXPECT_EQ(simulation.history().Problem(), "");
}

TEST(SchedulerSimulation, APolicyOfTurnsIsFoundUnfair) {
  std::mt19937 random(SeedOfThisRun());
  {
    Simulation simulation(std::make_unique<TurnAbout>());
    EXPECT_LT(FairnessOfEqualWeights(simulation, random), 0.7);
  }
  Simulation simulation(std::make_unique<TurnAbout>());
  EXPECT_LT(FairnessOverWeights(simulation, random), 0.7);
}

// --- The starvation bound ---

// A world in which everything is at most so large.
struct Worst {
  int64_t longest_step_ns = 0;
  int lanes_of_session = 1;
  // Sums over the others, divided by the own weight; and how many others there are.
  double session_weights = 0, user_weights = 0;
  int sessions_of_user = 1, users = 1;
};

// fair_share.h's bound at each of the three levels, class_turns.h's above them. At each level,
// until `before` has been given to the node, the others get their part of that and of the node's
// own last step, and one step each.
double StarvationBoundNs(const Worst& worst, QosClass qos) {
  const double step = static_cast<double>(worst.longest_step_ns);
  const auto level = [step](double before, double weights, int others) {
    return before + (before + step) * weights + others * step;
  };
  const int other_lanes = worst.lanes_of_session - 1;
  double before = level(0, other_lanes, other_lanes);
  before = level(before, worst.session_weights, worst.sessions_of_user - 1);
  before = level(before, worst.user_weights, worst.users - 1);
  const ClassShares shares;
  double kept_by_others = 0;
  for (size_t i = 0; i < kQosClasses; ++i) {
    if (i != static_cast<size_t>(qos)) kept_by_others += shares.kept_permille[i] / 1000.0;
  }
  const double kept = shares.kept_permille[static_cast<size_t>(qos)] / 1000.0;
  return (before + 2 * step) / kept + 4 * step / (1 - kept_by_others);
}

// Four classes, each with three users of four sessions of two lanes, weights 1:2:4:8, all of them
// always busy with steps of 1 us to 1 ms. Returns the longest wait over its bound.
double WorstWaitOverBound(Simulation& simulation, std::mt19937& random, uint64_t submissions) {
  std::vector<std::pair<uint64_t, double>> bounds;
  for (int i = 0; i < 96; ++i) {
    const auto qos = static_cast<QosClass>(1 + i % 4);
    const uint32_t weight = 1u << (i / 4 % 4);
    const uint64_t user = 1 + i / 16 % 3, session = 1 + i % 48;
    const Worst worst{.longest_step_ns = 1000 * kUs,
                      .lanes_of_session = 2,
                      .session_weights = (15.0 - weight) / weight,
                      .user_weights = 2,
                      .sessions_of_user = 4,
                      .users = 3};
    bounds.emplace_back(simulation.AddLane(user, session, qos, weight),
                        StarvationBoundNs(worst, qos));
  }
  const auto hand_in = [&](uint64_t lane) {
    if (simulation.history().accepted() == submissions) return;
    const int64_t step_ns = random() % 4 == 0 ? 1000 * kUs : (1 + random() % 1000) * kUs;
    simulation.Submit(lane, step_ns, random() % 16 == 0 ? 1 + random() % 8 : 1);
  };
  for (const auto& [lane, bound] : bounds) hand_in(lane), hand_in(lane);
  while (simulation.history().accepted() < submissions && simulation.Turn(hand_in)) {
  }
  double worst = 0;
  for (const auto& [lane, bound] : bounds) {
    worst = std::max(worst, static_cast<double>(simulation.LongestWait(lane)) / bound);
  }
  return worst;
}

TEST(SchedulerSimulation, NobodyWaitsLongerThanTheBound) {
  std::mt19937 random(SeedOfThisRun());
  Simulation simulation(std::make_unique<FairScheduler>());
  const double worst = WorstWaitOverBound(simulation, random, 300'000);
  std::printf("longest wait over the starvation bound %.3f\n", worst);
  EXPECT_LE(worst, 1);
  EXPECT_GT(worst, 0.05) << "a bound so far off would not catch anything";
}

TEST(SchedulerSimulation, APolicyThatStarvesIsFoundOut) {
  std::mt19937 random(SeedOfThisRun());
  Simulation simulation(std::make_unique<LastComeFirst>());
  EXPECT_GT(WorstWaitOverBound(simulation, random, 300'000), 1);
}

TEST(SchedulerSimulation, AClassGetsWhatItKeepsAndTheHighestTheRest) {
  Simulation simulation(std::make_unique<FairScheduler>());
  std::vector<uint64_t> lanes;
  for (int i = 1; i <= 4; ++i) lanes.push_back(simulation.AddLane(1, i, static_cast<QosClass>(i)));
  const auto hand_in = [&](uint64_t lane) {
    simulation.Submit(lane, (lane * 37 % 100 + 50) * kUs);
  };
  for (const uint64_t lane : lanes) hand_in(lane), hand_in(lane);
  for (int i = 0; i < 100'000; ++i) ASSERT_TRUE(simulation.Turn(hand_in));
  const auto share = [&](uint64_t lane) {
    return static_cast<double>(simulation.device_ns(lane)) / simulation.now_ns();
  };
  EXPECT_NEAR(share(lanes[1]), 0.15, 0.003);
  EXPECT_NEAR(share(lanes[2]), 0.05, 0.003);
  EXPECT_NEAR(share(lanes[3]), 0.02, 0.003);
  EXPECT_NEAR(share(lanes[0]), 0.78, 0.003);
}

// --- Coming and going ---

// Sessions come and go, their lanes run dry, block, are filled again, and change their weights, all
// at random; two witnesses always have work.
struct Crowd {
  std::vector<uint64_t> lanes;
  uint64_t next_session = 10;
};

void Stir(Simulation& simulation, Crowd& crowd, std::mt19937& random) {
  const auto any = [&]() -> uint64_t& { return crowd.lanes[random() % crowd.lanes.size()]; };
  switch (random() % 8) {
    case 0: {
      const uint64_t session = random() % 3 == 0 ? crowd.next_session++ : crowd.next_session - 1;
      if (crowd.lanes.size() >= kSessions) break;
      crowd.lanes.push_back(
          simulation.AddLane(1 + random() % 3, session, QosClass::kDefault, 1 + session % 4));
      break;
    }
    case 1:
      if (crowd.lanes.empty() || random() % 4 != 0) break;
      std::swap(any(), crowd.lanes.back());
      simulation.RemoveLane(crowd.lanes.back());
      crowd.lanes.pop_back();
      break;
    case 2:
      if (!crowd.lanes.empty()) simulation.BlockHead(any());
      break;
    case 3:
    case 4:
      if (!crowd.lanes.empty()) simulation.Unblock(any());
      break;
    case 5:
      simulation.policy().SetSessionWeight(SessionId(10 + random() % crowd.next_session),
                                           1 + random() % 4);
      simulation.policy().SetUserWeight(2 + random() % 2, 1 + random() % 4);
      break;
    default:
      if (crowd.lanes.empty()) break;
      simulation.Submit(any(), (1 + random() % 100) * kUs, 1 + random() % 3);
  }
}

TEST(SchedulerSimulation, TwoWhoAlwaysHaveWorkStayEvenWhateverOthersDo) {
  std::mt19937 random(SeedOfThisRun());
  Simulation simulation(std::make_unique<FairScheduler>());
  const uint64_t first = simulation.AddLane(1, 1), second = simulation.AddLane(1, 2);
  constexpr int64_t kFirstNs = 16 * kUs, kSecondNs = 100 * kUs;
  Crowd crowd;
  for (int i = 0; i < 400'000; ++i) {
    if (simulation.Queued(first) == 0) simulation.Submit(first, kFirstNs, 4);
    if (simulation.Queued(second) == 0) simulation.Submit(second, kSecondNs);
    Stir(simulation, crowd, random);
    ASSERT_TRUE(simulation.Turn()) << "turn " << i;
    const int64_t ahead = simulation.device_ns(first) - simulation.device_ns(second);
    ASSERT_LE(ahead, kFirstNs) << "turn " << i;
    ASSERT_GE(ahead, -kSecondNs) << "turn " << i;
  }
  for (const uint64_t lane : crowd.lanes) simulation.Unblock(lane);
  while (simulation.Turn()) {
  }
  EXPECT_GT(simulation.history().accepted(), 100'000u);
  EXPECT_EQ(simulation.history().Problem(), "");
  EXPECT_FALSE(simulation.named_wrongly());
}

// --- The judge itself ---

TEST(History, CondemnsWhatMustNeverHappen) {
  const auto judged = [](auto&& story) {
    History history;
    for (uint64_t i = 0; i < 3; ++i) history.Accepted(7, i);
    story(history);
    return history.Problem();
  };
  EXPECT_EQ(judged([](History& h) { h.Completed(7, 0), h.Completed(7, 1), h.Completed(7, 2); }),
            "");
  EXPECT_EQ(judged([](History& h) { h.Completed(7, 0), h.Dropped(1), h.Completed(7, 2); }), "");
  EXPECT_NE(judged([](History& h) { h.Completed(7, 0), h.Completed(7, 2); }), "");
  EXPECT_NE(judged([](History& h) { h.Completed(7, 1), h.Completed(7, 0), h.Completed(7, 2); }),
            "");
  EXPECT_NE(judged([](History& h) {
              h.Completed(7, 0), h.Completed(7, 1), h.Completed(7, 2), h.Completed(7, 2);
            }),
            "");
  EXPECT_NE(judged([](History& h) {
              h.Completed(7, 0), h.Completed(7, 1), h.Completed(7, 2), h.Completed(8, 3);
            }),
            "");
}

}  // namespace
}  // namespace anex::engine::testing
