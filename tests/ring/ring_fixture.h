// An engine with a ring door, and clients that hold the other end of a ring in this process: honest
// ones (shm::ClientRing) and such that write what they like.
#ifndef ANEX_TESTS_RING_RING_FIXTURE_H_
#define ANEX_TESTS_RING_RING_FIXTURE_H_

#include <gtest/gtest.h>
#include <time.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "proto/shm/ring.h"
#include "server/ring/ring_door.h"
#include "tests/engine/engine_fixture.h"
#include "tests/system/processes.h"

namespace anex::ring::testing {

using engine::Caller;

class RingTest : public engine::testing::EngineTest {
 protected:
  static constexpr absl::Duration kSoon = absl::Seconds(20);

  void SetUp() override {
    EngineTest::SetUp();
    MakeDoor();
  }
  void MakeDoor() {
    door_ = std::make_unique<RingDoor>(*engine_, [this](SessionId, std::string_view sentence) {
      absl::MutexLock lock(&mutex_);
      broken_.emplace_back(sentence);
    });
  }

  // The client's end of a ring of `entries` into `lane`, by way of the tokens.
  struct End {
    LaneId lane;
    std::shared_ptr<shm::SharedRegion> region;
    std::unique_ptr<shm::ClientRing> ring;

    // The ring's words as a client may write them.
    RingFrame& frame() const { return *reinterpret_cast<RingFrame*>(region->data()); }
    RingSlot& submission(uint32_t n) const {
      return reinterpret_cast<RingSlot*>(region->data() + ring->geometry().submissions_at())[n];
    }
  };
  End OpenRing(const Caller& caller, LaneId lane = LaneId(), uint32_t entries = 8) {
    End end;
    const absl::StatusOr<OpenedRing> opened = door_->Open(caller, {lane, {}, "", entries, entries});
    EXPECT_TRUE(opened.ok()) << opened.status();
    if (!opened.ok()) return end;
    end.lane = opened->lane;
    const auto memory = engine_->TakeHandover(caller.session, opened->region_token);
    const auto bell = engine_->TakeHandover(caller.session, opened->bell_token);
    EXPECT_TRUE(memory.ok() && bell.ok());
    EXPECT_FALSE(engine_->TakeHandover(caller.session, opened->bell_token).ok()) << "one use";
    end.region = memory->region;
    end.ring =
        *shm::ClientRing::Attach(end.region, shm::Doorbell::AdoptRinger(*bell->bell->Share()));
    return end;
  }

  static RingSubmission Run(const Ready& ready, uint64_t user_data = 0) {
    return {.user_data = user_data, .target = ready.invocation.value()};
  }
  static size_t Put(const End& end, const RingSubmission& entry) {
    return end.ring->Submit(std::span(&entry, 1));
  }
  struct Done {
    RingCompletion entry;
    std::string text;
    absl::StatusCode code() const { return static_cast<absl::StatusCode>(entry.status); }
  };
  static Done Next(const End& end) {
    shm::ClientRing::Taken taken;
    while (!end.ring->Take(taken)) {
      if (end.ring->Wait(kSoon)) continue;
      ADD_FAILURE() << "no completion came; state " << static_cast<int>(end.ring->state());
      return {};
    }
    return {taken.completion, std::string(taken.text)};
  }
  static bool WaitForState(const End& end, RingState state) {
    const absl::Time until = absl::Now() + kSoon;
    while (end.ring->state() != state && absl::Now() < until) end.ring->Wait(absl::Milliseconds(5));
    return end.ring->state() == state;
  }
  std::vector<std::string> Broken() {
    absl::MutexLock lock(&mutex_);
    return broken_;
  }
  // The same once there is something: a ring says so to its client first.
  std::vector<std::string> WaitForBroken() {
    absl::MutexLock lock(&mutex_);
    const auto some = [this] { return !broken_.empty(); };
    mutex_.AwaitWithTimeout(absl::Condition(&some), kSoon);
    return broken_;
  }
  // Looks at an engine that has nothing to do: its threads neither wake up nor turn. Measured in
  // wake-ups of the device thread and in processor time of this whole process, which is the
  // engine's: a thread that never sleeps is not seen in the former.
  void ExpectAtRest() {
    WaitUntilAsleep();
    const uint64_t slept = engine_->device_sleeps();
    const double cpu = CpuSeconds();
    absl::SleepFor(absl::Milliseconds(500));
    // A thread that the machine held up may have had a last look to make.
    EXPECT_LE(engine_->device_sleeps(), slept + 2);
    EXPECT_LT(CpuSeconds() - cpu, 0.05) << "a thread turns";
  }
  static double CpuSeconds() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
  }
  static size_t OpenDescriptors() { return static_cast<size_t>(test::OpenDescriptors(::getpid())); }
  // Until the device thread has gone to sleep and stayed there for a while.
  void WaitUntilAsleep() {
    for (uint64_t seen = ~uint64_t{0}; seen != engine_->device_sleeps();) {
      seen = engine_->device_sleeps();
      absl::SleepFor(absl::Milliseconds(30));
    }
  }

  std::unique_ptr<RingDoor> door_;
  absl::Mutex mutex_;
  std::vector<std::string> broken_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace anex::ring::testing

#endif  // ANEX_TESTS_RING_RING_FIXTURE_H_
