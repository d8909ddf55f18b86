#include "server/device/cpu/work_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"

namespace anex::device::cpu {
namespace {

TEST(WorkPoolTest, EveryIndexIsVisitedExactlyOnce) {
  for (const int threads : {1, 2, 5}) {
    WorkPool pool(threads);
    EXPECT_EQ(pool.slots(), threads);
    for (const int64_t count : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> visits(static_cast<size_t>(count));
      pool.ParallelFor(count, [&](int64_t i, int) { ++visits[static_cast<size_t>(i)]; });
      for (const auto& visit : visits) ASSERT_EQ(visit, 1);
    }
  }
}

TEST(WorkPoolTest, NoTwoThreadsShareASlot) {
  WorkPool pool(4);
  std::vector<std::atomic<int>> inside(4);
  std::atomic<bool> shared{false};
  pool.ParallelFor(2000, [&](int64_t, int slot) {
    if (++inside[static_cast<size_t>(slot)] != 1) shared = true;
    --inside[static_cast<size_t>(slot)];
  });
  EXPECT_FALSE(shared);
}

TEST(WorkPoolTest, AHelperTakesPart) {
  WorkPool pool(2);
  absl::Notification helped;
  // The caller's chunk waits for the helper's: only possible if both are at work.
  pool.ParallelFor(2, [&](int64_t, int slot) {
    if (slot == 0) {
      helped.WaitForNotification();
    } else {
      helped.Notify();
    }
  });
  EXPECT_TRUE(helped.HasBeenNotified());
}

TEST(WorkPoolTest, ACallerFinishesAloneWhileTheHelpersAreBusyElsewhere) {
  WorkPool pool(2);
  absl::Notification release, busy;
  std::atomic<int> first{0};
  std::thread other([&] {
    pool.ParallelFor(2, [&](int64_t, int) {
      if (first.fetch_add(1) == 0) busy.Notify();
      release.WaitForNotification();
    });
  });
  busy.WaitForNotification();
  int64_t sum = 0;  // not shared: this loop runs on this thread only
  pool.ParallelFor(100, [&](int64_t i, int slot) {
    EXPECT_EQ(slot, 0);
    sum += i;
  });
  EXPECT_EQ(sum, 4950);
  release.Notify();
  other.join();
}

TEST(WorkPoolTest, ManyLoopsInARowNeitherHangNorLoseWork) {
  WorkPool pool(3);
  std::atomic<int64_t> total{0};
  for (int round = 0; round < 3000; ++round) {
    pool.ParallelFor(5, [&](int64_t i, int) { total += i; });
  }
  EXPECT_EQ(total, 3000 * 10);
}

}  // namespace
}  // namespace anex::device::cpu
