// Several drainers of one queue: those who look and those who sleep.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <thread>
#include <vector>

#include "server/engine/run/completion_queue.h"

namespace anex::engine {
namespace {

Completion Numbered(uint64_t number) {
  Completion completion;
  completion.user_data = number;
  return completion;
}

bool InOrder(const std::vector<uint64_t>& numbers) {
  return std::ranges::is_sorted(numbers, std::less_equal<>());
}

class CompletionQueueTest : public ::testing::Test {
 protected:
  void Push(uint64_t number) {
    while (!queue_.Reserve().ok()) std::this_thread::yield();
    queue_.Push(Numbered(number));
  }

  CompletionQueue queue_{8};
};

TEST_F(CompletionQueueTest, EachGoesToOneOfThoseWhoLookAndThoseWhoSleep) {
  constexpr uint64_t kCount = 100'000;
  std::atomic<bool> looking{true};
  std::vector<uint64_t> looked, slept, drained;
  std::thread looker([&] {
    std::vector<Completion> batch;
    while (looking) {
      batch.clear();
      bool tried = false;
      queue_.DrainSoon(batch, 2, tried);
      for (const Completion& completion : batch) looked.push_back(completion.user_data);
    }
  });
  const auto drain = [&](std::vector<uint64_t>& to) {
    std::vector<Completion> batch;
    while (queue_.Drain(batch, 3, absl::InfiniteDuration()) > 0) {
      for (const Completion& completion : batch) to.push_back(completion.user_data);
      batch.clear();
    }
  };
  std::thread sleeper([&] { drain(slept); }), other([&] { drain(drained); });
  for (uint64_t number = 1; number <= kCount; ++number) {
    if (number == kCount - 100) {  // the last ones are the sleepers' alone
      looking = false;
      looker.join();
    }
    Push(number);
  }
  while (queue_.outstanding() > 0) std::this_thread::yield();
  queue_.Shutdown();
  sleeper.join();
  other.join();
  EXPECT_TRUE(InOrder(looked) && InOrder(slept) && InOrder(drained));
  std::vector<uint64_t> all(looked);
  all.insert(all.end(), slept.begin(), slept.end());
  all.insert(all.end(), drained.begin(), drained.end());
  std::ranges::sort(all);
  ASSERT_EQ(all.size(), kCount);
  for (uint64_t i = 0; i < kCount; ++i) ASSERT_EQ(all[i], i + 1);
}

// However it ends, also while they look.
TEST_F(CompletionQueueTest, WhoWaitsLearnsOfTheEnd) {
  for (int round = 0; round < 300; ++round) {
    CompletionQueue queue(2);
    ASSERT_TRUE(queue.Reserve().ok());
    std::thread waiter([&] { EXPECT_FALSE(queue.Next(absl::InfiniteDuration()).has_value()); });
    if (round % 3 == 0) std::this_thread::sleep_for(std::chrono::microseconds(round));
    if (round % 2 == 0) {
      queue.Shutdown();
    } else {
      queue.Close();
      queue.Unreserve();
    }
    waiter.join();
  }
}

TEST_F(CompletionQueueTest, NobodyWaitsMuchLongerThanHeWouldWait) {
  using Clock = std::chrono::steady_clock;
  Clock::duration best = Clock::duration::max();
  for (int i = 0; i < 50; ++i) {
    const Clock::time_point began = Clock::now();
    EXPECT_FALSE(queue_.Next(absl::Microseconds(1)).has_value());
    best = std::min(best, Clock::now() - began);
  }
  // A look of its own would take 50 us; a sleep of a microsecond takes what the system's timers do.
  EXPECT_LT(best, std::chrono::milliseconds(2));
  std::vector<Completion> none;
  bool tried = false;
  EXPECT_EQ(queue_.DrainSoon(none, 1, tried), 0u) << "and this one never sleeps";
}

TEST_F(CompletionQueueTest, SomeoneWhoFindsNothingLeavesTheNextOneToAnother) {
  std::vector<Completion> none;
  bool tried = false;
  EXPECT_EQ(queue_.DrainSoon(none, 1, tried), 0u);
  Push(7);
  EXPECT_TRUE(queue_.Wait(absl::ZeroDuration()));
  EXPECT_EQ(queue_.DrainSoon(none, 1, tried), 1u);
  EXPECT_FALSE(tried) << "it was there";
  EXPECT_FALSE(queue_.Wait(absl::ZeroDuration()));
}

}  // namespace
}  // namespace anex::engine
