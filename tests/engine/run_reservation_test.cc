// Which reservations can be kept: boundaries by hand, and a simulated worst case for what is let
// in.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "server/engine/run/reservation.h"
#include "tests/engine/scheduler_simulation.h"

namespace anex::engine {
namespace {

constexpr int64_t kMs = 1'000'000;
constexpr ClassShares kNothingKept = {{0, 0, 0, 0, 0}};

absl::StatusCode Code(const Reservation& wanted, const std::vector<Reservation>& kept,
                      int64_t longest_step_ns, const ClassShares& shares = kNothingKept) {
  return Admit(wanted, kept, longest_step_ns, shares).code();
}

TEST(Reservation, RefusesWhatIsNone) {
  for (const Reservation& none :
       {Reservation{0, 0}, Reservation{10 * kMs, 0}, Reservation{10 * kMs, -1},
        Reservation{10 * kMs, 10 * kMs + 1}, Reservation{kLeastPeriodNs - 1, 10},
        Reservation{kMostPeriodNs + 1, 10}}) {
    EXPECT_EQ(Code(none, {}, 0), absl::StatusCode::kOutOfRange) << none.period_ns;
  }
  EXPECT_EQ(Code({kLeastPeriodNs, 1}, {}, 0), absl::StatusCode::kOk);
  EXPECT_EQ(Code({kMostPeriodNs, kMostPeriodNs}, {}, 0), absl::StatusCode::kOk);
}

TEST(Reservation, TheWholeDeviceCanBePromisedAndNoMore) {
  const std::vector<Reservation> kept = {{10 * kMs, 5 * kMs}, {20 * kMs, 6 * kMs}};
  EXPECT_EQ(Code({40 * kMs, 8 * kMs}, kept, 0), absl::StatusCode::kOk);
  EXPECT_EQ(Code({40 * kMs, 8 * kMs + 1}, kept, 0), absl::StatusCode::kResourceExhausted);
}

TEST(Reservation, TheLongestStepCountsAgainstTheShortestPeriodMost) {
  EXPECT_EQ(Code({10 * kMs, 6 * kMs}, {}, 4 * kMs), absl::StatusCode::kOk);
  EXPECT_EQ(Code({10 * kMs, 6 * kMs}, {}, 4 * kMs + 1), absl::StatusCode::kResourceExhausted);
  // A newcomer may break those that are kept: 5/10 + 4/10 fits, and in 5 ms a step of 4 does not.
  EXPECT_EQ(Code({100 * kMs, 40 * kMs}, {{10 * kMs, 5 * kMs}}, 4 * kMs), absl::StatusCode::kOk);
  EXPECT_EQ(Code({5 * kMs, 2 * kMs}, {{10 * kMs, 4 * kMs}}, 4 * kMs),
            absl::StatusCode::kResourceExhausted);
}

TEST(Reservation, WhatOtherClassesKeepIsNotPromised) {
  const ClassShares shares = {{0, 100, 150, 0, 0}};
  EXPECT_EQ(Code({10 * kMs, 7'500'000}, {}, 0, shares), absl::StatusCode::kOk);
  EXPECT_EQ(Code({10 * kMs, 7'500'001 + 10}, {}, 0, shares), absl::StatusCode::kResourceExhausted);
  // Two classes that keep a part: each may come with a step of its own after the one that runs.
  EXPECT_EQ(Code({10 * kMs, 4'500'000}, {}, kMs, shares), absl::StatusCode::kOk);
  EXPECT_EQ(Code({10 * kMs, 4'500'100}, {}, kMs, shares), absl::StatusCode::kResourceExhausted);
}

TEST(Reservation, ARefusalSaysWhatIsLeftAndWhy) {
  const absl::Status refused = Admit({10 * kMs, 9 * kMs}, {}, 2 * kMs, kNothingKept);
  for (const char* word : {"90.0 %", "80.0 %", "2000000 ns", "smaller budget"}) {
    EXPECT_NE(refused.message().find(word), absl::string_view::npos) << refused;
  }
}

// Earliest deadline first, without interruption: jobs of the reservations against steps of others
// that start at the worst moment. No deadline of an admitted set is ever missed.
TEST(Reservation, WhatWasAdmittedIsKeptInTheWorstCase) {
  std::mt19937 random(testing::SeedOfThisRun());
  int admitted = 0;
  for (int world = 0; world < 3000; ++world) {
    const int64_t longest = 1 + random() % (2 * kMs);
    std::vector<Reservation> kept;
    for (int i = 0; i < 6; ++i) {
      const Reservation wanted{static_cast<int64_t>(1 + random() % 20) * kMs,
                               static_cast<int64_t>(1 + random() % (4 * kMs))};
      if (Admit(wanted, kept, longest, kNothingKept).ok()) kept.push_back(wanted);
    }
    if (kept.empty()) continue;
    ++admitted;
    struct Pending {
      int64_t left = 0, deadline = 0, next_release = 0;
    };
    std::vector<Pending> state(kept.size());
    int64_t now = -1;  // the foreign step starts just before all are released
    now += longest;
    while (now < 400 * kMs) {
      int64_t soonest = INT64_MAX;
      Pending* first = nullptr;
      for (size_t i = 0; i < kept.size(); ++i) {
        Pending& one = state[i];
        if (one.left == 0 && one.next_release <= now) {
          one.left = kept[i].budget_ns;
          one.deadline = one.next_release + kept[i].period_ns;
          one.next_release = one.deadline;
        }
        if (one.left == 0) soonest = std::min(soonest, one.next_release);
        if (one.left > 0 && (first == nullptr || one.deadline < first->deadline)) first = &one;
      }
      if (first == nullptr) {
        now = soonest - 1 + longest;  // idle: a foreign step starts just before the next release
        continue;
      }
      // The budget is used in steps that are not longer than anybody's.
      const int64_t step = std::min(first->left, longest);
      now += step;
      first->left -= step;
      ASSERT_LE(now, first->deadline) << "world " << world;
    }
  }
  EXPECT_GT(admitted, 1000);
}

}  // namespace
}  // namespace anex::engine
