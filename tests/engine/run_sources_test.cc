// Work sources: a dispatcher that asks for its work, when it asks, and when it sleeps.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "tests/engine/run_fixture.h"

namespace anex::engine::testing {
namespace {

using ::testing::ElementsAre;

// Pieces of work in a list, and a bell that is rung only for a dispatcher that sleeps.
class ListSource final : public WorkSource {
 public:
  explicit ListSource(std::function<void(int)> submit) : submit_(std::move(submit)) {}

  void Put(int what) {
    {
      absl::MutexLock lock(&mutex_);
      list_.push_back(what);
      waiting_.store(list_.size());
    }
    if (asleep_.exchange(false)) bell_.Ring();
  }
  void RingForNothing() { bell_.Ring(); }

  Taken Poll(size_t) override {
    EXPECT_EQ(inside_.fetch_add(1), 0) << "one thread at a time";
    std::vector<int> taken;
    {
      absl::MutexLock lock(&mutex_);
      taken.swap(list_);
      waiting_.store(0);
    }
    for (const int what : taken) submit_(what);
    polls_ += 1;
    inside_.fetch_sub(1);
    return {taken.size(), false};
  }
  bool HasWork() const override { return waiting_.load() > 0; }
  bool PrepareToSleep() override {
    asleep_.store(true);
    if (!HasWork()) return true;
    asleep_.store(false);
    return false;
  }
  void Awake(bool rang) override {
    asleep_.store(false);
    if (rang) bell_.Drain();
  }
  int poll_descriptor() const override { return bell_.poll_descriptor(); }

  std::atomic<uint64_t> polls_{0};

 private:
  const std::function<void(int)> submit_;
  const shm::Doorbell bell_ = *shm::Doorbell::Create();
  std::atomic<bool> asleep_{false};
  std::atomic<int> inside_{0};
  std::atomic<size_t> waiting_{0};
  absl::Mutex mutex_;
  std::vector<int> list_ ABSL_GUARDED_BY(mutex_);
};

class WorkSourceTest : public RunTest {
 protected:
  explicit WorkSourceTest(int64_t device_hang_ns = 60'000'000'000,
                          std::unique_ptr<Clock> clock = std::make_unique<SystemClock>())
      : RunTest(device_hang_ns, std::move(clock)) {}

  std::shared_ptr<ListSource> NewSource(uint64_t lane) {
    auto source = std::make_shared<ListSource>([this, lane](int what) {
      EXPECT_TRUE(Submit(lane, run_, static_cast<uint64_t>(what)).ok());
    });
    dispatcher_->Attach(source);
    return source;
  }
  // Until the device thread has gone to sleep and stayed there for a while.
  void WaitUntilAsleep() {
    for (uint64_t seen = 0; seen == 0 || seen != dispatcher_->sleeps();) {
      seen = dispatcher_->sleeps();
      absl::SleepFor(absl::Milliseconds(30));
    }
  }

  const std::shared_ptr<const Invocation> run_ = Tagged(1);
};

TEST_F(WorkSourceTest, WhatASourceBringsIsRunByTheThreadThatAskedForIt) {
  const auto source = NewSource(OpenLane(1));
  for (int round = 0; round < 50; ++round) {
    if (round % 10 == 0) WaitUntilAsleep();
    source->Put(round);
    EXPECT_EQ(Next().user_data, static_cast<uint64_t>(round));
  }
}

TEST_F(WorkSourceTest, SourcesAreAskedBetweenTheStepsOfAChain) {
  const auto source = NewSource(OpenLane(2));
  ResolvedChain spec;
  for (float tag : {11, 12, 13}) spec.steps.push_back(Tagged(tag));
  control_->Hold();
  ASSERT_TRUE(Submit(OpenLane(1), MakeChain(std::move(spec)), 7).ok());
  ASSERT_TRUE(control_->WaitForStarted(1));
  source->Put(1);
  control_->Release();
  EXPECT_EQ(Next().user_data, 1u);
  EXPECT_EQ(Next().user_data, 7u);
  EXPECT_THAT(control_->history(), ElementsAre(11, 1, 12, 13));
}

TEST_F(WorkSourceTest, IdleSourcesWakeNobody) {
  std::vector<std::shared_ptr<ListSource>> sources;
  for (uint64_t i = 1; i <= 8; ++i) sources.push_back(NewSource(OpenLane(i)));
  sources[3]->Put(1);
  Next();
  WaitUntilAsleep();
  const uint64_t slept = dispatcher_->sleeps();
  uint64_t polls = 0;
  for (const auto& source : sources) polls += source->polls_;
  absl::SleepFor(absl::Milliseconds(300));
  EXPECT_EQ(dispatcher_->sleeps(), slept);
  for (const auto& source : sources) polls -= source->polls_;
  EXPECT_EQ(polls, 0u);
}

TEST_F(WorkSourceTest, ARingForNothingIsOneLookAndQuietAgain) {
  const auto source = NewSource(OpenLane(1));
  WaitUntilAsleep();
  const uint64_t slept = dispatcher_->sleeps();
  source->RingForNothing();
  WaitUntilAsleep();
  EXPECT_EQ(dispatcher_->sleeps(), slept + 1);
}

TEST_F(WorkSourceTest, OrdinarySubmissionsAreHeardWhileTheThreadSleepsOnSources) {
  const auto source = NewSource(OpenLane(1));
  const uint64_t lane = OpenLane(2);
  for (int i = 0; i < 5; ++i) {
    WaitUntilAsleep();
    EXPECT_TRUE(Evaluate(lane, run_).status.ok());
  }
}

TEST_F(WorkSourceTest, AfterDetachNobodyAsks) {
  const auto source = NewSource(OpenLane(1));
  source->Put(1);
  Next();
  dispatcher_->Detach(source, /*last_look=*/false);
  const uint64_t polls = source->polls_;
  source->Put(2);
  EXPECT_TRUE(Evaluate(OpenLane(2), run_).status.ok());
  EXPECT_EQ(source->polls_.load(), polls);
  dispatcher_->Detach(source, /*last_look=*/true);  // once more is nothing
  EXPECT_EQ(source->polls_.load(), polls);
  for (int i = 0; i < 2000 && source.use_count() > 1; ++i) absl::SleepFor(absl::Milliseconds(1));
  EXPECT_EQ(source.use_count(), 1) << "a thread that slept on it has let go";
}

TEST_F(WorkSourceTest, ALastLookTakesWhatIsThere) {
  const auto source = NewSource(OpenLane(1));
  control_->Hold();
  ASSERT_TRUE(Submit(OpenLane(2), run_, 100).ok());
  ASSERT_TRUE(control_->WaitForStarted(1));
  source->Put(1);
  source->Put(2);
  dispatcher_->Detach(source, /*last_look=*/true);
  control_->Release();
  EXPECT_EQ(Next().user_data, 100u);
  EXPECT_EQ(Next().user_data, 1u);
  EXPECT_EQ(Next().user_data, 2u);
}

TEST_F(WorkSourceTest, SourcesComeAndGoWhileTheyAreUsed) {
  std::atomic<bool> done{false};
  std::thread comer([&] {
    while (!done) {
      const auto source = NewSource(OpenLane(9));
      dispatcher_->Detach(source, /*last_look=*/false);
    }
  });
  const auto source = NewSource(OpenLane(1));
  for (int i = 0; i < 2000; ++i) {
    source->Put(i);
    ASSERT_EQ(Next().user_data, static_cast<uint64_t>(i));
  }
  done = true;
  comer.join();
}

// A hung device: the abandoned thread is inside a step, never inside a source.
class HungSourceTest : public WorkSourceTest {
 protected:
  static constexpr int64_t kHangNs = 30'000'000;
  HungSourceTest() : WorkSourceTest(kHangNs, std::make_unique<ManualClock>()) {}
  // One run of the source hangs and is given up.
  void Hang(ListSource& source) {
    control_->Hold();
    source.Put(1);
    ASSERT_TRUE(control_->WaitForStarted(1));
    static_cast<ManualClock&>(*owned_clock_).Advance(kHangNs + 1);
    EXPECT_EQ(Next().status.code(), absl::StatusCode::kDeadlineExceeded);
    control_->LetNewOnesPass();
  }
};

TEST_F(HungSourceTest, AFreshThreadGoesOnAskingAndTheSourceCanLeave) {
  const auto source = NewSource(OpenLane(1));
  Hang(*source);
  const auto fresh = NewSource(OpenLane(2));
  const uint64_t polls = fresh->polls_;
  for (int i = 0; i < 2000 && fresh->polls_ == polls; ++i) absl::SleepFor(absl::Milliseconds(1));
  EXPECT_GT(fresh->polls_.load(), polls);
  dispatcher_->Detach(source, /*last_look=*/false);
  EXPECT_EQ(dispatcher_->abandoned(), 1u);
  control_->Release();
}

TEST_F(HungSourceTest, WithoutAnyDeviceLeftSubmissionsFromSourcesAreStillAnswered) {
  next_device_ = absl::UnavailableError("gone for good");
  std::atomic<int> refused{0};
  const uint64_t lane = OpenLane(1);
  auto source = std::make_shared<ListSource>([&](int what) {
    const absl::Status status = Submit(lane, run_, static_cast<uint64_t>(what));
    if (absl::IsUnavailable(status)) ++refused;
  });
  dispatcher_->Attach(source);
  Hang(*source);
  for (int i = 0; i < 2000 && Hangs().size() < 2; ++i) absl::SleepFor(absl::Milliseconds(1));
  source->Put(2);
  for (int i = 0; i < 5000 && refused == 0; ++i) absl::SleepFor(absl::Milliseconds(1));
  EXPECT_EQ(refused, 1);
  control_->Release();
}

}  // namespace
}  // namespace anex::engine::testing
