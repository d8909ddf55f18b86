// The parts of engine/run that need no thread: lanes, classes, chain walks, the watch, the queue.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "server/engine/run/chain_cursor.h"
#include "server/engine/run/completion_queue.h"
#include "server/engine/run/fifo.h"
#include "server/engine/run/lane.h"
#include "server/engine/run/qos_class.h"
#include "server/engine/run/run_watch.h"

namespace anex::engine {
namespace {

// --- Lane ---

std::shared_ptr<Job> MakeJob(uint64_t user_data, int64_t deadline_ns = INT64_MAX) {
  auto job = std::make_shared<Job>();
  job->item.user_data = user_data;
  job->item.deadline_ns = deadline_ns;
  return job;
}

Lane MakeLane(uint64_t depth = 4) {
  return Lane(7, SessionId(1), LaneId(2), Bound("lane_depth", depth), nullptr);
}

TEST(Lane, GivesJobsBackInTheOrderInWhichTheyCame) {
  Lane lane = MakeLane();
  for (uint64_t i : {5, 3, 9}) ASSERT_TRUE(lane.Push(MakeJob(i)).ok());
  for (uint64_t i : {5, 3, 9}) {
    ASSERT_TRUE(lane.Ready());
    EXPECT_EQ(lane.Start()->item.user_data, i);
    EXPECT_FALSE(lane.Ready()) << "one at a time";
    EXPECT_EQ(lane.Finish()->item.user_data, i);
  }
  EXPECT_TRUE(lane.empty());
}

TEST(Lane, RefusesMoreThanItsDepthNamingTheBound) {
  Lane lane = MakeLane(2);
  ASSERT_TRUE(lane.Push(MakeJob(1)).ok());
  ASSERT_TRUE(lane.Push(MakeJob(2)).ok());
  const absl::Status full = lane.Push(MakeJob(3));
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_NE(full.message().find("lane_depth=2"), absl::string_view::npos) << full;
  lane.Start();  // the running one is no longer queued
  EXPECT_TRUE(lane.Push(MakeJob(3)).ok());
}

TEST(Lane, AJobPutBackStaysInFront) {
  Lane lane = MakeLane();
  ASSERT_TRUE(lane.Push(MakeJob(1)).ok());
  ASSERT_TRUE(lane.Push(MakeJob(2)).ok());
  lane.Start();
  lane.PutBack();
  EXPECT_EQ(lane.Start()->item.user_data, 1u);
}

TEST(Lane, TakesQueuedJobsButNeverTheRunningOne) {
  Lane lane = MakeLane(8);
  for (uint64_t i : {1, 2, 1, 3, 1}) ASSERT_TRUE(lane.Push(MakeJob(i)).ok());
  lane.Start();
  Lane::JobList taken;
  EXPECT_EQ(lane.TakeQueued(taken, [](const Job& j) { return j.item.user_data == 1; }), 2u);
  EXPECT_EQ(lane.queued(), 2u);
  EXPECT_EQ(lane.Finish()->item.user_data, 1u);
  EXPECT_EQ(lane.Start()->item.user_data, 2u);
  lane.Finish();
  EXPECT_EQ(lane.Start()->item.user_data, 3u);
}

TEST(Lane, IsFreeAgainWhenTheJobThatBlockedItIsTaken) {
  Lane lane = MakeLane();
  ASSERT_TRUE(lane.Push(MakeJob(1, 10)).ok());
  ASSERT_TRUE(lane.Push(MakeJob(2)).ok());
  lane.Start();
  lane.Block();
  EXPECT_FALSE(lane.Ready());
  EXPECT_EQ(lane.earliest_deadline(), 10);
  Lane::JobList taken;
  lane.TakeQueued(taken, [](const Job& j) { return j.item.deadline_ns == 10; });
  EXPECT_TRUE(lane.Ready());
  EXPECT_EQ(lane.Start()->item.user_data, 2u);
}

TEST(Lane, ARunningJobCanBeStoppedUntilItsFateIsDecided) {
  Lane lane = MakeLane();
  ASSERT_TRUE(lane.Push(MakeJob(1)).ok());
  EXPECT_FALSE(lane.StopRunning()) << "nothing runs";
  lane.Start();
  EXPECT_TRUE(lane.StopRunning());
  EXPECT_TRUE(lane.StopRunning()) << "asked twice";
  EXPECT_FALSE(lane.Finish()->Settle()) << "it has been asked to stop";
  ASSERT_TRUE(lane.Push(MakeJob(2)).ok());
  EXPECT_TRUE(lane.Start()->Settle());
  EXPECT_FALSE(lane.StopRunning());
}

// --- Classes ---

TEST(QosClasses, EveryAppleNumberHasAClassAndNoneIsRealTime) {
  for (uint32_t qos = 0; qos <= 63; ++qos) {
    ASSERT_TRUE(QosClassFromApple(qos).has_value()) << qos;
    EXPECT_NE(*QosClassFromApple(qos), QosClass::kRealTime) << qos;
  }
  EXPECT_FALSE(QosClassFromApple(64).has_value());
  EXPECT_EQ(QosClassFromApple(25), QosClass::kInteractive);
  EXPECT_EQ(QosClassFromApple(18), QosClass::kDefault) << "an unnamed number";
}

TEST(QosClasses, ClassesSurviveTheWayToAppleAndBack) {
  for (QosClass qos :
       {QosClass::kInteractive, QosClass::kDefault, QosClass::kUtility, QosClass::kBackground}) {
    EXPECT_EQ(QosClassFromApple(AppleQos(qos)), qos) << QosClassName(qos);
  }
}

// --- Chain walks ---

// The walk written down as the nested loops of chain.h.
std::vector<std::string> WalkByLoops(const ChainShape& shape) {
  std::vector<std::string> walk;
  for (uint32_t i = 0; i < shape.repeat; ++i) {
    for (uint32_t s = 0; s < shape.steps; ++s) {
      walk.push_back("step " + std::to_string(i) + "." + std::to_string(s));
    }
    for (uint32_t b = 0; i + 1 < shape.repeat && b < shape.between; ++b) {
      walk.push_back("between " + std::to_string(i) + "." + std::to_string(b));
    }
  }
  for (uint32_t f = 0; f < shape.final_copies; ++f) walk.push_back("final " + std::to_string(f));
  return walk;
}

std::vector<std::string> WalkByCursor(const ChainShape& shape) {
  std::vector<std::string> walk;
  for (ChainCursor at; !at.done(); at.Advance(shape)) {
    const std::string index = std::to_string(at.index());
    const std::string iteration = std::to_string(at.iteration());
    if (at.phase() == ChainCursor::Phase::kFinal) {
      walk.push_back("final " + index);
    } else {
      const bool step = at.phase() == ChainCursor::Phase::kStep;
      walk.push_back((step ? "step " : "between ") + iteration + "." + index);
      EXPECT_EQ(at.at_iteration_start(), step && at.index() == 0);
    }
  }
  return walk;
}

TEST(ChainCursor, WalksAsTheNestedLoopsDo) {
  for (uint32_t steps : {1, 2, 5}) {
    for (uint32_t repeat : {1, 2, 3}) {
      for (uint32_t between : {0, 1, 2}) {
        for (uint32_t final_copies : {0, 1, 3}) {
          const ChainShape shape{steps, repeat, between, final_copies};
          EXPECT_EQ(WalkByCursor(shape), WalkByLoops(shape));
        }
      }
    }
  }
}

// --- The watch ---

TEST(RunWatch, OnlyAStepThatIsInsideForTooLongIsOverdue) {
  RunWatch watch;
  EXPECT_FALSE(watch.Overdue(1'000'000, 10, 0).has_value());
  watch.Enter(100);
  EXPECT_FALSE(watch.Overdue(110, 10, 0).has_value());
  EXPECT_TRUE(watch.Overdue(111, 10, 0).has_value());
  EXPECT_TRUE(watch.Leave());
  EXPECT_FALSE(watch.Overdue(1'000'000, 10, 0).has_value());
}

TEST(RunWatch, TimeCountsFromTheLastProgressThatWasSeen) {
  RunWatch watch;
  watch.Enter(100);
  EXPECT_FALSE(watch.Overdue(105, 10, 7).has_value()) << "the count goes on from the step before";
  EXPECT_TRUE(watch.Overdue(111, 10, 7).has_value());
  EXPECT_FALSE(watch.Overdue(112, 10, 8).has_value());
  EXPECT_FALSE(watch.Overdue(122, 10, 8).has_value());
  EXPECT_TRUE(watch.Overdue(123, 10, 8).has_value());
  EXPECT_TRUE(watch.Leave());
  watch.Enter(200);
  EXPECT_FALSE(watch.Overdue(210, 10, 8).has_value()) << "another step";
  EXPECT_TRUE(watch.Overdue(211, 10, 8).has_value());
}

TEST(RunWatch, AStepThatHasEndedIsNotTakenForTheNextOne) {
  RunWatch watch;
  watch.Enter(100);
  const uint64_t first = *watch.Overdue(200, 10, 0);
  EXPECT_TRUE(watch.Leave());
  watch.Enter(200);
  EXPECT_FALSE(watch.Abandon(first));
  EXPECT_TRUE(watch.Leave());
}

TEST(RunWatch, ExactlyOneSideOwnsWhatComesAfterAStep) {
  int abandoned = 0, left = 0;
  for (int round = 0; round < 200; ++round) {
    RunWatch watch;
    watch.Enter(0);
    std::atomic<bool> go{false};
    bool device = false;
    std::thread thread([&] {
      while (!go.load()) std::this_thread::yield();
      device = watch.Leave();
    });
    const uint64_t token = *watch.Overdue(100, 10, 0);
    go.store(true);
    const bool watchdog = watch.Abandon(token);
    thread.join();
    ASSERT_NE(device, watchdog);
    (watchdog ? abandoned : left)++;
  }
  EXPECT_EQ(abandoned + left, 200);
}

// --- The completion queue ---

Completion Numbered(uint64_t user_data) {
  Completion completion;
  completion.user_data = user_data;
  return completion;
}

TEST(Fifo, KeepsItsOrderThroughGrowthAndAroundTheEnd) {
  Fifo<std::shared_ptr<int>> fifo;
  std::deque<int> model;
  std::mt19937 random(7);
  for (int i = 0; i < 20'000; ++i) {
    const uint32_t dice = random() % 100;
    if (dice < 52) {
      fifo.push_back(std::make_shared<int>(i));
      model.push_back(i);
    } else if (dice < 99 && !model.empty()) {
      ASSERT_EQ(*fifo.pop_front(), model.front());
      model.pop_front();
    } else if (dice == 99) {
      model.resize(model.size() / 2);
      fifo.Truncate(model.size());
    }
    ASSERT_EQ(fifo.size(), model.size());
    for (size_t at = 0; at < model.size(); at += 7) ASSERT_EQ(*fifo[at], model[at]);
  }
}

TEST(Fifo, HoldsOnToNothingThatHasLeft) {
  Fifo<std::shared_ptr<int>> fifo;
  const auto one = std::make_shared<int>(1);
  for (int i = 0; i < 5; ++i) fifo.push_back(std::shared_ptr<int>(one));
  fifo.pop_front();
  fifo.Truncate(2);
  EXPECT_EQ(one.use_count(), 3);
}

TEST(CompletionQueue, CountsWhatIsQueuedRunningOrNotDrainedAgainstItsBound) {
  CompletionQueue queue(2, Bound("completions_per_queue", 2));
  ASSERT_TRUE(queue.Reserve().ok());
  ASSERT_TRUE(queue.Reserve().ok());
  const absl::Status full = queue.Reserve();
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_NE(full.message().find("completions_per_queue=2"), absl::string_view::npos) << full;
  queue.Push(Numbered(1));
  EXPECT_FALSE(queue.Reserve().ok()) << "pushed but not drained";
  EXPECT_EQ(queue.Next(absl::ZeroDuration())->user_data, 1u);
  EXPECT_TRUE(queue.Reserve().ok());
  queue.Unreserve();
  EXPECT_EQ(queue.outstanding(), 1u);
}

TEST(CompletionQueue, SaysWhenFewerPlacesWereAskedForThanThereMayBe) {
  CompletionQueue queue(2, Bound("completions_per_queue", 3));
  ASSERT_TRUE(queue.Reserve().ok());
  ASSERT_TRUE(queue.Reserve().ok());
  const absl::Status full = queue.Reserve();
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_NE(full.message().find("credits=2: "), absl::string_view::npos) << full;
}

TEST(CompletionQueue, ClosedItGivesBackWhatIsOutstandingAndThenKeepsNobodyWaiting) {
  CompletionQueue queue(4);
  ASSERT_TRUE(queue.Reserve().ok());
  ASSERT_TRUE(queue.Reserve().ok());
  ASSERT_TRUE(queue.Reserve().ok());
  queue.Push(Numbered(1));
  queue.Close();
  EXPECT_EQ(queue.Reserve().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(queue.Next(absl::ZeroDuration())->user_data, 1u);
  EXPECT_FALSE(queue.Next(absl::Milliseconds(1)).has_value());
  EXPECT_FALSE(queue.ended()) << "two are still to come";
  std::thread device([&] {
    queue.Push(Numbered(2));
    queue.Unreserve();
  });
  EXPECT_EQ(queue.Next(absl::Seconds(20))->user_data, 2u);
  device.join();
  const absl::Time start = absl::Now();
  EXPECT_FALSE(queue.Next(absl::Seconds(20)).has_value());
  EXPECT_LT(absl::Now() - start, absl::Seconds(10)) << "nothing will come";
  EXPECT_TRUE(queue.ended());
}

TEST(CompletionQueue, KeepsABoundedNumberOfTimings) {
  constexpr size_t kEach = 60'000;
  CompletionQueue queue(16);
  const auto push = [&] {
    ASSERT_TRUE(queue.Reserve().ok());
    Completion completion = Numbered(1);
    completion.step_ns.assign(kEach, 7);
    queue.Push(std::move(completion));
  };
  for (int i = 0; i < 6; ++i) push();
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(queue.Next(absl::ZeroDuration())->step_ns.size(),
              (i + 1) * kEach <= CompletionQueue::kMostTimings ? kEach : 0u);
  }
  push();
  EXPECT_EQ(queue.Next(absl::ZeroDuration())->step_ns.size(), kEach) << "there is room again";
}

TEST(CompletionQueue, GivesThemBackInOrderAroundTheRingsEnd) {
  CompletionQueue queue(3);
  uint64_t pushed = 0, drained = 0;
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 2; ++i) {
      ASSERT_TRUE(queue.Reserve().ok());
      queue.Push(Numbered(pushed++));
    }
    std::vector<Completion> out;
    EXPECT_EQ(queue.Drain(out, 10, absl::ZeroDuration()), 2u);
    for (const Completion& completion : out) EXPECT_EQ(completion.user_data, drained++);
  }
}

TEST(CompletionQueue, ShutdownWakesWaitersAndDropsLatePushes) {
  CompletionQueue queue(4);
  ASSERT_TRUE(queue.Reserve().ok());
  std::thread waiter([&] { EXPECT_FALSE(queue.Next(absl::Seconds(20)).has_value()); });
  queue.Shutdown();
  waiter.join();
  queue.Push(Numbered(1));
  EXPECT_EQ(queue.outstanding(), 0u);
  EXPECT_EQ(queue.Reserve().code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace anex::engine
