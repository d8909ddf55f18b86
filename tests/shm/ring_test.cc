// The two ends of a ring: order, back-pressure, sleeping and waking, and peers that lie.

#include "proto/shm/ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <array>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"

namespace anex::shm {
namespace {

using ::testing::HasSubstr;

// Both ends over one piece of memory, as two processes would have them.
struct Pair {
  Pair(uint32_t submissions, uint32_t completions)
      : geometry(*RingGeometry::Make(submissions, completions)),
        bell(*Doorbell::Create()),
        daemon(*DaemonRing::Create(geometry, "ring-test")),
        client(*ClientRing::Attach(daemon->region(), Doorbell::AdoptRinger(*bell.Share()))) {}

  RingFrame& frame() { return *reinterpret_cast<RingFrame*>(daemon->region()->data()); }
  bool BellRings(int timeout_ms) const {
    pollfd wait{.fd = bell.poll_descriptor(), .events = POLLIN, .revents = 0};
    return ::poll(&wait, 1, timeout_ms) == 1;
  }
  // Takes what is there and answers with twice the target.
  absl::StatusOr<size_t> Serve() {
    std::array<RingEntryWords, 16> taken;
    const absl::StatusOr<size_t> count = daemon->Take(taken);
    if (!count.ok()) return count;
    for (size_t i = 0; i < *count; ++i) {
      RingSubmission in;
      const std::string_view wrong = DecodeUntrusted(taken[i], in);
      daemon->Post({.user_data = in.user_data,
                    .generation = 2 * in.target,
                    .status = static_cast<uint8_t>(wrong.empty() ? 0 : 3)},
                   wrong);
    }
    if (*count > 0) daemon->WakeClient();
    return count;
  }

  const RingGeometry geometry;
  const Doorbell bell;
  const std::unique_ptr<DaemonRing> daemon;
  const std::unique_ptr<ClientRing> client;
};

RingSubmission Numbered(uint64_t n) {
  return {.verb = RingVerb::kInvocation, .user_data = n, .target = n + 1000};
}

size_t SubmitOne(ClientRing& ring, const RingSubmission& one) { return ring.Submit({&one, 1}); }

TEST(RingTest, EntriesComeInOrderThroughManyTurns) {
  Pair ring(4, 8);
  ClientRing::Taken taken;
  EXPECT_FALSE(ring.client->Take(taken));
  uint64_t sent = 0, received = 0;
  for (int turn = 0; turn < 1000; ++turn) {
    for (int k = 0; k < 1 + turn % 4; ++k) sent += SubmitOne(*ring.client, Numbered(sent));
    ASSERT_TRUE(ring.Serve().ok());
    while (ring.client->Take(taken)) {
      EXPECT_EQ(taken.completion.user_data, received);
      EXPECT_EQ(taken.completion.generation, 2 * (received + 1000));
      ++received;
    }
  }
  EXPECT_EQ(sent, received);
  EXPECT_GT(sent, 2000u);
}

TEST(RingTest, AFullRingTakesWhatFitsAndNoMore) {
  Pair ring(4, 4);
  const std::array<RingSubmission, 6> six = {Numbered(0), Numbered(1), Numbered(2),
                                             Numbered(3), Numbered(4), Numbered(5)};
  EXPECT_EQ(ring.client->Submit(six), 4u);
  EXPECT_EQ(ring.client->Submit(six), 0u);
  EXPECT_EQ(*ring.Serve(), 4u);
  // There is place for submissions again, but none for their completions.
  EXPECT_EQ(ring.client->Submit(six), 4u);
  EXPECT_EQ(*ring.Serve(), 0u);
  EXPECT_FALSE(ring.daemon->HasSubmissions()) << "nothing that may be taken";
  EXPECT_TRUE(ring.daemon->PrepareToSleep()) << "nothing can be done until the client takes some";
  EXPECT_FALSE(ring.BellRings(0));
  ClientRing::Taken taken;
  ASSERT_TRUE(ring.client->Take(taken));
  EXPECT_TRUE(ring.BellRings(0)) << "a place was made for one that waits";
  EXPECT_EQ(*ring.Serve(), 1u);
}

TEST(RingTest, TheBellRingsOnceAndOnlyForASleeper) {
  Pair ring(8, 8);
  SubmitOne(*ring.client, Numbered(1));
  EXPECT_FALSE(ring.BellRings(0)) << "the daemon was awake";
  EXPECT_FALSE(ring.daemon->PrepareToSleep()) << "something is there";
  ASSERT_EQ(*ring.Serve(), 1u);
  ASSERT_TRUE(ring.daemon->PrepareToSleep());
  SubmitOne(*ring.client, Numbered(2));
  EXPECT_TRUE(ring.BellRings(0));
  ring.bell.Drain();
  SubmitOne(*ring.client, Numbered(3));
  EXPECT_FALSE(ring.BellRings(0)) << "it has been woken already";
}

TEST(RingTest, AFailuresTextComesAlongAndIsCutToItsPlace) {
  Pair ring(2, 2);
  SubmitOne(*ring.client, Numbered(1));
  std::array<RingEntryWords, 2> out;
  ASSERT_EQ(*ring.daemon->Take(out), 1u);
  ring.daemon->Post({.user_data = 1, .status = 5}, std::string(500, 'x') + "END");
  ClientRing::Taken taken;
  ASSERT_TRUE(ring.client->Take(taken));
  EXPECT_EQ(taken.completion.status, 5);
  EXPECT_EQ(taken.text, std::string(kRingTextBytes, 'x'));
}

TEST(RingTest, ATailTooFarAheadBreaksTheRing) {
  Pair ring(4, 4);
  SubmitOne(*ring.client, Numbered(1));
  ring.frame().submission_tail.value = 6;
  const auto taken = ring.Serve();
  EXPECT_TRUE(absl::IsDataLoss(taken.status())) << taken.status();
  EXPECT_THAT(std::string(taken.status().message()), HasSubstr("submission_tail is 6 ahead"));
  EXPECT_EQ(ring.client->state(), RingState::kBroken);
  ring.frame().submission_tail.value = 1;
  EXPECT_FALSE(ring.Serve().ok()) << "broken for good";
}

TEST(RingTest, AHeadThatRunsBackOrAheadBreaksTheRing) {
  for (const uint32_t lie : {0u, 3u, ~0u}) {
    Pair ring(4, 4);
    ClientRing::Taken taken;
    for (int i = 0; i < 2; ++i) {
      SubmitOne(*ring.client, Numbered(i));
      ASSERT_EQ(*ring.Serve(), 1u);
      ASSERT_TRUE(ring.client->Take(taken));
    }
    SubmitOne(*ring.client, Numbered(2));
    ASSERT_EQ(*ring.Serve(), 1u);  // the daemon has seen head 2; 3 have been posted
    SubmitOne(*ring.client, Numbered(3));
    ring.frame().completion_head.value = lie;
    EXPECT_EQ(ring.Serve().ok(), lie == 3) << lie;
  }
}

TEST(RingTest, WhatTheClientWritesOverTheDaemonsWordsIsNotBelieved) {
  Pair ring(4, 4);
  RingFrame& frame = ring.frame();
  frame.header.submission_entries = 1u << 30;
  frame.header.completions_at = ~0u;
  frame.submission_head.value = 12345;
  frame.completion_tail.value = 54321;
  const RingEntryWords entry = Encode(Numbered(9));
  auto* slots = reinterpret_cast<RingSlot*>(ring.daemon->region()->data() + sizeof(RingFrame));
  for (size_t i = 0; i < entry.size(); ++i) slots[0].words[i] = entry[i];
  frame.submission_tail.value = 1;
  EXPECT_EQ(*ring.Serve(), 1u);
  EXPECT_EQ(frame.submission_head.value, 1u) << "told again as it is";
  EXPECT_EQ(frame.completion_tail.value, 1u);
}

TEST(RingTest, AnEntryThatMakesNoSenseIsAnsweredNotFatal) {
  Pair ring(4, 4);
  RingSubmission bad = Numbered(5);
  bad.argument = 1;
  SubmitOne(*ring.client, bad);
  ASSERT_EQ(*ring.Serve(), 1u);
  ClientRing::Taken taken;
  ASSERT_TRUE(ring.client->Take(taken));
  EXPECT_EQ(taken.completion.user_data, 5u);
  EXPECT_EQ(taken.completion.status, 3);
  EXPECT_THAT(std::string(taken.text), HasSubstr("argument"));
}

TEST(RingTest, ClosingWakesASleepingClient) {
  Pair ring(4, 4);
  std::thread closer([&] {
    while (ring.frame().client_asleep.value == 0) std::this_thread::yield();
    ring.daemon->Close(RingState::kClosed);
  });
  EXPECT_FALSE(ring.client->Wait(absl::Seconds(60)));
  closer.join();
  EXPECT_EQ(ring.client->state(), RingState::kClosed);
  EXPECT_FALSE(ring.client->Wait(absl::Seconds(60))) << "returns at once";
}

TEST(RingTest, AWaitEndsAtItsTimeout) {
  Pair ring(4, 4);
  EXPECT_FALSE(ring.client->Wait(absl::Milliseconds(2)));
  EXPECT_EQ(ring.frame().client_asleep.value, 0u);
}

TEST(RingTest, MemoryThatHoldsNoRingIsRefused) {
  const auto small = *CreateHeapRegion(100);
  EXPECT_FALSE(ClientRing::Attach(small, *Doorbell::Create()).ok());
  const auto zeros = *CreateHeapRegion(1 << 20);
  EXPECT_TRUE(absl::IsInvalidArgument(ClientRing::Attach(zeros, *Doorbell::Create()).status()));
}

// Both sides sleep and wake all the time: the daemon after each look, the client whenever nothing
// is there. A lost wake-up would hang it.
TEST(RingTest, NothingIsLostBetweenTwoThreadsThatSleep) {
  constexpr uint64_t kMany = 30'000;
  Pair ring(4, 8);
  std::thread daemon([&] {
    uint64_t served = 0;
    while (served < kMany) {
      const auto count = ring.Serve();
      ASSERT_TRUE(count.ok()) << count.status();
      served += *count;
      if (*count > 0) continue;
      if (ring.daemon->PrepareToSleep()) {
        ASSERT_TRUE(ring.BellRings(60'000));
        ring.bell.Drain();
      }
      ring.daemon->Awake();
    }
  });
  std::thread submitter([&] {
    for (uint64_t sent = 0; sent < kMany;) {
      const std::array<RingSubmission, 3> batch = {Numbered(sent), Numbered(sent + 1),
                                                   Numbered(sent + 2)};
      const size_t put = ring.client->Submit(
          std::span(batch).first(std::min<uint64_t>(1 + sent % 3, kMany - sent)));
      sent += put;
      if (put == 0) std::this_thread::yield();
    }
  });
  ClientRing::Taken taken;
  for (uint64_t received = 0; received < kMany;) {
    ASSERT_TRUE(ring.client->Wait(absl::Seconds(60)));
    while (ring.client->Take(taken)) {
      ASSERT_EQ(taken.completion.user_data, received);
      ASSERT_EQ(taken.completion.generation, 2 * (received + 1000));
      ++received;
    }
  }
  daemon.join();
  submitter.join();
}

}  // namespace
}  // namespace anex::shm
