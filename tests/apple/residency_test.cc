#include "server/device/apple/residency.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"

namespace anex::device::apple {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Notes what is loaded; ends the test if the budget is passed.
class Engine {
 public:
  explicit Engine(int budget) : budget_(budget) {}
  void Load() { EXPECT_LE(++loaded_, budget_); }
  void Unload() { EXPECT_GE(--loaded_, 0); }
  int loaded() const { return loaded_; }

 private:
  const int budget_;
  std::atomic<int> loaded_{0};
};

class Program final : public Loadable {
 public:
  Program(Engine& engine, std::string name, std::vector<std::string>* log = nullptr)
      : engine_(engine), name_(std::move(name)), log_(log) {}
  absl::Status Load() override {
    if (!fails.ok()) return fails;
    if (gate != nullptr) gate->WaitForNotification();
    engine_.Load();
    Note("+");
    return absl::OkStatus();
  }
  void Unload() override {
    engine_.Unload();
    Note("-");
  }
  absl::Status fails;
  absl::Notification* gate = nullptr;

 private:
  void Note(const std::string& what) {
    if (log_ != nullptr) log_->push_back(what + name_);
  }
  Engine& engine_;
  const std::string name_;
  std::vector<std::string>* const log_;
};

TEST(Residency, TheLongestUnusedMakesRoomAndComesBackWhenItIsWanted) {
  Engine engine(2);
  std::vector<std::string> log;
  const auto residency = std::make_shared<Residency>(2);
  Program a(engine, "a", &log), b(engine, "b", &log), c(engine, "c", &log);
  const auto at_a = residency->Add(a), at_b = residency->Add(b), at_c = residency->Add(c);
  ASSERT_TRUE(residency->Acquire(*at_a).ok());
  ASSERT_TRUE(residency->Acquire(*at_b).ok());
  ASSERT_TRUE(residency->Acquire(*at_a).ok());  // b is the longest unused now
  ASSERT_TRUE(residency->Acquire(*at_c).ok());
  ASSERT_TRUE(residency->Acquire(*at_b).ok());
  EXPECT_THAT(log, ElementsAre("+a", "+b", "-b", "+c", "-a", "+b"));
  EXPECT_EQ(residency->evictions(), 2u);
  EXPECT_EQ(residency->loads(), 4u);
}

TEST(Residency, EachLoadHasANumberOfItsOwn) {
  Engine engine(1);
  const auto residency = std::make_shared<Residency>(1);
  Program a(engine, "a"), b(engine, "b");
  const auto at_a = residency->Add(a), at_b = residency->Add(b);
  const uint64_t first = residency->Acquire(*at_a)->load();
  EXPECT_EQ(residency->Acquire(*at_a)->load(), first);
  ASSERT_TRUE(residency->Acquire(*at_b).ok());
  EXPECT_NE(residency->Acquire(*at_a)->load(), first);
}

TEST(Residency, WhatRunsIsNotPushedOut) {
  Engine engine(2);
  const auto residency = std::make_shared<Residency>(2);
  Program a(engine, "a"), b(engine, "b"), c(engine, "c");
  const auto at_a = residency->Add(a), at_b = residency->Add(b), at_c = residency->Add(c);
  auto running_a = residency->Acquire(*at_a), running_b = residency->Acquire(*at_b);
  const absl::Status full = residency->Acquire(*at_c).status();
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(full.message()), HasSubstr("loaded_programs=2"));
  running_a = absl::CancelledError();  // its run has ended
  EXPECT_TRUE(residency->Acquire(*at_c).ok());
  EXPECT_TRUE(absl::IsNotFound(residency->AcquireIfLoaded(*at_a).status()));
  EXPECT_TRUE(residency->AcquireIfLoaded(*at_b).ok());
}

TEST(Residency, ALoadThatFailsLeavesNothingBehind) {
  Engine engine(1);
  const auto residency = std::make_shared<Residency>(1);
  Program bad(engine, "bad"), good(engine, "good");
  bad.fails = absl::InternalError("no");
  const auto at_bad = residency->Add(bad), at_good = residency->Add(good);
  EXPECT_EQ(residency->Acquire(*at_bad).status(), bad.fails);
  EXPECT_EQ(residency->loaded(), 0u);
  EXPECT_TRUE(residency->Acquire(*at_good).ok());
  bad.fails = absl::OkStatus();
  EXPECT_TRUE(residency->Acquire(*at_bad).ok());
}

TEST(Residency, WhatTheEngineHasLostIsLoadedAgain) {
  Engine engine(2);
  const auto residency = std::make_shared<Residency>(2);
  Program a(engine, "a");
  const auto place = residency->Add(a);
  auto use = residency->Acquire(*place);
  const uint64_t before = use->load();
  residency->Lost(*place, *std::move(use));
  EXPECT_EQ(engine.loaded(), 0);
  EXPECT_NE(residency->Acquire(*place)->load(), before);
}

TEST(Residency, AProgramThatGoesIsUnloaded) {
  Engine engine(2);
  const auto residency = std::make_shared<Residency>(2);
  Program a(engine, "a");
  auto place = residency->Add(a);
  ASSERT_TRUE(residency->Acquire(*place).ok());
  place.reset();
  EXPECT_EQ(engine.loaded(), 0);
  EXPECT_EQ(residency->loaded(), 0u);
}

TEST(Residency, ARunOfALoadedProgramDoesNotWaitForTheLoadOfAnother) {
  Engine engine(2);
  const auto residency = std::make_shared<Residency>(2);
  Program a(engine, "a"), slow(engine, "slow");
  absl::Notification gate;
  slow.gate = &gate;
  const auto at_a = residency->Add(a), at_slow = residency->Add(slow);
  ASSERT_TRUE(residency->Acquire(*at_a).ok());
  std::thread loader([&] { EXPECT_TRUE(residency->Acquire(*at_slow).ok()); });
  // The loader waits in Load for the gate, which opens only after this.
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(residency->Acquire(*at_a).ok());
  gate.Notify();
  loader.join();
}

TEST(Residency, ManyThreadsNeverPassTheBudget) {
  constexpr int kPrograms = 24, kBudget = 8, kThreads = 4;
  Engine engine(kBudget);
  const auto residency = std::make_shared<Residency>(kBudget);
  std::vector<std::unique_ptr<Program>> programs;
  std::vector<std::unique_ptr<Residency::Place>> places;
  for (int i = 0; i < kPrograms; ++i) {
    programs.push_back(std::make_unique<Program>(engine, std::to_string(i)));
    places.push_back(residency->Add(*programs.back()));
  }
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t + 1);
      for (int i = 0; i < 2000; ++i) {
        // Four at most are in use, so there is always one that can go.
        EXPECT_TRUE(residency->Acquire(*places[random() % kPrograms]).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(engine.loaded(), kBudget);
  places.clear();
  EXPECT_EQ(engine.loaded(), 0);
}

}  // namespace
}  // namespace anex::device::apple
