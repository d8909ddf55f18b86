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
    int yields = 0;
  };
  State* state;
  Instant Now() const { return Instant(state->time); }
  void Yield() const {
    state->time += state->yield;
    ++state->yields;
  }
};

class YieldingLookTest : public ::testing::Test {
 protected:
  // One look for something that never comes; how many yields it took.
  int YieldsOfALook() {
    const int before = core_.yields;
    EXPECT_FALSE(look_.Look([] { return false; }));
    return core_.yields - before;
  }

  SimulatedCore::State core_;
  BasicYieldingLook<SimulatedCore> look_{SimulatedCore{&core_}};
};

TEST_F(YieldingLookTest, WhatIsThereIsFoundWithoutAYield) {
  EXPECT_TRUE(look_.Look([] { return true; }));
  EXPECT_EQ(core_.yields, 0);
}

TEST_F(YieldingLookTest, WhatComesWithinTheMomentIsFound) {
  EXPECT_TRUE(look_.Look([&] { return core_.yields == 20; }));
  EXPECT_EQ(core_.yields, 20);
}

TEST_F(YieldingLookTest, ALookOnAFreeCoreEndsWithTheMoment) {
  EXPECT_EQ(YieldsOfALook(), 50);
  EXPECT_EQ(YieldsOfALook(), 50) << "and the next one is as long";
  core_.yield = microseconds(40);  // somebody who asks for little
  EXPECT_EQ(YieldsOfALook(), 2);
}

TEST_F(YieldingLookTest, OneLostSliceEndsItAndIsTheLastForAWhile) {
  core_.yield = microseconds(3000);
  EXPECT_EQ(YieldsOfALook(), 1);
  for (int i = 0; i < look_.kWaitsWithout; ++i) EXPECT_EQ(YieldsOfALook(), 0) << i;
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
  for (int without = look_.kWaitsWithout; without < look_.kMostWaitsWithout; without *= 2) {
    EXPECT_EQ(waits_until_tried_again(), without + 1);
  }
  EXPECT_EQ(waits_until_tried_again(), look_.kMostWaitsWithout + 1);
  EXPECT_EQ(waits_until_tried_again(), look_.kMostWaitsWithout + 1) << "no longer than that";
}

TEST_F(YieldingLookTest, ManyLooksThatWentWellAreANewBeginning) {
  const auto lose_and_wait = [this](int without) {
    core_.yield = microseconds(3000);
    EXPECT_EQ(YieldsOfALook(), 1);
    for (int i = 0; i < without; ++i) EXPECT_EQ(YieldsOfALook(), 0) << i;
    core_.yield = microseconds(1);
  };
  lose_and_wait(look_.kWaitsWithout);
  for (int i = 1; i < look_.kLooksGoneWell; ++i) YieldsOfALook();
  lose_and_wait(2 * look_.kWaitsWithout);
  for (int i = 0; i < look_.kLooksGoneWell; ++i) YieldsOfALook();
  lose_and_wait(look_.kWaitsWithout);
}

TEST_F(YieldingLookTest, WhatIsThereAfterALostSliceIsFoundAndTheSliceRemembered) {
  core_.yield = microseconds(3000);
  EXPECT_TRUE(look_.Look([&] { return core_.yields == 1; }));
  EXPECT_EQ(YieldsOfALook(), 0);
  // What is there at once costs no yield and is found all the same.
  EXPECT_TRUE(look_.Look([] { return true; }));
}

TEST_F(YieldingLookTest, AQuietCoreIsLookedOnAgain) {
  core_.yield = microseconds(3000);
  EXPECT_EQ(YieldsOfALook(), 1);
  core_.yield = microseconds(1);
  for (int i = 0; i < look_.kWaitsWithout; ++i) YieldsOfALook();
  EXPECT_EQ(YieldsOfALook(), 50);
}

}  // namespace
}  // namespace anex::shm
