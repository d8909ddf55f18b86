// The dispatcher on a device that can be held: order, waiting, stopping, chains, accounting.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/engine/run/fair_scheduler.h"
#include "tests/engine/run_fixture.h"

namespace anex::engine::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DispatcherTest : public RunTest {};

TEST_F(DispatcherTest, RunsWhatIsSubmittedAndSaysWhatItTook) {
  auto y = NewSurface();
  auto run =
      Prepare("sub", {Bind("w", NewSurface(1, 1)), Bind("x", NewSurface(10, 5)), Bind("y", y)});
  const uint64_t lane = OpenLane(4);
  ASSERT_TRUE(Submit(lane, run, 77).ok());
  const Completion done = Next();
  EXPECT_TRUE(done.status.ok()) << done.status;
  EXPECT_EQ(done.user_data, 77u);
  EXPECT_EQ(done.lane, LaneId(400));
  EXPECT_EQ(done.device_ns, 1000);
  EXPECT_EQ(done.steps_done, 1u);
  EXPECT_GE(done.queue_ns, 0);
  EXPECT_GE(done.total_ns, done.queue_ns);
  // 3 * (10 + 5i) - (1 + i)
  for (int i = 0; i < 6; ++i) EXPECT_EQ(Floats(*y)[i], 29 + 14 * i) << i;
}

TEST_F(DispatcherTest, ALaneKeepsItsOrder) {
  const uint64_t lane = OpenLane(1);
  control_->Hold();
  std::vector<float> order;
  for (int i = 0; i < 20; ++i) {
    order.push_back(static_cast<float>(i * 7 % 20));
    ASSERT_TRUE(Submit(lane, Tagged(order.back()), i).ok());
  }
  control_->Release();
  for (uint64_t i = 0; i < 20; ++i) EXPECT_EQ(Next().user_data, i);
  EXPECT_EQ(control_->history(), order);
}

TEST_F(DispatcherTest, SessionsTakeTurnsAndAChainGivesWayBetweenItsSteps) {
  ResolvedChain spec;
  for (float tag : {1, 2, 3, 4, 5}) spec.steps.push_back(Tagged(tag));
  const uint64_t trainer = OpenLane(1), client = OpenLane(2);
  control_->Hold();
  ASSERT_TRUE(Submit(trainer, MakeChain(std::move(spec)), 1).ok());
  ASSERT_TRUE(control_->WaitForStarted(1));
  for (float tag : {100, 101, 102}) ASSERT_TRUE(Submit(client, Tagged(tag), 2).ok());
  control_->Release();
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Next().status.ok());
  EXPECT_THAT(control_->history(), ElementsAre(1, 100, 2, 101, 3, 102, 4, 5));
}

// Three sessions, each with a chain whose steps cost 1, 4 and 16 us: they finish as their time runs
// out, whatever the order in which they came.
TEST_F(DispatcherTest, SessionsShareByDeviceTimeNotBySteps) {
  std::vector<std::shared_ptr<const Chain>> chains;
  for (int session = 0; session < 3; ++session) {
    const int cost = 1 << (2 * session);
    ResolvedChain spec;
    for (int i = 0; i < 64 / cost; ++i) spec.steps.push_back(Tagged(static_cast<float>(cost)));
    control_->SetCost(static_cast<float>(cost), cost * 1000);
    chains.push_back(MakeChain(std::move(spec)));
  }
  control_->Hold();
  ASSERT_TRUE(Submit(OpenLane(9), Tagged(100)).ok());
  ASSERT_TRUE(control_->WaitForStarted(1));
  for (int session = 0; session < 3; ++session) {
    ASSERT_TRUE(Submit(OpenLane(1 + session), chains[session], session).ok());
  }
  control_->Release();
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Next().status.ok());
  std::map<float, int> used_us;
  for (const float tag : control_->history()) {
    if (tag == 100) continue;
    used_us[tag] += static_cast<int>(tag);
    for (const auto& [other, used] : used_us) {
      EXPECT_LE(used_us[tag] - used, static_cast<int>(tag + other)) << tag << " against " << other;
    }
  }
  for (const float tag : {1.0f, 4.0f, 16.0f}) EXPECT_EQ(used_us[tag], 64) << tag;
}

// Each look at the clock takes 100 us of it, so a copy, timed by two looks, costs as much as a
// hundred of the device's runs of 1 us.
class TickingClock final : public Clock {
 public:
  int64_t Now() const override { return ticks_.fetch_add(1) * 100'000; }

 private:
  mutable std::atomic<int64_t> ticks_{1};
};

class CopyChargeTest : public RunTest {
 protected:
  CopyChargeTest() : RunTest(INT64_MAX / 2, std::make_unique<TickingClock>()) {}
};

TEST_F(CopyChargeTest, CopiesAreChargedLikeRuns) {
  ResolvedChain copying, running;
  for (const float tag : {1, 2}) {
    copying.steps.push_back(ResolvedCopy{Whole(NewSurface()), Whole(NewSurface()), {}, {}});
    copying.steps.push_back(Tagged(tag));
  }
  for (int i = 0; i < 300; ++i) running.steps.push_back(Tagged(50));
  control_->Hold();
  ASSERT_TRUE(Submit(OpenLane(9), Tagged(100)).ok());
  ASSERT_TRUE(control_->WaitForStarted(1));
  ASSERT_TRUE(Submit(OpenLane(1), MakeChain(std::move(copying))).ok());
  ASSERT_TRUE(Submit(OpenLane(2), MakeChain(std::move(running))).ok());
  control_->Release();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Next().status.ok());
  const std::vector<float> history = control_->history();
  const auto first = std::find(history.begin(), history.end(), 1.0f);
  const auto second = std::find(history.begin(), history.end(), 2.0f);
  EXPECT_NEAR(std::count(history.begin(), first, 50.0f), 100, 3);
  EXPECT_NEAR(std::count(first, second, 50.0f), 100, 3);
}

TEST_F(CopyChargeTest, RunsThatFailAreChargedForTheTimeThatTheyTook) {
  ResolvedChain running;
  for (int i = 0; i < 1000; ++i) running.steps.push_back(Tagged(50));
  control_->Hold();
  const uint64_t lane = OpenLane(1);
  control_->FailNext(absl::InternalError("the fake is tired"));
  ASSERT_TRUE(Submit(lane, Tagged(1)).ok());
  ASSERT_TRUE(control_->WaitForStarted(1));
  ASSERT_TRUE(Submit(lane, Tagged(2)).ok());
  ASSERT_TRUE(Submit(OpenLane(2), MakeChain(std::move(running))).ok());
  control_->Release();
  EXPECT_EQ(Next().status.code(), absl::StatusCode::kInternal);
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(Next().status.ok());
  const std::vector<float> history = control_->history();
  const auto second = std::find(history.begin(), history.end(), 2.0f);
  // The clock went on for whoever else looked at it, too.
  const auto before = std::count(history.begin(), second, 50.0f);
  EXPECT_GE(before, 97);
  EXPECT_LT(before, 1000);
}

// The chain is put back between its two steps; meanwhile another session runs and the set goes on
// to its next generation. The chain's second step still reads the one that it began with.
TEST_F(DispatcherTest, AChainThatGaveWayGoesOnWithTheGenerationThatItBeganWith) {
  auto set = MakeSet(*pool_, ParameterMode::kDouble, clock_, {"w"}, Fp32({2, 3}));
  auto y1 = NewSurface(), y2 = NewSurface();
  ResolvedChain spec;
  spec.steps.push_back(Prepare("sub", {Bind("x", NewSurface(1)), Bind("w", set), Bind("y", y1)}));
  spec.steps.push_back(Prepare("sub", {Bind("x", NewSurface(2)), Bind("w", set), Bind("y", y2)}));
  const LeaseTerms lease = *set->BeginWrite(10'000'000'000, Soon());
  Fill(*set->parameters()[0].buffers[lease.buffer], 100, 0);
  control_->Hold();
  const uint64_t trainer = OpenLane(1), other = OpenLane(2);
  ASSERT_TRUE(Submit(trainer, MakeChain(std::move(spec)), 1).ok());
  ASSERT_TRUE(control_->WaitForStarted(1));
  ASSERT_TRUE(Submit(other, PublishWork{set, 1}, 2).ok());
  ASSERT_TRUE(Submit(other, Tagged(50), 3).ok());
  control_->Release();
  EXPECT_EQ(Next().user_data, 2u) << "published between the two steps";
  std::vector<Completion> done = {Next(), Next()};
  if (done[0].user_data == 3) std::swap(done[0], done[1]);
  EXPECT_TRUE(done[0].status.ok()) << done[0].status;
  EXPECT_EQ(done[0].generation, 0u);
  EXPECT_EQ(Floats(*y1)[0], 3);
  EXPECT_EQ(Floats(*y2)[0], 6) << "not 6 - 100";
  EXPECT_EQ(set->generation(), 1u);
}

TEST_F(DispatcherTest, AHigherClassGoesFirst) {
  const uint64_t low = OpenLane(1, QosClass::kBackground), high = OpenLane(2);
  control_->Hold();
  ASSERT_TRUE(Submit(low, Tagged(1)).ok());
  ASSERT_TRUE(control_->WaitForStarted(1));
  ASSERT_TRUE(Submit(low, Tagged(2)).ok());
  ASSERT_TRUE(Submit(high, Tagged(3)).ok());
  control_->Release();
  for (int i = 0; i < 3; ++i) Next();
  EXPECT_THAT(control_->history(), ElementsAre(1, 3, 2));
}

TEST_F(DispatcherTest, WorkWhoseDeadlineHasPassedIsNotRun) {
  const uint64_t lane = OpenLane(1);
  ASSERT_TRUE(Submit(lane, Tagged(1), 5, clock_.Now() - 1).ok());
  const Completion late = Next();
  EXPECT_EQ(late.status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(late.status.message()), HasSubstr("was not run"));
  EXPECT_EQ(late.steps_done, 0u);
  EXPECT_TRUE(control_->history().empty());
  EXPECT_TRUE(Evaluate(lane, Tagged(2)).status.ok()) << "the next one is served";
}

TEST_F(DispatcherTest, QueuedWorkThatIsLateIsToldSoWhileTheDeviceIsBusyAndNeverRun) {
  const uint64_t busy = OpenLane(1), lane = OpenLane(2);
  control_->Hold();
  ASSERT_TRUE(Submit(busy, Tagged(1), 1).ok());
  ASSERT_TRUE(control_->WaitForStarted(1));
  const int64_t deadline_ns = clock_.Now() + 20'000'000;
  ASSERT_TRUE(Submit(lane, Tagged(2), 2).ok());
  ASSERT_TRUE(Submit(lane, Tagged(3), 3, deadline_ns).ok());
  const int64_t accepted_ns = clock_.Now();
  dispatcher_->ExpireLate();
  EXPECT_EQ(completions_->outstanding(), 3u);
  while (clock_.Now() <= deadline_ns) std::this_thread::yield();
  dispatcher_->ExpireLate();
  const Completion late = Next();
  EXPECT_EQ(late.user_data, 3u) << "though the device is held";
  EXPECT_EQ(late.status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(late.status.message()), HasSubstr("in the queue, where it has waited "));
  EXPECT_GE(late.queue_ns, deadline_ns - accepted_ns);
  control_->Release();
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(Next().status.ok());
  EXPECT_THAT(control_->history(), ElementsAre(1, 2));
}

// --- What waits, and for how long ---

TEST_F(DispatcherTest, SaysHowManyTurnsComeBeforeALanesNextOne) {
  const uint64_t one = OpenLane(1), two = OpenLane(2), three = OpenLane(3);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(Evaluate(one, Tagged(1)).status.ok());
  control_->Hold();
  ASSERT_TRUE(Submit(one, Tagged(1)).ok());
  ASSERT_TRUE(control_->WaitForStarted(21));
  for (int i = 0; i < 2; ++i) {
    for (const uint64_t lane : {one, two, three}) ASSERT_TRUE(Submit(lane, Tagged(2)).ok());
  }
  std::map<SessionId, Dispatcher::LaneView> seen;
  const auto look = [&] {
    for (const Dispatcher::LaneView& lane : dispatcher_->Lanes()) seen[lane.session] = lane;
  };
  // A fresh look is allowed only after a rest.
  do {
    look();
  } while (!seen[SessionId(1)].prospect || !seen[SessionId(2)].prospect ||
           !seen[SessionId(3)].prospect);
  EXPECT_TRUE(seen[SessionId(1)].running);
  EXPECT_EQ(seen[SessionId(1)].queued, 2u);
  EXPECT_EQ(seen[SessionId(2)].queued, 2u);
  EXPECT_EQ(seen[SessionId(2)].prospect->turns_ahead, 0u);
  EXPECT_EQ(seen[SessionId(3)].prospect->turns_ahead, 1u);
  EXPECT_EQ(seen[SessionId(1)].prospect->turns_ahead, 2u);
  EXPECT_GE(seen[SessionId(2)].prospect->starts_in_ns, 0);
  EXPECT_GT(seen[SessionId(1)].prospect->starts_in_ns, seen[SessionId(3)].prospect->starts_in_ns);
  control_->Release();
  for (int i = 0; i < 7; ++i) EXPECT_TRUE(Next().status.ok());
  look();
  EXPECT_FALSE(seen[SessionId(2)].prospect.has_value()) << "nothing waits any more";
}

TEST_F(DispatcherTest, ALaneThatWaitsForAFenceHasNoProspect) {
  auto fence = std::make_shared<Fence>(0);
  ASSERT_TRUE(Submit(OpenLane(1), FenceStep{fence, 1, false}).ok());
  std::vector<Dispatcher::LaneView> lanes;
  do {
    lanes = dispatcher_->Lanes();
  } while (!lanes[0].blocked);
  EXPECT_EQ(lanes[0].queued, 1u);
  EXPECT_FALSE(lanes[0].prospect.has_value());
  fence->Close();
  Next();
}

TEST_F(DispatcherTest, AChainWhoseDeadlinePassesStopsBetweenItsSteps) {
  ResolvedChain spec;
  for (float tag : {1, 2, 3}) spec.steps.push_back(Tagged(tag));
  control_->Hold();
  const int64_t deadline_ns = clock_.Now() + 20'000'000;
  ASSERT_TRUE(Submit(OpenLane(1), MakeChain(std::move(spec)), 1, deadline_ns).ok());
  ASSERT_TRUE(control_->WaitForStarted(1));
  while (clock_.Now() <= deadline_ns) std::this_thread::yield();
  control_->Release();
  const Completion late = Next();
  EXPECT_EQ(late.status.code(), absl::StatusCode::kDeadlineExceeded) << late.status;
  EXPECT_EQ(late.steps_done, 1u);
  EXPECT_THAT(control_->history(), ElementsAre(1));
}

TEST_F(DispatcherTest, AWaitingFenceHoldsUpItsOwnLaneOnly) {
  auto fence = std::make_shared<Fence>(0);
  const uint64_t waiting = OpenLane(1), other = OpenLane(1);
  ASSERT_TRUE(Submit(waiting, FenceStep{fence, 3, false}, 1).ok());
  ASSERT_TRUE(Submit(waiting, Tagged(1), 2).ok());
  EXPECT_TRUE(Evaluate(other, Tagged(2)).status.ok());
  ASSERT_TRUE(fence->Signal(2).ok());
  EXPECT_TRUE(Evaluate(other, Tagged(3)).status.ok());
  EXPECT_THAT(control_->history(), ElementsAre(2, 3));
  ASSERT_TRUE(Submit(other, FenceStep{fence, 3, true}, 9).ok());  // signalled from the other lane
  std::vector<uint64_t> order;
  for (int i = 0; i < 3; ++i) {
    const Completion done = Next();
    EXPECT_TRUE(done.status.ok()) << done.status;
    order.push_back(done.user_data);
  }
  EXPECT_THAT(order, ElementsAre(9, 1, 2));
}

// The fair policy, and how many turns it was told of.
class CountingScheduler final : public Scheduler {
 public:
  explicit CountingScheduler(std::shared_ptr<std::atomic<int>> turns) : turns_(std::move(turns)) {}
  absl::Status Add(const ScheduledLane& lane) override { return fair_.Add(lane); }
  void Remove(uint64_t lane) override { fair_.Remove(lane); }
  void SetReady(uint64_t lane, bool ready, int64_t deadline_ns) override {
    fair_.SetReady(lane, ready, deadline_ns);
  }
  std::optional<uint64_t> Next() override { return fair_.Next(); }
  void Served(uint64_t lane, int64_t device_ns) override {
    ++*turns_;
    fair_.Served(lane, device_ns);
  }
  void SetUserWeight(uint64_t user, uint32_t weight) override { fair_.SetUserWeight(user, weight); }
  void SetSessionWeight(SessionId session, uint32_t weight) override {
    fair_.SetSessionWeight(session, weight);
  }
  void SetShares(const ClassShares& shares) override { fair_.SetShares(shares); }
  std::unique_ptr<Scheduler> Clone() const override { return fair_.Clone(); }

 private:
  const std::shared_ptr<std::atomic<int>> turns_;
  FairScheduler fair_;
};

// However many wait, somebody else's signal, publish or submission costs them no look.
TEST_F(DispatcherTest, WhoWaitsIsLookedAtAgainForItsOwnReasonOnly) {
  constexpr int kWaiting = 300, kRounds = 50;
  const auto turns = std::make_shared<std::atomic<int>>(0);
  dispatcher_.reset();
  StartDispatcher(std::make_unique<CountingScheduler>(turns));
  auto theirs = std::make_shared<Fence>(0), mine = std::make_shared<Fence>(0);
  auto set = MakeSet(*pool_, ParameterMode::kFenced, clock_, {"w"}, Fp32({2, 3}));
  for (int i = 0; i < kWaiting; ++i) {
    ASSERT_TRUE(Submit(OpenLane(1), FenceStep{theirs, 5, false}, 100).ok());
  }
  const uint64_t lane = OpenLane(2);
  EXPECT_TRUE(Evaluate(lane, Tagged(1)).status.ok());  // after them: they have been looked at
  while (*turns < kWaiting + 1) std::this_thread::yield();
  *turns = 0;
  for (uint64_t round = 1; round <= kRounds; ++round) {
    ASSERT_TRUE(mine->Signal(round).ok());
    if (round < 5) {
      ASSERT_TRUE(theirs->Signal(round).ok()) << "not what they wait for";
    }
    const LeaseTerms lease = *set->BeginWrite(10'000'000'000, Soon());
    ASSERT_TRUE(set->Publish(lease.number, 0).ok());
    EXPECT_TRUE(Evaluate(lane, FenceStep{mine, round, false}).status.ok());
  }
  ASSERT_TRUE(dispatcher_->WaitIdle(lane, Soon()).ok());
  EXPECT_EQ(*turns, kRounds) << "nobody else had one";
  ASSERT_TRUE(theirs->Signal(5).ok());
  for (int i = 0; i < kWaiting; ++i) EXPECT_TRUE(Next().status.ok());
}

// A copy of many megabytes gives way like a chain of many steps.
TEST_F(DispatcherTest, ALongCopyGivesWay) {
  const TensorLayout layout = Fp32({1024, 8192});
  const auto pool = HeapPool(std::make_shared<ByteBudget>(
      Bound("surface_bytes_per_session", uint64_t{1} << 30), "release some", nullptr));
  auto from = MakeSurface(*pool, layout), to = MakeSurface(*pool, layout);
  Fill(*from, 1, 0.5F);
  ResolvedChain spec;
  spec.steps = {ResolvedCopy{Whole(from), Whole(to), {}, {}}, Tagged(9)};
  control_->Hold();
  ASSERT_TRUE(Submit(OpenLane(3), Tagged(1), 1).ok());
  ASSERT_TRUE(control_->WaitForStarted(1));
  ASSERT_TRUE(dispatcher_
                  ->Submit(OpenLane(1), {.work = MakeChain(std::move(spec)),
                                         .user_data = 2,
                                         .step_timings = true,
                                         .completions = completions_})
                  .ok());
  ASSERT_TRUE(Submit(OpenLane(2), Tagged(3), 3).ok());
  control_->Release();
  EXPECT_EQ(Next().user_data, 1u);
  EXPECT_EQ(Next().user_data, 3u) << "it did not wait for 32 MiB";
  const Completion copied = Next();
  EXPECT_EQ(copied.user_data, 2u);
  EXPECT_TRUE(copied.status.ok()) << copied.status;
  EXPECT_EQ(copied.steps_done, 2u);
  ASSERT_EQ(copied.step_ns.size(), 2u);
  EXPECT_GT(copied.step_ns[0], 500'000) << "all its pieces";
  EXPECT_EQ(std::memcmp(from->region()->data(), to->region()->data(), layout.allocation_bytes), 0);
}

// Their completions take time, which is not the device's.
TEST_F(DispatcherTest, ManyThatAreLateAtOnceAreAllTold) {
  constexpr uint64_t kLate = 200;
  control_->Hold();
  ASSERT_TRUE(Submit(OpenLane(9), Tagged(1), 1000).ok());
  ASSERT_TRUE(control_->WaitForStarted(1));
  const int64_t deadline_ns = clock_.Now() + 1'000'000;
  for (uint64_t i = 0; i < kLate; ++i) {
    ASSERT_TRUE(Submit(OpenLane(1 + i % 7), Tagged(2), i, deadline_ns).ok());
  }
  while (clock_.Now() <= deadline_ns) std::this_thread::yield();
  control_->Release();
  uint64_t late = 0;
  for (uint64_t i = 0; i <= kLate; ++i) {
    const Completion done = Next();
    if (done.user_data == 1000) {
      EXPECT_TRUE(done.status.ok());
    } else {
      EXPECT_TRUE(absl::IsDeadlineExceeded(done.status)) << done.status;
      ++late;
    }
  }
  EXPECT_EQ(late, kLate);
}

TEST_F(DispatcherTest, AFenceThatIsNeverSignalledEndsAtItsDeadline) {
  auto fence = std::make_shared<Fence>(0);
  const uint64_t lane = OpenLane(1);
  ASSERT_TRUE(Submit(lane, FenceStep{fence, 1, false}, 1, clock_.Now() + 5'000'000).ok());
  ASSERT_TRUE(Submit(lane, Tagged(4), 2).ok());
  EXPECT_EQ(Next().status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(Next().status.ok()) << "what stood behind it goes on";
}

TEST_F(DispatcherTest, AReleasedFenceCancelsWhoWaitsForIt) {
  auto fence = std::make_shared<Fence>(0);
  ASSERT_TRUE(Submit(OpenLane(1), FenceStep{fence, 1, false}).ok());
  fence->Close();
  EXPECT_EQ(Next().status.code(), absl::StatusCode::kCancelled);
}

TEST_F(DispatcherTest, AFencedSetThatIsBeingWrittenHoldsUpItsReadersOnly) {
  auto set = MakeSet(*pool_, ParameterMode::kFenced, clock_, {"w"}, Fp32({2, 3}));
  auto y = NewSurface();
  auto reader = Prepare("sub", {Bind("x", NewSurface(10)), Bind("w", set), Bind("y", y)});
  const uint64_t reading = OpenLane(1), other = OpenLane(2);
  const LeaseTerms lease = *set->BeginWrite(10'000'000'000, Soon());
  ASSERT_TRUE(Submit(reading, reader, 1).ok());
  EXPECT_TRUE(Evaluate(other, Tagged(5)).status.ok());
  Fill(*set->parameters()[0].buffers[0], 4, 0);
  ASSERT_TRUE(set->Publish(lease.number, 0).ok());
  const Completion done = Next();
  EXPECT_TRUE(done.status.ok()) << done.status;
  EXPECT_EQ(done.generation, 1u);
  EXPECT_EQ(Floats(*y)[5], 3 * 10 - 4);
}

TEST_F(DispatcherTest, ACompletionMeansThatNothingIsHeldAnyMore) {
  auto set = MakeSet(*pool_, ParameterMode::kDouble, clock_, {"w"}, Fp32({2, 3}));
  auto run = Prepare("sub", {Bind("x", NewSurface(1)), Bind("w", set), Bind("y", NewSurface())});
  std::weak_ptr<const Invocation> released = run;
  const uint64_t lane = OpenLane(1);
  ASSERT_TRUE(Submit(lane, std::move(run)).ok());
  Next();
  EXPECT_TRUE(released.expired());
}

TEST_F(DispatcherTest, PublishesInTheOrderOfTheLane) {
  auto set = MakeSet(*pool_, ParameterMode::kDouble, clock_, {"w"}, Fp32({2, 3}));
  auto y = NewSurface();
  auto run = Prepare("sub", {Bind("x", NewSurface(10)), Bind("w", set), Bind("y", y)});
  const LeaseTerms lease = *set->BeginWrite(10'000'000'000, Soon());
  Fill(*set->parameters()[0].buffers[lease.buffer], 7, 0);
  const uint64_t lane = OpenLane(1);
  EXPECT_EQ(Evaluate(lane, run).generation, 0u);
  EXPECT_EQ(Floats(*y)[0], 30);
  EXPECT_EQ(Evaluate(lane, PublishWork{set, 1}).generation, 1u);
  EXPECT_EQ(Evaluate(lane, run).generation, 1u);
  EXPECT_EQ(Floats(*y)[0], 23);
  EXPECT_FALSE(Evaluate(lane, PublishWork{set, 0}).status.ok()) << "no lease is open";
}

TEST_F(DispatcherTest, CancelTakesQueuedWorkAndLeavesTheRest) {
  const uint64_t lane = OpenLane(1);
  control_->Hold();
  ASSERT_TRUE(Submit(lane, Tagged(1), 10).ok());
  ASSERT_TRUE(control_->WaitForStarted(1));
  ASSERT_TRUE(Submit(lane, Tagged(2), 20).ok());
  ASSERT_TRUE(Submit(lane, Tagged(3), 30).ok());
  ASSERT_TRUE(Submit(lane, Tagged(4), 20).ok());
  EXPECT_EQ(dispatcher_->Cancel(lane, 20), 2u);
  EXPECT_EQ(dispatcher_->Cancel(lane, 10), 0u) << "a run on the device cannot be stopped";
  for (int i = 0; i < 2; ++i) {
    const Completion cancelled = Next();
    EXPECT_EQ(cancelled.user_data, 20u);
    EXPECT_EQ(cancelled.status.code(), absl::StatusCode::kCancelled);
  }
  control_->Release();
  EXPECT_TRUE(Next().status.ok());
  EXPECT_EQ(Next().user_data, 30u);
  EXPECT_THAT(control_->history(), ElementsAre(1, 3));
}

TEST_F(DispatcherTest, CancelStopsAChainBetweenItsSteps) {
  ResolvedChain spec;
  for (float tag : {1, 2, 3}) spec.steps.push_back(Tagged(tag));
  const uint64_t lane = OpenLane(1);
  control_->Hold();
  ASSERT_TRUE(Submit(lane, MakeChain(std::move(spec)), 6).ok());
  ASSERT_TRUE(control_->WaitForStarted(1));
  control_->Step();
  ASSERT_TRUE(control_->WaitForStarted(2));
  EXPECT_EQ(dispatcher_->Cancel(lane, 6), 1u);
  control_->Release();
  const Completion cancelled = Next();
  EXPECT_EQ(cancelled.status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(cancelled.steps_done, 2u);
  EXPECT_THAT(control_->history(), ElementsAre(1, 2));
}

// A device whose runs stop when they are told to; nothing here ever releases one that is held.
class StoppingTest : public RunTest {
 protected:
  explicit StoppingTest(std::unique_ptr<Clock> clock = std::make_unique<SystemClock>())
      : RunTest(60'000'000'000, std::move(clock), /*obeys_stops=*/true) {}

  // A held run of session 1, and one of session 2 behind it that is not held.
  uint64_t HoldOne(int64_t deadline_ns = INT64_MAX) {
    const uint64_t lane = OpenLane(1);
    control_->Hold();
    EXPECT_TRUE(Submit(lane, Tagged(1), 1, deadline_ns).ok());
    EXPECT_TRUE(control_->WaitForStarted(1));
    control_->LetNewOnesPass();
    EXPECT_TRUE(Submit(OpenLane(2), Tagged(2), 2).ok());
    return lane;
  }
  void ExpectStoppedAndTheOtherServed(absl::StatusCode code, std::string_view says) {
    const Completion stopped = Next(), other = Next();
    EXPECT_EQ(stopped.user_data, 1u);
    EXPECT_EQ(stopped.status.code(), code) << stopped.status;
    EXPECT_THAT(std::string(stopped.status.message()), HasSubstr(std::string(says)));
    EXPECT_EQ(other.user_data, 2u);
    EXPECT_TRUE(other.status.ok()) << other.status;
    EXPECT_EQ(slot_->epoch(), 1u);
    EXPECT_TRUE(Hangs().empty());
  }
};

TEST_F(StoppingTest, CancelStopsARunWithinItsStep) {
  const uint64_t lane = HoldOne();
  EXPECT_EQ(dispatcher_->Cancel(lane, 9), 0u) << "another one's";
  EXPECT_EQ(dispatcher_->Cancel(lane, 1), 1u);
  ExpectStoppedAndTheOtherServed(absl::StatusCode::kCancelled, "stopped while it ran");
}

// Jobs are used again; what is told to one must not reach the next.
TEST_F(StoppingTest, AStopIsOfOneSubmissionAndNotOfTheNext) {
  const uint64_t lane = OpenLane(1);
  for (uint64_t round = 1; round <= 5; ++round) {
    control_->Hold();
    ASSERT_TRUE(Submit(lane, Tagged(1), round).ok());
    ASSERT_TRUE(control_->WaitForStarted(static_cast<int>(2 * round - 1)));
    EXPECT_EQ(dispatcher_->Cancel(lane, round), 1u);
    EXPECT_EQ(Next().status.code(), absl::StatusCode::kCancelled);
    ASSERT_TRUE(dispatcher_->WaitIdle(lane, Soon()).ok());  // its job can be had again
    ASSERT_TRUE(Submit(lane, Tagged(2), 100 + round).ok());
    ASSERT_TRUE(control_->WaitForStarted(static_cast<int>(2 * round)));
    absl::SleepFor(absl::Milliseconds(5));  // it looks for a stop every millisecond
    control_->Release();
    const Completion next = Next();
    EXPECT_EQ(next.user_data, 100 + round);
    EXPECT_TRUE(next.status.ok()) << next.status;
    ASSERT_TRUE(dispatcher_->WaitIdle(lane, Soon()).ok());
  }
}

TEST_F(StoppingTest, WhatIsForOneCallersQueueIsCancelledAndNothingElse) {
  const uint64_t lane = HoldOne();
  ASSERT_TRUE(Submit(lane, Tagged(3), 1).ok());  // of the same lane, with the same user_data
  CompletionQueue strangers(4);
  EXPECT_EQ(dispatcher_->CancelFor(lane, strangers), 0u);
  auto mine = std::make_shared<CompletionQueue>(4);
  ASSERT_TRUE(
      dispatcher_->Submit(lane, {.work = Tagged(4), .user_data = 1, .completions = mine}).ok());
  EXPECT_EQ(dispatcher_->CancelFor(lane, *mine), 1u);
  EXPECT_EQ(mine->Next(kSoon)->status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(dispatcher_->load().running, 1u) << "what runs is another's";
  EXPECT_EQ(dispatcher_->CancelFor(lane, *completions_), 2u) << "the running one, too";
}

TEST_F(StoppingTest, TheEndOfItsSessionStopsARun) {
  HoldOne();
  dispatcher_->CloseLanes(SessionId(1));
  ExpectStoppedAndTheOtherServed(absl::StatusCode::kCancelled, "session has ended");
}

TEST_F(StoppingTest, TheEndOfTheDispatcherStopsARun) {
  HoldOne();
  dispatcher_.reset();  // waits for what runs
  EXPECT_EQ(Next().status.code(), absl::StatusCode::kCancelled);
}

TEST_F(StoppingTest, ARunThatWasDoneBeforeItSawTheStopIsCancelledAllTheSame) {
  const uint64_t lane = OpenLane(1);
  control_->Hold();
  ASSERT_TRUE(Submit(lane, Tagged(1), 1).ok());
  ASSERT_TRUE(control_->WaitForStarted(1));
  EXPECT_EQ(dispatcher_->Cancel(lane, 1), 1u);
  control_->Release();
  EXPECT_EQ(Next().status.code(), absl::StatusCode::kCancelled) << "Cancel has said so";
}

class LateStoppingTest : public StoppingTest {
 protected:
  LateStoppingTest() : StoppingTest(std::make_unique<ManualClock>()) {}
};

TEST_F(LateStoppingTest, ARunWhoseDeadlinePassesIsStopped) {
  auto& clock = static_cast<ManualClock&>(*owned_clock_);
  HoldOne(clock.Now() + 5'000'000);
  dispatcher_->ExpireLate();
  EXPECT_EQ(dispatcher_->load().running, 1u) << "it still has time";
  clock.Advance(5'000'001);
  dispatcher_->ExpireLate();
  ExpectStoppedAndTheOtherServed(absl::StatusCode::kDeadlineExceeded,
                                 "the deadline of 5.000 ms passed during the run");
}

TEST_F(DispatcherTest, ASessionsEndDropsItsQueueAtOnceAndItsRunWhenThatReturns) {
  auto running = Tagged(1), queued = Tagged(2);
  std::weak_ptr<const Invocation> running_left = running, queued_left = queued;
  const uint64_t lane = OpenLane(1), lane2 = OpenLane(1), other = OpenLane(2);
  control_->Hold();
  ASSERT_TRUE(Submit(lane, std::move(running), 1).ok());
  ASSERT_TRUE(control_->WaitForStarted(1));
  ASSERT_TRUE(Submit(lane, std::move(queued), 2).ok());
  ASSERT_TRUE(Submit(lane2, Tagged(3), 3).ok());
  ASSERT_TRUE(Submit(other, Tagged(4), 4).ok());

  dispatcher_->CloseLanes(SessionId(1));
  EXPECT_TRUE(queued_left.expired());
  EXPECT_FALSE(running_left.expired()) << "the device still uses it";
  for (int i = 0; i < 2; ++i) {
    const Completion dropped = Next();
    EXPECT_EQ(dropped.status.code(), absl::StatusCode::kCancelled);
    EXPECT_NE(dropped.user_data, 1u);
  }
  EXPECT_EQ(Submit(lane, Tagged(9)).code(), absl::StatusCode::kNotFound);
  control_->Release();
  const Completion first = Next(), second = Next();
  EXPECT_EQ(first.user_data, 1u);
  EXPECT_EQ(first.status.code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(second.status.ok()) << "the other session goes on";
  const absl::Time patience = absl::Now() + absl::Seconds(10);  // it goes on a thread of its own
  while (!running_left.expired() && absl::Now() < patience) absl::SleepFor(absl::Milliseconds(1));
  EXPECT_TRUE(running_left.expired());
  for (const Dispatcher::LaneView& lane : dispatcher_->Lanes())
    EXPECT_NE(lane.session, SessionId(1));
}

// The fair one, which also remembers whom it charged and whom it forgot.
class RecordingScheduler final : public Scheduler {
 public:
  explicit RecordingScheduler(std::shared_ptr<std::vector<std::string>> record)
      : record_(std::move(record)) {}
  absl::Status Add(const ScheduledLane& lane) override { return policy_.Add(lane); }
  void Remove(uint64_t lane) override {
    record_->push_back(absl::StrCat("forgot ", lane));
    policy_.Remove(lane);
  }
  void SetReady(uint64_t lane, bool ready, int64_t deadline_ns) override {
    policy_.SetReady(lane, ready, deadline_ns);
  }
  std::optional<uint64_t> Next() override { return policy_.Next(); }
  void Served(uint64_t lane, int64_t device_ns) override {
    record_->push_back(absl::StrCat("charged ", lane));
    policy_.Served(lane, device_ns);
  }
  void SetUserWeight(uint64_t user, uint32_t weight) override {
    policy_.SetUserWeight(user, weight);
  }
  void SetSessionWeight(SessionId session, uint32_t weight) override {
    policy_.SetSessionWeight(session, weight);
  }
  void SetShares(const ClassShares& shares) override { policy_.SetShares(shares); }
  std::unique_ptr<Scheduler> Clone() const override { return policy_.Clone(); }

 private:
  FairScheduler policy_;
  const std::shared_ptr<std::vector<std::string>> record_;  // under the dispatcher's lock
};

// Else a client would run for nothing by releasing each lane while its job runs.
TEST_F(DispatcherTest, WhatALaneRanIsChargedThoughItWasReleasedMeanwhile) {
  const auto record = std::make_shared<std::vector<std::string>>();
  dispatcher_.reset();
  StartDispatcher(std::make_unique<RecordingScheduler>(record));
  const uint64_t lane = OpenLane(1);
  control_->Hold();
  ASSERT_TRUE(Submit(lane, Tagged(1), 1).ok());
  ASSERT_TRUE(control_->WaitForStarted(1));
  dispatcher_->CloseLane(lane);
  control_->Release();
  Next();
  while (!dispatcher_->Lanes().empty()) absl::SleepFor(absl::Milliseconds(1));
  dispatcher_.reset();
  EXPECT_THAT(*record, ElementsAre(absl::StrCat("charged ", lane), absl::StrCat("forgot ", lane)));
}

TEST_F(DispatcherTest, ADeviceErrorFailsOneSubmissionAndServesTheNext) {
  const uint64_t lane = OpenLane(1);
  control_->FailNext(absl::InternalError("the fake is tired"));
  const Completion failed = Evaluate(lane, Tagged(1));
  EXPECT_EQ(failed.status.code(), absl::StatusCode::kInternal);
  EXPECT_TRUE(Evaluate(lane, Tagged(2)).status.ok());
}

TEST_F(DispatcherTest, AFailingChainSaysWhichStepItWas) {
  ResolvedChain spec;
  for (float tag : {1, 2, 3}) spec.steps.push_back(Tagged(tag));
  control_->Hold();
  ASSERT_TRUE(Submit(OpenLane(1), MakeChain(std::move(spec))).ok());
  ASSERT_TRUE(control_->WaitForStarted(1));
  control_->Step();
  ASSERT_TRUE(control_->WaitForStarted(2));
  control_->FailNext(absl::InternalError("the fake is tired"));
  control_->Release();
  const Completion failed = Next();
  EXPECT_EQ(failed.status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(failed.status.message()), HasSubstr("step 1 of iteration 0"));
  EXPECT_EQ(failed.steps_done, 1u);
}

TEST_F(DispatcherTest, RefusesWhatDoesNotFitAndQueuesNothingOfIt) {
  const uint64_t lane = OpenLane(1);
  control_->Hold();
  ASSERT_TRUE(Submit(lane, Tagged(1)).ok());
  ASSERT_TRUE(control_->WaitForStarted(1));
  auto again = Tagged(2);
  for (uint64_t i = 0; i < depth_; ++i) ASSERT_TRUE(Submit(lane, again).ok()) << i;
  const absl::Status full = Submit(lane, again);
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(full.message()), HasSubstr("lane_depth=256"));
  EXPECT_EQ(completions_->outstanding(), depth_ + 1) << "the place was given back";
  control_->Release();
  for (uint64_t i = 0; i <= depth_; ++i) EXPECT_TRUE(Next().status.ok());
}

TEST_F(DispatcherTest, WaitIdleWaitsForTheLaneAndNotForOthers) {
  const uint64_t lane = OpenLane(1), other = OpenLane(2);
  control_->Hold();
  ASSERT_TRUE(Submit(lane, Tagged(1)).ok());
  ASSERT_TRUE(control_->WaitForStarted(1));
  EXPECT_TRUE(dispatcher_->WaitIdle(other, Soon()).ok());
  EXPECT_EQ(dispatcher_->WaitIdle(lane, {&clock_, clock_.Now() + 1'000'000, nullptr}).code(),
            absl::StatusCode::kDeadlineExceeded);
  control_->Release();
  EXPECT_TRUE(dispatcher_->WaitIdle(lane, Soon()).ok());
  EXPECT_EQ(completions_->outstanding(), 1u) << "its completion is there by then";
}

TEST_F(DispatcherTest, DrainFinishesWhatIsQueuedAndRefusesMore) {
  const uint64_t lane = OpenLane(1);
  for (float tag : {1, 2, 3}) ASSERT_TRUE(Submit(lane, Tagged(tag)).ok());
  EXPECT_EQ(dispatcher_->Drain(Soon()), 0u);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Next().status.ok());
  EXPECT_EQ(Submit(lane, Tagged(4)).code(), absl::StatusCode::kUnavailable);
}

TEST_F(DispatcherTest, DrainCancelsWhatIsLeftWhenItsTimeIsUp) {
  const uint64_t lane = OpenLane(1);
  control_->Hold();
  ASSERT_TRUE(Submit(lane, Tagged(1), 1).ok());
  ASSERT_TRUE(control_->WaitForStarted(1));
  ASSERT_TRUE(Submit(lane, Tagged(2), 2).ok());
  EXPECT_EQ(dispatcher_->Drain({&clock_, clock_.Now() + 1'000'000, nullptr}), 1u);
  EXPECT_EQ(Next().status.code(), absl::StatusCode::kCancelled);
  control_->Release();
  EXPECT_TRUE(Next().status.ok()) << "what ran is finished";
}

TEST_F(DispatcherTest, TheEndCompletesEverythingThatWasAccepted) {
  const uint64_t lane = OpenLane(1);
  auto fence = std::make_shared<Fence>(0);
  ASSERT_TRUE(Submit(lane, FenceStep{fence, 1, false}, 1).ok());
  ASSERT_TRUE(Submit(lane, Tagged(2), 2).ok());
  dispatcher_.reset();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Next().status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(completions_->outstanding(), 0u);
}

TEST_F(DispatcherTest, AccountsToDeviceSessionAndKernel) {
  auto usage = std::make_shared<Usage>();
  const uint64_t lane = OpenLane(1, QosClass::kDefault, usage);
  EXPECT_TRUE(Evaluate(lane, Tagged(1)).status.ok());
  ResolvedChain spec;
  for (float tag : {1, 2, 3}) spec.steps.push_back(Tagged(tag));
  EXPECT_TRUE(Evaluate(lane, MakeChain(std::move(spec))).status.ok());
  control_->FailNext(absl::InternalError("no"));
  EXPECT_FALSE(Evaluate(lane, Tagged(1)).status.ok());
  dispatcher_->SettleAccounts();
  for (const UsageCounters& counted : {usage->Snapshot(), dispatcher_->Status().usage}) {
    EXPECT_EQ(counted.submitted, 3u);
    EXPECT_EQ(counted.completed, 2u);
    EXPECT_EQ(counted.failed, 1u);
    EXPECT_EQ(counted.evaluations, 4u);
    EXPECT_GT(counted.device_ns, 4000) << "the failed run had the device, too";
  }
  EXPECT_EQ(kernel_->usage().Snapshot().evaluations, 4u);
  EXPECT_EQ(dispatcher_->Status().queued, 0u);
}

TEST_F(DispatcherTest, GivesTimesOfStepsOnRequest) {
  ResolvedChain spec;
  spec.steps = {Tagged(1), Tagged(2)};
  spec.repeat = 3;
  ASSERT_TRUE(dispatcher_
                  ->Submit(OpenLane(1), {.work = MakeChain(std::move(spec)),
                                         .step_timings = true,
                                         .completions = completions_})
                  .ok());
  const Completion done = Next();
  EXPECT_EQ(done.steps_done, 6u);
  EXPECT_EQ(done.step_ns.size(), 6u);
}

// --- Loopbacks ---

struct LoopbackCase {
  LoopbackMode mode;
  uint32_t repeat;
  bool result_in_to;
};
void PrintTo(const LoopbackCase& it, std::ostream* out) {
  *out << (it.mode == LoopbackMode::kSwap ? "swap " : "copy ") << it.repeat
       << (it.result_in_to ? " into to" : " into from");
}

class LoopbackTest : public RunTest, public ::testing::WithParamInterface<LoopbackCase> {};

// y = 3x - w with y fed back to x: the last value ends in the surface named as the result, whatever
// the parity, and w is not touched.
TEST_P(LoopbackTest, TheLastValueEndsInTheNamedSurface) {
  const LoopbackCase& given = GetParam();
  auto x = NewSurface(2, 1), w = NewSurface(1, 2), y = NewSurface();
  ResolvedChain spec;
  spec.steps.push_back(Prepare("sub", {Bind("x", x), Bind("w", w), Bind("y", y)}));
  spec.loopbacks.push_back({Whole(y), Whole(x), given.mode, given.result_in_to});
  spec.repeat = given.repeat;
  const Completion done = Evaluate(OpenLane(1), MakeChain(std::move(spec)));
  ASSERT_TRUE(done.status.ok()) << done.status;
  EXPECT_EQ(done.steps_done, given.repeat);
  for (int i = 0; i < 6; ++i) {
    float value = 2.0f + i;
    for (uint32_t r = 0; r < given.repeat; ++r) value = 3 * value - (1.0f + 2 * i);
    EXPECT_EQ(Floats(given.result_in_to ? *x : *y)[i], value) << i;
    EXPECT_EQ(Floats(*w)[i], 1.0f + 2 * i);
  }
}

std::vector<LoopbackCase> LoopbackCases() {
  std::vector<LoopbackCase> cases;
  for (LoopbackMode mode : {LoopbackMode::kSwap, LoopbackMode::kCopy}) {
    for (uint32_t repeat : {1, 2, 3, 4, 7}) {
      for (bool result_in_to : {false, true}) cases.push_back({mode, repeat, result_in_to});
    }
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(All, LoopbackTest, ::testing::ValuesIn(LoopbackCases()));

TEST_F(DispatcherTest, AChainsCopyMovesARegionBetweenRuns) {
  auto x = NewSurface(1, 1), y = NewSurface(), x2 = NewSurface(100, 1), y2 = NewSurface();
  ResolvedChain spec;
  spec.steps.push_back(Prepare("grow", {Bind("x", x), Bind("y", y)}));
  // Row 1 of y onto row 0 of x2.
  spec.steps.push_back(ResolvedCopy{Whole(y), Whole(x2), {{1, 0}, {1, 3}}, {{0, 0}, {1, 3}}});
  spec.steps.push_back(Prepare("grow", {Bind("x", x2), Bind("y", y2)}));
  ASSERT_TRUE(Evaluate(OpenLane(1), MakeChain(std::move(spec))).status.ok());
  EXPECT_EQ(Floats(*y2)[0], 2 * (2 * 4 + 1) + 1);
  EXPECT_EQ(Floats(*y2)[2], 2 * (2 * 6 + 1) + 1);
  EXPECT_EQ(Floats(*y2)[3], 2 * 103 + 1);
}

}  // namespace
}  // namespace anex::engine::testing
