// Loads under a clock that only they move.
#include "client/cli/bench/paced_load.h"

#include <gtest/gtest.h>

namespace anex::bench {
namespace {

constexpr int64_t kMs = 1'000'000;

class SimulatedClock final : public LoadClock {
 public:
  int64_t Now() override { return now_; }
  void WaitUntil(int64_t ns) override { now_ = std::max(now_, ns + late_); }
  void Pass(int64_t ns) { now_ += ns; }
  void WakeLate(int64_t ns) { late_ = ns; }

 private:
  int64_t now_ = 5'000'000'000, late_ = 0;
};

absl::Status Right() { return absl::OkStatus(); }

// 1,000 a second for two seconds, 0.1 ms each, but for one that takes 100 ms.
absl::StatusOr<LoadResult> LoadWithStall(SimulatedClock& clock) {
  int run = 0;
  return RunLoad(
      clock, {.per_second = 1000, .duration_ns = 2000 * kMs},
      [&clock, run]() mutable {
        clock.Pass(++run == 500 ? 100 * kMs : kMs / 10);
        return absl::OkStatus();
      },
      Right);
}

TEST(PacedLoad, AStallCountsForAllThatShouldHaveStartedInIt) {
  SimulatedClock clock;
  const auto result = LoadWithStall(clock);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->runs, 2000u);
  EXPECT_EQ(result->latency.count(), 2000u);
  // From their actual start all but one were fast: the omission that is meant.
  EXPECT_NEAR(static_cast<double>(result->service.Percentile(0.999)), 0.1 * kMs, 0.001 * kMs);
  EXPECT_EQ(result->service.most(), 100 * kMs);
  // One started every 0.1 ms afterwards while one was due every 1 ms: the queue of 99 was worked
  // off by 0.9 ms each, so 111 waited, evenly from 99 ms down to none.
  EXPECT_EQ(result->latency.most(), 100 * kMs);
  EXPECT_NEAR(static_cast<double>(result->latency.Percentile(0.99)), 82 * kMs, 1.0 * kMs);
  EXPECT_NEAR(static_cast<double>(result->latency.Percentile(0.97)), 46 * kMs, 1.0 * kMs);
  EXPECT_NEAR(static_cast<double>(result->latency.Percentile(0.94)), 0.1 * kMs, 0.001 * kMs);
}

TEST(PacedLoad, AQuietLoadStartsWhenItIsMeantTo) {
  SimulatedClock clock;
  const auto result = RunLoad(
      clock, {.per_second = 250, .duration_ns = 1000 * kMs},
      [&] {
        clock.Pass(kMs);
        return absl::OkStatus();
      },
      Right);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->runs, 250u);
  EXPECT_EQ(result->latency.least(), kMs);
  EXPECT_EQ(result->latency.most(), kMs);
  EXPECT_EQ(result->lateness.most(), 0);
  EXPECT_NEAR(result->achieved(), 250, 1);
}

TEST(PacedLoad, LatenessOfThisToolIsSeenAndCounts) {
  SimulatedClock clock;
  clock.WakeLate(kMs / 2);
  const auto result = RunLoad(
      clock, {.per_second = 100, .duration_ns = 1000 * kMs},
      [&] {
        clock.Pass(kMs);
        return absl::OkStatus();
      },
      Right);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->lateness.least(), kMs / 2);
  EXPECT_EQ(result->latency.least(), kMs + kMs / 2);
  EXPECT_EQ(result->service.most(), kMs);
}

TEST(PacedLoad, ARateThatCannotBeMetIsGivenUpAndStillCounted) {
  SimulatedClock clock;
  const auto result = RunLoad(
      clock, {.per_second = 1000, .duration_ns = 1000 * kMs},
      [&] {
        clock.Pass(10 * kMs);
        return absl::OkStatus();
      },
      Right);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->runs, 200u);  // in twice the second
  EXPECT_EQ(result->given_up, 800u);
  EXPECT_EQ(result->latency.count(), 1000u) << "what was never sent waited as well";
  EXPECT_GT(result->latency.Percentile(0.5), 900 * kMs);
  EXPECT_LE(result->latency.most(), 2000 * kMs);
  EXPECT_NEAR(result->achieved(), 100, 1);
}

TEST(PacedLoad, AClosedLoopGoesOnWhenTheLastHasEnded) {
  SimulatedClock clock;
  const auto result = RunLoad(
      clock, {.duration_ns = 100 * kMs},
      [&] {
        clock.Pass(4 * kMs);
        return absl::OkStatus();
      },
      [&] {
        clock.Pass(kMs);  // looking at the result takes time that nobody is charged for
        return absl::OkStatus();
      });
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->runs, 20u);
  EXPECT_EQ(result->latency.least(), 4 * kMs);
  EXPECT_EQ(result->latency.most(), 4 * kMs);
}

TEST(PacedLoad, TheFirstErrorEndsIt) {
  SimulatedClock clock;
  int runs = 0;
  const auto once = [&] {
    clock.Pass(kMs);
    return ++runs == 3 ? absl::InternalError("broke") : absl::OkStatus();
  };
  EXPECT_EQ(RunLoad(clock, {.duration_ns = 100 * kMs}, once, Right).status().message(), "broke");
  EXPECT_EQ(runs, 3);
  const auto wrong = [] { return absl::DataLossError("wrong"); };
  EXPECT_TRUE(absl::IsDataLoss(
      RunLoad(clock, {.per_second = 10, .duration_ns = 100 * kMs}, once, wrong).status()));
  EXPECT_FALSE(RunLoad(clock, {.per_second = -1, .duration_ns = kMs}, once, Right).ok());
  EXPECT_FALSE(RunLoad(clock, {.per_second = 1}, once, Right).ok());
}

}  // namespace
}  // namespace anex::bench
