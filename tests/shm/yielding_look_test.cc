// Looks on a core of which the test says how long a yield takes.
#include "proto/shm/yielding_look.h"

#include <gtest/gtest.h>

namespace anex::shm {
namespace {

using std::chrono::microseconds;

struct SimulatedCore {
  using Instant = std::chrono::steady_clock::time_point;
  struct State {
    microseconds time{1000}, yield{1};
    int yields = 0, looking = 0, most_looking = 1;
    CoreLoss loss;
  };
  State* state;
  Instant Now() const { return Instant(state->time); }
  void Yield() const {
    state->time += state->yield;
    ++state->yields;
  }
  CoreLoss& loss() const { return state->loss; }
  bool BeginLook() const { return state->looking < state->most_looking && ++state->looking > 0; }
  void EndLook() const { --state->looking; }
};

class YieldingLookTest : public ::testing::Test {
 protected:
  using Look = BasicYieldingLook<SimulatedCore>;

  // One look for something that never comes; how many yields it took.
  int YieldsOfALook() {
    const int before = core_.yields;
    Look look(estimate_, SimulatedCore{&core_});
    EXPECT_FALSE(look.For([] { return false; }));
    return core_.yields - before;
  }
  // Waits for something that is there after `wait`, and asleep `wake` later; true if a look found
  // it.
  bool WaitOf(microseconds wait, microseconds wake = microseconds(50)) {
    const microseconds there = core_.time + wait;
    Look look(estimate_, SimulatedCore{&core_});
    if (look.For([&] { return core_.time >= there; })) return true;
    core_.time = std::max(core_.time, there) + wake;
    look.Slept(/*came=*/true);
    return false;
  }

  SimulatedCore::State core_;
  WaitEstimate estimate_;
};

TEST_F(YieldingLookTest, WhatIsThereIsFoundWithoutAYield) {
  Look look(estimate_, SimulatedCore{&core_});
  EXPECT_TRUE(look.For([] { return true; }));
  EXPECT_EQ(core_.yields, 0);
  EXPECT_FALSE(look.tried());
  EXPECT_EQ(look.elapsed().count(), 0);
}

TEST_F(YieldingLookTest, WhatComesWithinTheMomentIsFound) {
  Look look(estimate_, SimulatedCore{&core_});
  EXPECT_TRUE(look.For([&] { return core_.yields == 20; }));
  EXPECT_EQ(core_.yields, 20);
  EXPECT_EQ(core_.looking, 0);
}

TEST_F(YieldingLookTest, ALookOnAFreeCoreEndsWithTheMoment) {
  EXPECT_EQ(YieldsOfALook(), 50);
  EXPECT_EQ(YieldsOfALook(), 50) << "and the next one is as long";
  core_.yield = microseconds(40);  // somebody who asks for little
  EXPECT_EQ(YieldsOfALook(), 2);
  EXPECT_EQ(core_.looking, 0);
}

TEST_F(YieldingLookTest, NoLookIsLongerThanTheCallerHasTime) {
  Look look(estimate_, SimulatedCore{&core_});
  EXPECT_FALSE(look.For([] { return false; }, microseconds(7)));
  EXPECT_EQ(core_.yields, 7);
  Look no_time(estimate_, SimulatedCore{&core_});
  EXPECT_FALSE(no_time.For([] { return false; }, microseconds(0)));
  EXPECT_EQ(core_.yields, 7);
}

TEST_F(YieldingLookTest, WhenEnoughLookTheNextOneSleepsAtOnce) {
  core_.looking = core_.most_looking;
  EXPECT_EQ(YieldsOfALook(), 0);
  EXPECT_EQ(core_.looking, core_.most_looking);
  core_.looking = 0;
  EXPECT_EQ(YieldsOfALook(), 50);
}

// --- A core that is lost ---

TEST_F(YieldingLookTest, OneLostSliceEndsItAndIsTheLastForAWhile) {
  core_.yield = microseconds(3000);
  EXPECT_EQ(YieldsOfALook(), 1);
  for (int i = 0; i < CoreLoss::kWaitsWithout; ++i) EXPECT_EQ(YieldsOfALook(), 0) << i;
  EXPECT_EQ(YieldsOfALook(), 1) << "then it is tried again";
}

TEST_F(YieldingLookTest, TheOftenerItIsLostTheLongerItIsNotTried) {
  core_.yield = microseconds(3000);
  const auto waits_until_tried_again = [this] {
    int waits = 1;
    while (YieldsOfALook() == 0) ++waits;
    return waits;
  };
  YieldsOfALook();
  for (int without = CoreLoss::kWaitsWithout; without < CoreLoss::kMostWaitsWithout; without *= 2) {
    EXPECT_EQ(waits_until_tried_again(), without + 1);
  }
  EXPECT_EQ(waits_until_tried_again(), CoreLoss::kMostWaitsWithout + 1);
  EXPECT_EQ(waits_until_tried_again(), CoreLoss::kMostWaitsWithout + 1) << "no longer than that";
}

TEST_F(YieldingLookTest, ManyLooksThatWentWellAreANewBeginning) {
  const auto lose_and_wait = [this](int without) {
    core_.yield = microseconds(3000);
    EXPECT_EQ(YieldsOfALook(), 1);
    for (int i = 0; i < without; ++i) EXPECT_EQ(YieldsOfALook(), 0) << i;
    core_.yield = microseconds(1);
  };
  lose_and_wait(CoreLoss::kWaitsWithout);
  for (int i = 1; i < CoreLoss::kLooksGoneWell; ++i) YieldsOfALook();
  lose_and_wait(2 * CoreLoss::kWaitsWithout);
  for (int i = 0; i < CoreLoss::kLooksGoneWell; ++i) YieldsOfALook();
  lose_and_wait(CoreLoss::kWaitsWithout);
}

TEST_F(YieldingLookTest, WhatIsThereAfterALostSliceIsFoundAndTheSliceRemembered) {
  core_.yield = microseconds(3000);
  Look look(estimate_, SimulatedCore{&core_});
  EXPECT_TRUE(look.For([&] { return core_.yields == 1; }));
  EXPECT_EQ(estimate_.expected().count(), 0) << "how long it would have taken is not known";
  EXPECT_EQ(YieldsOfALook(), 0);
  // What is there at once costs no yield and is found all the same.
  Look again(estimate_, SimulatedCore{&core_});
  EXPECT_TRUE(again.For([] { return true; }));
}

TEST_F(YieldingLookTest, AQuietCoreIsLookedOnAgain) {
  core_.yield = microseconds(3000);
  EXPECT_EQ(YieldsOfALook(), 1);
  core_.yield = microseconds(1);
  for (int i = 0; i < CoreLoss::kWaitsWithout; ++i) YieldsOfALook();
  EXPECT_EQ(YieldsOfALook(), 50);
}

// --- How long waits take ---

TEST_F(YieldingLookTest, ALookLastsHalfAsLongAgainAsWaitsDo) {
  for (int i = 0; i < 100; ++i) WaitOf(microseconds(100));
  EXPECT_TRUE(WaitOf(microseconds(100)));
  EXPECT_NEAR(YieldsOfALook(), 150, 3);
  for (int i = 0; i < 100; ++i) WaitOf(microseconds(10));
  EXPECT_EQ(YieldsOfALook(), 50) << "but not less than a moment";
}

TEST_F(YieldingLookTest, LongWaitsAreNotLookedForButNowAndThen) {
  for (int i = 0; i < 100; ++i) WaitOf(microseconds(5000));
  int yields = 0;
  for (uint32_t i = 0; i < WaitEstimate::kTriedAgain; ++i) yields += YieldsOfALook();
  EXPECT_EQ(yields, 200) << "one look, as long as may be";
  for (int i = 0; i < 100; ++i) WaitOf(microseconds(20));
  EXPECT_TRUE(WaitOf(microseconds(20))) << "when they are short again they are looked for";
}

// Asleep they take longer than a look may, by the wake-up: without a look now and then nobody would
// find out that one would do.
TEST_F(YieldingLookTest, APauseDoesNotEndTheLooksForGood) {
  for (int i = 0; i < 100; ++i) WaitOf(microseconds(170));
  ASSERT_TRUE(WaitOf(microseconds(170)));
  for (int i = 0; i < 5; ++i) WaitOf(microseconds(5'000'000));
  uint32_t waits = 1;
  while (!WaitOf(microseconds(170)) && waits < 1000) ++waits;
  EXPECT_LE(waits, WaitEstimate::kTriedAgain + 10);
  EXPECT_TRUE(WaitOf(microseconds(170)));
}

TEST_F(YieldingLookTest, OnePauseIsNotALongWait) {
  for (int i = 0; i < 100; ++i) WaitOf(microseconds(100));
  WaitOf(microseconds(5'000'000));
  EXPECT_TRUE(WaitOf(microseconds(100)));
}

TEST_F(YieldingLookTest, WhoGaveUpEarlyHasLearnedNothing) {
  for (int i = 0; i < 100; ++i) WaitOf(microseconds(100));
  const auto expected = estimate_.expected();
  for (int i = 0; i < 10; ++i) {
    Look look(estimate_, SimulatedCore{&core_});
    EXPECT_FALSE(look.For([] { return false; }, microseconds(5)));
    look.Slept(/*came=*/false);
  }
  EXPECT_EQ(estimate_.expected(), expected);
  YieldsOfALook();  // and never said how it ended
  EXPECT_EQ(estimate_.expected(), expected);
}

}  // namespace
}  // namespace anex::shm
