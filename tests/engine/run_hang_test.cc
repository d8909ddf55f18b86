// A device that does not come back: what fails, what goes on, and that the lost thread harms
// nobody.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "tests/engine/run_fixture.h"

namespace anex::engine::testing {
namespace {

using ::testing::HasSubstr;

class HangTest : public RunTest {
 protected:
  static constexpr int64_t kHangNs = 30'000'000;
  // Time stands still but for TooLong(), so nothing hangs because the machine is slow.
  HangTest() : RunTest(kHangNs, std::make_unique<ManualClock>()) {}

  void TooLong() { static_cast<ManualClock&>(*owned_clock_).Advance(kHangNs + 1); }
  // The lost thread has come back and let everything go.
  bool WaitForNobodyAbandoned() {
    const absl::Time until = absl::Now() + kSoon;
    while (dispatcher_->abandoned() != 0 && absl::Now() < until) std::this_thread::yield();
    return dispatcher_->abandoned() == 0;
  }
};

TEST_F(HangTest, TheRunFailsTheQueueFailsAndAFreshDeviceServesTheNext) {
  auto hung = Tagged(1), same_kernel = Tagged(3);
  const uint64_t lane = OpenLane(1), other = OpenLane(2);
  control_->Hold();
  ASSERT_TRUE(Submit(lane, hung, 1).ok());
  ASSERT_TRUE(control_->WaitForStarted(1));
  ASSERT_TRUE(Submit(lane, Tagged(2), 2).ok());
  ASSERT_TRUE(Submit(other, Tagged(2), 3).ok());
  TooLong();

  const Completion failed = Next();
  EXPECT_EQ(failed.user_data, 1u);
  EXPECT_EQ(failed.status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(failed.status.message()), HasSubstr("device_hang_ns"));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Next().status.code(), absl::StatusCode::kUnavailable);
  }
  EXPECT_EQ(dispatcher_->abandoned(), 1u);
  ASSERT_EQ(Hangs().size(), 1u);
  EXPECT_THAT(Hangs().front(), HasSubstr("device_hang_ns"));

  // The same kernel, prepared before the hang, on the fresh device; the first run is still held.
  while (slot_->health() == Health::kUnavailable) std::this_thread::yield();
  control_->LetNewOnesPass();
  ASSERT_TRUE(Submit(lane, same_kernel, 4).ok());
  const Completion next = Next();
  EXPECT_TRUE(next.status.ok()) << next.status;
  EXPECT_EQ(next.user_data, 4u);
  EXPECT_EQ(slot_->epoch(), 2u);
  EXPECT_EQ(dispatcher_->Status().info.health, Health::kDegraded);
  control_->Release();
  EXPECT_TRUE(WaitForNobodyAbandoned());
}

// Each round takes most of the time that a hang takes, and the watchdog looks in each: with a clock
// for a judge the second one would be the end.
TEST_F(HangTest, ALongRunThatGetsOnIsNotHung) {
  auto& clock = static_cast<ManualClock&>(*owned_clock_);
  // Nobody but the watchdog asks for the time while the only run is inside.
  const auto let_watchdog_look = [&] {
    const uint64_t before = clock.looks();
    while (clock.looks() < before + 2) std::this_thread::yield();
  };
  const uint64_t lane = OpenLane(1), other = OpenLane(2);
  control_->Hold();
  ASSERT_TRUE(Submit(lane, Tagged(1), 1).ok());
  ASSERT_TRUE(control_->WaitForStarted(1));
  ASSERT_TRUE(Submit(other, Tagged(2), 2).ok());
  for (int round = 0; round < 5; ++round) {
    let_watchdog_look();
    clock.Advance(kHangNs - kHangNs / 8);
    control_->Progress();
    let_watchdog_look();
  }
  EXPECT_TRUE(Hangs().empty());
  control_->Release();
  for (const uint64_t user_data : {1, 2}) {
    const Completion done = Next();
    EXPECT_EQ(done.user_data, user_data);
    EXPECT_TRUE(done.status.ok()) << done.status;
  }
  EXPECT_EQ(slot_->epoch(), 1u) << "the device was not replaced";

  control_->Hold();
  ASSERT_TRUE(Submit(lane, Tagged(3), 3).ok());
  ASSERT_TRUE(control_->WaitForStarted(3));
  control_->Progress();
  let_watchdog_look();
  TooLong();
  EXPECT_THAT(std::string(Next().status.message()), HasSubstr("made no progress"));
}

TEST_F(HangTest, TheInvocationThatHungIsRefusedFromThenOn) {
  auto hung = Tagged(1);
  const uint64_t lane = OpenLane(1);
  control_->Hold();
  ASSERT_TRUE(Submit(lane, hung).ok());
  ASSERT_TRUE(control_->WaitForStarted(1));
  TooLong();
  EXPECT_EQ(Next().status.code(), absl::StatusCode::kDeadlineExceeded);
  control_->Release();
  ASSERT_TRUE(WaitForNobodyAbandoned());
  while (slot_->health() == Health::kUnavailable) std::this_thread::yield();
  EXPECT_EQ(Evaluate(lane, hung).status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Evaluate(lane, Tagged(2)).status.ok());
}

TEST_F(HangTest, WhatTheLostRunUsesLivesUntilItReturns) {
  auto set = MakeSet(*pool_, ParameterMode::kDouble, clock_, {"w"}, Fp32({2, 3}));
  auto run = Prepare("sub", {Bind("x", NewSurface(1)), Bind("w", set), Bind("y", NewSurface())});
  std::weak_ptr<const Invocation> left = run;
  control_->Hold();
  ASSERT_TRUE(Submit(OpenLane(1), std::move(run)).ok());
  ASSERT_TRUE(control_->WaitForStarted(1));
  TooLong();
  Next();
  dispatcher_->CloseLanes(SessionId(1));
  EXPECT_FALSE(left.expired());
  control_->Release();
  ASSERT_TRUE(WaitForNobodyAbandoned());
  EXPECT_TRUE(left.expired());
}

TEST_F(HangTest, AChainThatHangsSaysWhere) {
  ResolvedChain spec;
  spec.steps = {Tagged(1), Tagged(2)};
  control_->Hold();
  ASSERT_TRUE(Submit(OpenLane(1), MakeChain(std::move(spec))).ok());
  ASSERT_TRUE(control_->WaitForStarted(1));
  control_->Step();
  ASSERT_TRUE(control_->WaitForStarted(2));
  TooLong();
  const Completion failed = Next();
  EXPECT_EQ(failed.status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(failed.steps_done, 1u);
  EXPECT_THAT(std::string(failed.status.message()), HasSubstr("step 1 of iteration 0"));
  control_->Release();
  EXPECT_TRUE(WaitForNobodyAbandoned());
}

TEST_F(HangTest, WithoutAFreshDeviceEverythingSaysWhy) {
  auto next = Tagged(2);
  next_device_ = absl::UnavailableError("the driver is gone");
  const uint64_t lane = OpenLane(1);
  control_->Hold();
  ASSERT_TRUE(Submit(lane, Tagged(1)).ok());
  ASSERT_TRUE(control_->WaitForStarted(1));
  TooLong();
  EXPECT_EQ(Next().status.code(), absl::StatusCode::kDeadlineExceeded);
  // Accepted while the watchdog was trying, or refused after: both say UNAVAILABLE and the reason.
  absl::Status refused = Submit(lane, next);
  if (refused.ok()) refused = Next().status;
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("the driver is gone"));
  EXPECT_EQ(dispatcher_->Status().info.health, Health::kUnavailable);
  control_->Release();
  EXPECT_TRUE(WaitForNobodyAbandoned());
}

TEST_F(HangTest, TheEndDoesNotWaitForALostRunNorIsItHarmedByIt) {
  auto run = Tagged(1);
  std::weak_ptr<const Invocation> left = run;
  control_->Hold();
  ASSERT_TRUE(Submit(OpenLane(1), std::move(run)).ok());
  ASSERT_TRUE(control_->WaitForStarted(1));
  TooLong();
  dispatcher_.reset();  // ends though the run is held
  EXPECT_EQ(Next().status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_FALSE(left.expired());
  control_->Release();
  while (!left.expired()) std::this_thread::yield();
}

}  // namespace
}  // namespace anex::engine::testing
