#include "proto/shm/doorbell.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace anex::shm {
namespace {

bool IsRinging(const Doorbell& bell) {
  pollfd entry{bell.poll_descriptor(), POLLIN, 0};
  return ::poll(&entry, 1, 0) == 1;
}

TEST(Doorbell, RingsUntilDrainedHoweverOftenItWasRung) {
  absl::StatusOr<Doorbell> bell = Doorbell::Create();
  ASSERT_TRUE(bell.ok());
  EXPECT_FALSE(IsRinging(*bell));
  for (int i = 0; i < 1000; ++i) bell->Ring();
  EXPECT_TRUE(IsRinging(*bell));
  EXPECT_TRUE(IsRinging(*bell));
  bell->Drain();
  EXPECT_FALSE(IsRinging(*bell));
  bell->Drain();  // does not block
  bell->Ring();
  EXPECT_TRUE(IsRinging(*bell));
}

// The peer's descriptor is the same open file: it can take the count before we do, and the mode.
TEST(Doorbell, APeerThatTakesTheModeAndTheRingsDoesNotHoldUsUp) {
  const auto bell = Doorbell::Create();
  ASSERT_TRUE(bell.ok());
  const auto peer = bell->Share();
  ASSERT_TRUE(peer.ok());
  ASSERT_EQ(::fcntl(peer->get(), F_SETFL, 0), 0);
  bell->Ring();
  uint64_t taken = 0;
  if (::read(peer->get(), &taken, sizeof(taken)) < 0) GTEST_SKIP() << "peers can only ring here";
  bell->Drain();
  bell->Ring();
  pollfd ringing{bell->poll_descriptor(), POLLIN, 0};
  EXPECT_EQ(::poll(&ringing, 1, 0), 1);
}

TEST(Doorbell, WakesAPollerInAnotherThread) {
  absl::StatusOr<Doorbell> bell = Doorbell::Create();
  ASSERT_TRUE(bell.ok());
  std::thread ringer([&] { bell->Ring(); });
  pollfd entry{bell->poll_descriptor(), POLLIN, 0};
  EXPECT_EQ(::poll(&entry, 1, 20'000), 1);
  ringer.join();
}

TEST(WaitOnWord, ReturnsAtOnceWhenTheWordDiffers) {
  std::atomic<uint32_t> word{5};
  EXPECT_EQ(WaitOnWord(word, 4, absl::Hours(2)), WordWait::kLookAgain);
}

TEST(WaitOnWord, EndsAtItsDeadlineAndNotBefore) {
  std::atomic<uint32_t> word{5};
  const auto start = std::chrono::steady_clock::now();
  WordWait result;
  do {
    result = WaitOnWord(word, 5, absl::Milliseconds(30));
  } while (result == WordWait::kLookAgain);  // for no reason
  EXPECT_EQ(result, WordWait::kTimedOut);
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(30));
  EXPECT_EQ(WaitOnWord(word, 5, absl::ZeroDuration()), WordWait::kTimedOut);
  EXPECT_EQ(WaitOnWord(word, 5, -absl::Seconds(1)), WordWait::kTimedOut);
}

TEST(WaitOnWord, WakeAllWakesEveryWaiter) {
  std::atomic<uint32_t> word{0};
  std::vector<std::thread> waiters;
  for (int i = 0; i < 4; ++i) {
    waiters.emplace_back([&] {
      while (word.load(std::memory_order_acquire) == 0) {
        ASSERT_EQ(WaitOnWord(word, 0, absl::Seconds(20)), WordWait::kLookAgain);
      }
    });
  }
  word.store(1, std::memory_order_release);
  WakeAll(word);
  for (std::thread& waiter : waiters) waiter.join();
}

// A ball that two threads throw 10,000 times: a lost wake-up would end it by time-out.
TEST(WaitOnWord, LosesNoWakeUp) {
  std::atomic<uint32_t> word{0};
  const auto play = [&](uint32_t mine) {
    for (uint32_t turn = mine; turn < 10'000; turn += 2) {
      uint32_t seen;
      while ((seen = word.load(std::memory_order_acquire)) != turn) {
        ASSERT_EQ(WaitOnWord(word, seen, absl::Seconds(20)), WordWait::kLookAgain);
      }
      word.store(turn + 1, std::memory_order_release);
      WakeOne(word);
    }
  };
  std::thread other(play, 1);
  play(0);
  other.join();
  EXPECT_EQ(word.load(), 10'000u);
}

}  // namespace
}  // namespace anex::shm
