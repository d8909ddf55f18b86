#include "client/cli/bench/crew.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>

#include "absl/synchronization/mutex.h"

namespace anex::bench {
namespace {

TEST(Crew, NobodyWorksBeforeAllAreReadyAndAllWorkAtOnce) {
  constexpr int kMembers = 4;
  std::atomic<int> ready{0};
  std::atomic<bool> early{false};
  absl::Mutex mutex;
  int inside = 0;
  Crew crew(
      kMembers,
      [&](int) {
        ++ready;
        return absl::OkStatus();
      },
      [&](int) {
        if (ready % kMembers != 0) early = true;
        // Passes only if all are in it together.
        absl::MutexLock lock(&mutex);
        ++inside;
        const auto all = [&] { return inside % kMembers == 0; };
        mutex.Await(absl::Condition(&all));
        return absl::OkStatus();
      });
  for (int turn = 1; turn <= 20; ++turn) {
    const auto taken = crew.Go();
    ASSERT_TRUE(taken.ok()) << taken.status();
    EXPECT_EQ(taken->size(), 4u);
    for (const int64_t ns : *taken) EXPECT_GE(ns, 0);
    absl::MutexLock lock(&mutex);
    EXPECT_EQ(inside, turn * kMembers);
  }
  EXPECT_FALSE(early);
}

TEST(Crew, WhoIsNotReadyDoesNotWorkAndTheErrorIsTold) {
  std::array<std::atomic<int>, 3> worked{};
  std::atomic<bool> broken{true};
  Crew crew(
      3, [&](int i) { return i == 1 && broken ? absl::InternalError("one") : absl::OkStatus(); },
      [&](int i) {
        ++worked[static_cast<size_t>(i)];
        return absl::OkStatus();
      });
  EXPECT_EQ(crew.Go().status().message(), "one");
  EXPECT_EQ(worked[0], 1);
  EXPECT_EQ(worked[1], 0);
  EXPECT_EQ(worked[2], 1);
  broken = false;  // the next go is a new one
  EXPECT_TRUE(crew.Go().ok());
  EXPECT_EQ(worked[1], 1);
}

TEST(Crew, GoesWithoutEverHavingGone) { Crew(2, nullptr, nullptr); }

}  // namespace
}  // namespace anex::bench
