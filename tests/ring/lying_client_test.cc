// Clients that write what they like into a ring: counters, entries, flags, at any moment. Each
// breaks its own ring at most; neighbours go on, and nothing is left behind.

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <random>
#include <thread>

#include "absl/time/clock.h"
#include "server/ring/ring_source.h"
#include "tests/ring/ring_fixture.h"

namespace anex::ring::testing {
namespace {

using ::testing::HasSubstr;

class LyingClientTest : public RingTest {
 protected:
  static void StoreTail(const End& end, uint32_t tail) {
    end.frame().submission_tail.value.store(tail, std::memory_order_seq_cst);
  }
  static void StoreWords(const End& end, uint32_t place, const RingEntryWords& words) {
    for (size_t i = 0; i < words.size(); ++i) {
      end.submission(place).words[i].store(words[i], std::memory_order_relaxed);
    }
  }
  // A ring that nobody but the test asks.
  struct Direct {
    End end;
    std::shared_ptr<RingSource> source;
  };
  Direct OpenDirect(const Caller& caller, LaneId lane, uint32_t entries) {
    RingSource::Parts parts;
    parts.engine = engine_.get();
    parts.caller.session = caller.session;
    parts.lane = lane;
    parts.ring = *shm::DaemonRing::Create(*RingGeometry::Make(entries, entries), "test");
    parts.bell = std::make_shared<const shm::Doorbell>(*shm::Doorbell::Create());
    Direct direct;
    direct.end.region = parts.ring->region();
    direct.end.ring = *shm::ClientRing::Attach(direct.end.region,
                                               shm::Doorbell::AdoptRinger(*parts.bell->Share()));
    direct.source = std::make_shared<RingSource>(std::move(parts));
    return direct;
  }
  void ExpectServes(const Caller& caller, const Ready& ready) {
    const auto done = engine_->Evaluate(caller, EngineTest::Run(ready));
    ASSERT_TRUE(done.ok()) << done.status();
    EXPECT_TRUE(done->status.ok()) << done->status;
  }
};

TEST_F(LyingClientTest, ATailTooFarAheadBreaksTheRingAndItsLaneLives) {
  const Caller caller = OpenSession();
  const Ready ready = GetReady(caller);
  const End end = OpenRing(caller, ready.lane);
  StoreTail(end, 9);  // of 8
  ExpectServes(caller, ready);
  EXPECT_TRUE(WaitForState(end, RingState::kBroken));
  Put(end, Run(ready));
  ExpectServes(caller, ready);
  EXPECT_FALSE(end.ring->Wait(absl::ZeroDuration())) << "nothing is taken any more";
  ASSERT_EQ(WaitForBroken().size(), 1u);
  EXPECT_THAT(Broken().front(), HasSubstr("submission_tail"));
  EXPECT_TRUE(door_->Close(caller, end.lane).ok()) << "its place is given back as ever";
  const End again = OpenRing(caller, ready.lane);
  ASSERT_EQ(Put(again, Run(ready, 4)), 1u);
  EXPECT_EQ(Next(again).entry.user_data, 4u);
}

TEST_F(LyingClientTest, AHeadThatTakesWhatIsNotThereBreaksTheRing) {
  const Caller caller = OpenSession();
  const Ready ready = GetReady(caller);
  const End end = OpenRing(caller, ready.lane);
  end.frame().completion_head.value.store(3);
  Put(end, Run(ready));
  EXPECT_TRUE(WaitForState(end, RingState::kBroken));
  ASSERT_EQ(WaitForBroken().size(), 1u);
  EXPECT_THAT(Broken().front(), HasSubstr("completion_head"));
  ExpectServes(caller, ready);
}

TEST_F(LyingClientTest, WhatTheDaemonWroteIsNeverReadBack) {
  const Caller caller = OpenSession();
  const Ready ready = GetReady(caller);
  const End end = OpenRing(caller, ready.lane);
  RingFrame& frame = end.frame();
  for (int round = 0; round < 50; ++round) {
    frame.header = {~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u};
    frame.submission_head.value.store(0xdeadbeef);
    frame.completion_tail.value.store(0xdeadbeef);
    frame.state.value.store(77);
    frame.client_wake.value.store(0);
    const uint64_t before = engine_->GetStatus(caller).sessions.front().usage.completed;
    StoreWords(end, static_cast<uint32_t>(round % 8), Encode(Run(ready)));
    StoreTail(end, static_cast<uint32_t>(round + 1));
    ExpectServes(caller, ready);  // wakes the device thread, which then sees the entry
    const absl::Time until = absl::Now() + kSoon;
    while (engine_->GetStatus(caller).sessions.front().usage.completed < before + 2 &&
           absl::Now() < until) {
      absl::SleepFor(absl::Milliseconds(1));
    }
    frame.completion_head.value.store(static_cast<uint32_t>(round + 1));
  }
  EXPECT_EQ(engine_->GetStatus(caller).sessions.front().usage.completed, 100u);
  EXPECT_TRUE(Broken().empty());
}

TEST_F(LyingClientTest, EntriesOfNonsenseAreAnsweredOneByOne) {
  const Caller caller = OpenSession();
  const Ready ready = GetReady(caller);
  const End end = OpenRing(caller, ready.lane);
  std::mt19937_64 random(11);
  uint32_t put = 0;
  for (int round = 0; round < 300; ++round) {
    RingEntryWords words = Encode(Run(ready, static_cast<uint64_t>(round)));
    const size_t place = 1 + random() % 7;
    words[place] ^= random() | 1;  // anything but the user data
    StoreWords(end, put % 8, words);
    StoreTail(end, ++put);
    ExpectServes(caller, ready);  // wakes the device thread, which then sees the entry
    const Done done = Next(end);
    EXPECT_EQ(done.entry.user_data, static_cast<uint64_t>(round));
    EXPECT_TRUE(done.entry.status != 0 || place == 3) << "word " << place;
  }
  EXPECT_EQ(end.ring->state(), RingState::kOpen);
  EXPECT_TRUE(Broken().empty());
}

// The words of an entry that change while it is looked at: it is copied once, so what was checked
// is what is run. Entries that differ in every word: what is read may be a mixture, but each of its
// words is of one of them, and each completion is the answer to one entry.
TEST_F(LyingClientTest, EntriesThatChangeWhileTheyAreReadAreMixedAtMost) {
  const Caller caller = OpenSession(), other = OpenSession("other");
  const Ready ready = GetReady(caller), theirs = GetReady(other);
  const FenceId fence = *engine_->CreateFence(caller, 0);
  const End end = OpenRing(caller, ready.lane);
  constexpr uint64_t kOne = 0x1111'2222'3333'4444, kOther = 0xaaaa'bbbb'cccc'dddd;
  RingSubmission run = Run(ready, kOne);
  run.deadline_ns = 20'000'000'000;
  const RingSubmission signal{RingVerb::kFenceSignal, kOther, fence.value(), 5, 0};
  const RingEntryWords good = Encode(run), second = Encode(signal);
  const RingEntryWords foreign = Encode(Run(theirs, kOther));
  for (size_t i = 0; i < 5; ++i) ASSERT_NE(good[i], second[i]) << "word " << i;
  std::atomic<bool> done{false};
  std::thread scribbler([&] {
    while (!done) {
      for (uint32_t place = 0; place < 8; ++place) {
        StoreWords(end, place, good);
        StoreWords(end, place, second);
        StoreWords(end, place, foreign);
      }
    }
  });
  uint64_t accepted = 0;
  for (int i = 0; i < 2000; ++i) {
    ASSERT_EQ(Put(end, run), 1u);
    const Done one = Next(end);
    ASSERT_TRUE(one.entry.user_data == kOne || one.entry.user_data == kOther)
        << one.entry.user_data;
    // A target of the other kind is not there, an argument to a run makes no sense, and a fence
    // does not go back to 0.
    ASSERT_TRUE(one.entry.status == 0 || one.code() == absl::StatusCode::kNotFound ||
                one.code() == absl::StatusCode::kInvalidArgument ||
                one.code() == absl::StatusCode::kOutOfRange)
        << one.text;
    if (one.entry.status == 0) ++accepted;
  }
  done = true;
  scribbler.join();
  EXPECT_FALSE(end.ring->Wait(absl::Milliseconds(20))) << "one completion each";
  const uint64_t value = *engine_->WaitFence(caller, fence, 0);
  EXPECT_TRUE(value == 0 || value == 5) << value;
  for (const SessionStatus& session : engine_->GetStatus(other).sessions) {
    if (session.id == caller.session) {
      EXPECT_EQ(session.usage.completed, accepted);
    }
    EXPECT_TRUE(session.id != other.session || session.usage.submitted == 0);
  }
}

// What has been taken is the daemon's: nothing of it is read from the ring once more, whenever it
// is looked at.
TEST_F(LyingClientTest, WhatWasTakenIsNotReadAgain) {
  const Caller caller = OpenSession();
  const Ready ready = GetReady(caller);
  const FenceId fence = *engine_->CreateFence(caller, 0);
  const Direct direct = OpenDirect(caller, ready.lane, 16);
  std::vector<RingSubmission> entries(16, Run(ready));
  entries[0].target = 12345;  // refused: the look ends with it, with all of them taken
  for (uint64_t i = 0; i < 16; ++i) entries[i].user_data = 100 + i;
  ASSERT_EQ(direct.end.ring->Submit(entries), 16u);
  EXPECT_EQ(direct.source->Poll(16).entries, 1u);
  EXPECT_EQ(Next(direct.end).code(), absl::StatusCode::kNotFound);
  for (uint32_t place = 0; place < 16; ++place) {
    StoreWords(direct.end, place,
               Encode(RingSubmission{RingVerb::kFenceSignal, 7, fence.value(), 5, 1}));
  }
  EXPECT_EQ(direct.source->Poll(16).entries, 15u);
  for (uint64_t i = 1; i < 16; ++i) {
    const Done done = Next(direct.end);
    EXPECT_EQ(done.entry.user_data, 100 + i);
    EXPECT_EQ(done.entry.status, 0) << done.text;
    EXPECT_GT(done.entry.device_ns, 0) << "it ran";
  }
  EXPECT_EQ(*engine_->WaitFence(caller, fence, 0), 0u) << "nobody signalled";
}

// A client that floods its ring with refusals, one that rings the bell for nothing without a pause,
// and one that breaks rings as fast as it can, against the round trips of a neighbour. Of them the
// quick ones count (the tenth part is quicker): the liar turns on a core, maybe the neighbour's,
// and the others tell how the machine shares its cores; but what the device thread does for the
// liar first, all of them wait for.
class NeighbourTest : public LyingClientTest {
 protected:
  double QuickRoundTripUs(const End& end, const Ready& ready, int count) {
    std::vector<double> us;
    for (int i = 0; i < count; ++i) {
      const auto start = std::chrono::steady_clock::now();
      EXPECT_EQ(Put(end, Run(ready)), 1u);
      EXPECT_EQ(Next(end).entry.status, 0);
      us.push_back(
          std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start)
              .count());
    }
    std::nth_element(us.begin(), us.begin() + count / 10, us.end());
    return us[static_cast<size_t>(count) / 10];
  }
  // How much of the neighbour's work was served while `lie` went on, per refusal that the liar got.
  void RunBeside(const std::function<void(std::atomic<bool>& done)>& lie) {
    const Caller neighbour = OpenSession("neighbour");
    const Ready ready = GetReady(neighbour);
    const End end = OpenRing(neighbour, ready.lane);
    QuickRoundTripUs(end, ready, 200);  // warm
    std::vector<double> alone, beside;
    for (int round = 0; round < 5; ++round) {
      alone.push_back(QuickRoundTripUs(end, ready, 400));
      std::atomic<bool> done{false};
      std::thread liar([&] { lie(done); });
      beside.push_back(QuickRoundTripUs(end, ready, 400));
      done = true;
      liar.join();
    }
    std::sort(alone.begin(), alone.end());
    std::sort(beside.begin(), beside.end());
    std::printf("neighbour's quick round trips: %.1f us alone, %.1f us beside\n", alone[2],
                beside[2]);
    // A look's refusals are some 12 us.
    EXPECT_LT(beside[2], 2 * alone[2] + 50);
  }
};

TEST_F(NeighbourTest, AFloodOfRefusalsIsNotAtTheNeighboursCost) {
  const Caller caller = OpenSession("liar");
  const End end = OpenRing(caller, LaneId(), 64);
  RunBeside([&](std::atomic<bool>& done) {
    const std::vector<RingSubmission> bad(16, {.target = 12345});
    shm::ClientRing::Taken taken;
    while (!done) {
      end.ring->Submit(bad);
      while (end.ring->Take(taken)) {
      }
      std::this_thread::yield();
    }
  });
}

TEST_F(NeighbourTest, ATailThatRunsAheadAgainAndAgainIsNotAtTheNeighboursCost) {
  const Caller caller = OpenSession("liar");
  RunBeside([&](std::atomic<bool>& done) {
    while (!done) {
      const End end = OpenRing(caller);
      StoreTail(end, 1000);
      // Nobody is woken for it: it is seen as long as the neighbour keeps the device thread going.
      while (end.ring->state() != RingState::kBroken && !done) std::this_thread::yield();
      EXPECT_TRUE(engine_->ReleaseLane(caller, end.lane).ok());
    }
  });
}

// While the device has work, all liars together get little of its thread: counted, not timed. The
// neighbour's runs are put in before they may run, so nobody has to wake up meanwhile.
TEST_F(NeighbourTest, RefusalsOfManyRingsAreFewWhileTheDeviceWorks) {
  constexpr int kRings = 60, kRuns = 64;
  const Caller neighbour = OpenSession("neighbour"), liar = OpenSession("liar");
  const Ready ready = GetReady(neighbour);
  const End end = OpenRing(neighbour, ready.lane, kRuns);
  std::vector<End> lies;
  for (int i = 0; i < kRings; ++i) lies.push_back(OpenRing(liar, LaneId(), 256));
  const auto refused = [&] {
    uint64_t sum = 0;
    for (const End& one : lies) sum += one.frame().completion_tail.value.load();
    return sum;
  };
  gate_->Shut();
  ASSERT_EQ(Put(end, Run(ready, 0)), 1u);
  gate_->WaitBegun(1);
  for (uint64_t i = 1; i < kRuns; ++i) ASSERT_EQ(Put(end, Run(ready, i)), 1u);
  const std::vector<RingSubmission> bad(256, {.target = 12345});
  for (const End& one : lies) ASSERT_EQ(one.ring->Submit(bad), 256u);
  const uint64_t before = refused();
  gate_->OpenFor(kRuns - 2);
  gate_->WaitBegun(kRuns);  // the last one is held
  const uint64_t during = refused() - before;
  ASSERT_LT(before + during, 256u * kRings) << "there is more to refuse";
  std::printf("%llu refusals during %d runs\n", static_cast<unsigned long long>(during), kRuns);
  // At most eight a look and a look for each run; a sweep may come in between.
  EXPECT_LE(during, 8u * kRuns + 16u * kRings);
  gate_->Open();
  for (int i = 0; i < kRuns; ++i) EXPECT_EQ(Next(end).entry.status, 0);
}

// What the device thread does for one ring at a look is bounded, the more so for a liar.
TEST_F(LyingClientTest, OfOneLookARingGetsOneRefusalOrABoundedNumberAccepted) {
  const Caller caller = OpenSession();
  const Ready ready = GetReady(caller);
  const auto [end, source] = OpenDirect(caller, ready.lane, 64);
  const std::vector<RingSubmission> bad(20, {.target = 12345}), good(20, Run(ready));
  ASSERT_EQ(end.ring->Submit(bad), 20u);
  for (int i = 0; i < 20; ++i) {
    const engine::WorkSource::Taken taken = source->Poll(100);
    EXPECT_EQ(taken.entries, 1u);
    EXPECT_TRUE(taken.refused);
    EXPECT_EQ(Next(end).code(), absl::StatusCode::kNotFound);
  }
  EXPECT_EQ(source->Poll(100).entries, 0u);
  ASSERT_EQ(end.ring->Submit(good), 20u);
  EXPECT_EQ(source->Poll(100).entries, RingSource::kMostTaken);
  EXPECT_EQ(source->Poll(1).entries, 1u);
  EXPECT_EQ(source->Poll(100).entries, 19 - RingSource::kMostTaken);
  EXPECT_FALSE(source->Poll(100).refused);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Next(end).entry.status, 0);
}

}  // namespace
}  // namespace anex::ring::testing
