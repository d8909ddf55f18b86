// Clients that die in the middle of everything, one after the other: nothing of them stays. Most
// are side channels that break off, from several threads of this process; some are real processes
// that are killed. ANEX_DEATHS of them (tests/faults/CMakeLists.txt), after as many as it takes for
// the daemon's own tables and pools to have their size.

#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <cstdio>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "tests/e2e/fixture.h"
#include "tests/e2e/raw_client.h"

namespace anex::test {
namespace {

constexpr int kDeaths = ANEX_DEATHS;
constexpr int kWarmUp = kDeaths / 2;
constexpr int kThreads = 3;
constexpr int kPerProcess = 40;  // broken side channels to one killed process

class Deaths : public ::testing::Test {
 protected:
  void SetUp() override {
    auto daemon = DaemonProcess::Start();
    ASSERT_TRUE(daemon.ok()) << daemon.status();
    daemon_ = *std::move(daemon);
    watcher_ = OpenSession(daemon_->socket(), "watcher");
    ASSERT_NE(watcher_, nullptr);
    // Loaded as long as the watcher has it, so that those who die find it.
    const auto kernel = watcher_->Compile(MatmulProgram(), {});
    ASSERT_TRUE(kernel.ok()) << kernel.status();
    digest_ = kernel->digest;
  }

  // One that has everything and then has gone. Of its work something runs, something waits, and
  // something is still in the ring.
  void LiveAndDie(const std::shared_ptr<grpc::Channel>& channel) {
    const auto client = RawClient::Open(channel, "mortal");
    ASSERT_TRUE(client.ok()) << client.status();
    const absl::Status made = (*client)->MakeWork(digest_, 8);
    ASSERT_TRUE(made.ok()) << made;
    for (uint64_t i = 0; i < 3; ++i) ASSERT_EQ((*client)->Put((*client)->Run(i)), 1u);
    ASSERT_EQ((*client)->Put((*client)->Wait(3)), 1u);
    for (uint64_t i = 4; i < 8; ++i) ASSERT_EQ((*client)->Put((*client)->Run(i)), 1u);
  }

  void Kill(int count) {
    std::atomic<int> left{count};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        std::shared_ptr<grpc::Channel> channel;
        for (int life = 0; left.fetch_sub(1) > 0 && !HasFailure(); ++life) {
          if (life % 16 == 0) channel = NewChannel(daemon_->socket());
          LiveAndDie(channel);
        }
      });
    }
    for (int i = 0; i < count / kPerProcess; ++i) {
      auto client = ChildProcess::Start({CLIENT_PROGRAM, daemon_->socket(), "hold"});
      EXPECT_TRUE(client.ok()) << client.status();
      EXPECT_TRUE((*client)->WaitForLine("ready").ok()) << (*client)->output();
      (*client)->Signal(SIGKILL);
    }
    for (std::thread& thread : threads) thread.join();
  }

  // What the daemon has once all of the dead have been seen to: only the watcher and its own.
  struct Left {
    int descriptors = 0;
    uint64_t resident_bytes = 0, surfaces = 0;
  };
  Left WaitUntilOnlyTheWatcherIsLeft() {
    for (const absl::Time end = absl::Now() + absl::Seconds(20); absl::Now() < end;) {
      const auto status = watcher_->GetStatus();
      EXPECT_TRUE(status.ok()) << status.status();
      if (!status.ok() || (status->sessions.size() == 1 && status->surface_bytes == 0 &&
                           status->devices[0].queued + status->devices[0].running == 0)) {
        break;
      }
      absl::SleepFor(absl::Milliseconds(2));
    }
    // Its threads may be about to close what they have let go of.
    Left left;
    for (int same = 0, i = 0; same < 20 && i < 2000; ++i) {
      const int now = daemon_->descriptors();
      same = now == left.descriptors ? same + 1 : 0;
      left.descriptors = now;
      absl::SleepFor(absl::Milliseconds(5));
    }
    left.resident_bytes = daemon_->resident_bytes();
    left.surfaces = watcher_->ListSurfaces()->size();
    return left;
  }

  std::unique_ptr<DaemonProcess> daemon_;
  std::unique_ptr<Transport> watcher_;
  std::string digest_;
};

TEST_F(Deaths, LeaveNothing) {
  Kill(kWarmUp);
  if (HasFailure()) return;
  const Left before = WaitUntilOnlyTheWatcherIsLeft();
  const absl::Time start = absl::Now();
  Kill(kDeaths);
  const double seconds = absl::ToDoubleSeconds(absl::Now() - start);
  const Left after = WaitUntilOnlyTheWatcherIsLeft();
  std::printf(
      "%d deaths in %.1f s: descriptors %d -> %d, surfaces %lu -> %lu, resident %.2f -> "
      "%.2f MiB\n",
      kDeaths, seconds, before.descriptors, after.descriptors,
      static_cast<unsigned long>(before.surfaces), static_cast<unsigned long>(after.surfaces),
      static_cast<double>(before.resident_bytes) / (1 << 20),
      static_cast<double>(after.resident_bytes) / (1 << 20));
  EXPECT_EQ(watcher_->GetStatus()->sessions.size(), 1u);
  EXPECT_EQ(after.surfaces, before.surfaces);
  EXPECT_LE(after.descriptors, before.descriptors);
#if !defined(ANEX_SANITIZED)
  EXPECT_LE(after.resident_bytes, before.resident_bytes + (1 << 20));
#endif
  EXPECT_TRUE(RunsMatmul(daemon_->socket()).ok());
}

}  // namespace
}  // namespace anex::test
