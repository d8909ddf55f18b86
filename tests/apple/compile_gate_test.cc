#include "server/device/apple/compile_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"

namespace anex::device::apple {
namespace {

using ::testing::HasSubstr;

absl::Status Refused() { return absl::InvalidArgumentError("refused"); }

TEST(CompileGate, OneAtATime) {
  CompileGate gate;
  std::atomic<int> inside{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      const CallControl control;
      EXPECT_TRUE(gate.Run(std::to_string(i), control,
                           [&] {
                             EXPECT_EQ(++inside, 1);
                             std::this_thread::yield();
                             --inside;
                             return absl::OkStatus();
                           })
                      .ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(gate.compiles(), 4u);
}

TEST(CompileGate, AProgramThatFailedIsNotTriedAgain) {
  CompileGate gate({.pace_after_failure = absl::ZeroDuration()});
  const CallControl control;
  int tries = 0;
  const auto compile = [&] {
    ++tries;
    return Refused();
  };
  EXPECT_EQ(gate.Run("a", control, compile), Refused());
  EXPECT_EQ(gate.Run("a", control, compile), Refused());
  EXPECT_EQ(tries, 1);
  EXPECT_EQ(gate.failures(), 1u);
}

TEST(CompileGate, AFailureThatIsNotTheProgramsIsTriedAgain) {
  CompileGate gate({.pace_after_failure = absl::ZeroDuration()});
  const CallControl control;
  EXPECT_TRUE(absl::IsDeadlineExceeded(
      gate.Run("a", control, [] { return absl::DeadlineExceededError("busy"); })));
  EXPECT_TRUE(gate.Run("a", control, [] { return absl::OkStatus(); }).ok());
}

TEST(CompileGate, AfterAFailureTheNextNewTextWaits) {
  CompileGate gate({.pace_after_failure = absl::Milliseconds(60)});
  const CallControl control;
  const absl::Time begin = absl::Now();
  EXPECT_FALSE(gate.Run("a", control, Refused).ok());
  EXPECT_FALSE(gate.Run("a", control, Refused).ok());  // known, at once
  EXPECT_TRUE(gate.Run("b", control,
                       [&] {
                         EXPECT_GE(absl::Now() - begin, absl::Milliseconds(60));
                         return absl::OkStatus();
                       })
                  .ok());
}

TEST(CompileGate, WhoIsToldToStopLeavesTheQueue) {
  CompileGate gate({.pace_after_failure = absl::Hours(1)});
  CallControl control;
  EXPECT_FALSE(gate.Run("a", control, Refused).ok());
  std::thread stopper([&] { control.Stop(); });
  EXPECT_TRUE(absl::IsCancelled(gate.Run("b", control, [] { return absl::OkStatus(); })));
  stopper.join();
}

TEST(CompileGate, BehindOneThatIsStuckOthersAreTurnedAway) {
  CompileGate gate({.deadline = absl::Milliseconds(1)});
  absl::Notification began, end;
  std::thread stuck([&] {
    const CallControl control;
    gate.Run("a", control,
             [&] {
               began.Notify();
               end.WaitForNotification();
               return absl::OkStatus();
             })
        .IgnoreError();
  });
  began.WaitForNotification();
  const CallControl control;
  const absl::Status turned = gate.Run("b", control, [] { return absl::OkStatus(); });
  EXPECT_TRUE(absl::IsUnavailable(turned));
  EXPECT_THAT(std::string(turned.message()), HasSubstr("restart anexd"));
  end.Notify();
  stuck.join();
  EXPECT_TRUE(gate.Run("b", control, [] { return absl::OkStatus(); }).ok());
}

}  // namespace
}  // namespace anex::device::apple
