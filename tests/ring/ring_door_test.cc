// Rings from their opening to their end, with honest clients: results, order, back-pressure,
// refusals, and what becomes of them when lane or session go.

#include "server/ring/ring_door.h"

#include <gmock/gmock.h>

#include <thread>

#include "absl/time/clock.h"
#include "tests/ring/ring_fixture.h"

namespace anex::ring::testing {
namespace {

using ::testing::HasSubstr;

using RingDoorTest = RingTest;

TEST_F(RingDoorTest, AnEntryIsRunAndItsCompletionSaysWhatItTook) {
  const Caller caller = OpenSession();
  const Ready ready = GetReady(caller);
  Write(caller, ready.x, {1, 2, 3, 4, 5, 6});
  Write(caller, ready.w, {10, 20, 30, 40, 50, 60});
  const End end = OpenRing(caller, ready.lane);
  EXPECT_EQ(end.lane, ready.lane);
  ASSERT_EQ(Put(end, Run(ready, 77)), 1u);
  const Done done = Next(end);
  EXPECT_EQ(done.entry.status, 0) << done.text;
  EXPECT_EQ(done.entry.user_data, 77u);
  EXPECT_EQ(done.entry.steps_done, 1u);
  EXPECT_GT(done.entry.device_ns, 0);
  EXPECT_GE(done.entry.total_ns, done.entry.queue_ns);
  EXPECT_EQ(Read(caller, ready.y), (std::vector<float>{23, 45, 67, 89, 111, 133}));
}

TEST_F(RingDoorTest, OrderHoldsOverThousandsAndOverEveryWayIntoTheLane) {
  const Caller caller = OpenSession();
  const Ready ready = GetReady(caller);
  const End end = OpenRing(caller, ready.lane, 16);
  uint64_t put = 0;
  for (uint64_t got = 0; got < 5000;) {
    while (put < 5000 && Put(end, Run(ready, put)) == 1) ++put;
    ASSERT_EQ(Next(end).entry.user_data, got++);
  }
  gate_->Shut();
  ASSERT_EQ(Put(end, Run(ready, 1)), 1u);
  gate_->WaitBegun(5001);
  auto completions = engine_->CreateCompletionQueue(4);
  ASSERT_TRUE(engine_->Submit(caller, EngineTest::Run(ready, 2), completions).ok());
  ASSERT_EQ(Put(end, Run(ready, 3)), 1u);
  gate_->Open();
  EXPECT_EQ(Next(end).entry.user_data, 1u);
  EXPECT_EQ(completions->Next(kSoon)->user_data, 2u);
  EXPECT_EQ(Next(end).entry.user_data, 3u);
}

TEST_F(RingDoorTest, AFullRingIsBackPressureAndNothingIsLost) {
  const Caller caller = OpenSession();
  const Ready ready = GetReady(caller);
  const End end = OpenRing(caller, ready.lane, 4);
  gate_->Shut();
  ASSERT_EQ(Put(end, Run(ready, 0)), 1u);
  gate_->WaitBegun(1);  // nothing more is taken while the device thread is inside
  for (uint64_t i = 1; i <= 4; ++i) ASSERT_EQ(Put(end, Run(ready, i)), 1u);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(Put(end, Run(ready, 99)), 0u);
    absl::SleepFor(absl::Milliseconds(1));
  }
  gate_->Open();
  for (uint64_t i = 0; i <= 4; ++i) EXPECT_EQ(Next(end).entry.user_data, i);
  EXPECT_FALSE(end.ring->Wait(absl::Milliseconds(20)));
}

// A client that takes no completions is not served further, and costs nobody anything.
TEST_F(RingDoorTest, WhoTakesNoCompletionsStopsBeingServed) {
  const Caller caller = OpenSession(), other = OpenSession("other");
  const Ready ready = GetReady(caller), theirs = GetReady(other);
  const End end = OpenRing(caller, ready.lane, 4);
  for (uint64_t put = 0; put < 8;) put += Put(end, Run(ready, put));
  ExpectAtRest();  // nobody turns for entries that have no place
  EXPECT_TRUE(engine_->Evaluate(other, EngineTest::Run(theirs)).ok());
  for (uint64_t i = 0; i < 8; ++i) EXPECT_EQ(Next(end).entry.user_data, i);
}

TEST_F(RingDoorTest, VerbsAreThoseOfSubmissions) {
  const Caller caller = OpenSession();
  const Ready ready = GetReady(caller);
  const End end = OpenRing(caller, ready.lane);
  const FenceId fence = *engine_->CreateFence(caller, 0);
  const ChainSpec spec{.steps = {ready.invocation, ready.invocation}};
  const ChainId chain = *engine_->DefineChain(caller, spec);
  ASSERT_EQ(Put(end, {RingVerb::kFenceWait, 1, fence.value(), 2, 0}), 1u);
  ASSERT_EQ(Put(end, {RingVerb::kChain, 2, chain.value(), 0, 0}), 1u);
  ASSERT_EQ(Put(end, {RingVerb::kFenceSignal, 3, fence.value(), 5, 0}), 1u);
  EXPECT_FALSE(end.ring->Wait(absl::Milliseconds(50))) << "the lane waits for the fence";
  ASSERT_TRUE(engine_->SignalFence(caller, fence, 2).ok());
  for (const uint64_t user_data : {1u, 2u, 3u}) {
    const Done done = Next(end);
    EXPECT_EQ(done.entry.user_data, user_data);
    EXPECT_EQ(done.entry.status, 0) << done.text;
    EXPECT_EQ(done.entry.steps_done, user_data == 2 ? 2u : 1u);
  }
  EXPECT_EQ(*engine_->WaitFence(caller, fence, 5), 5u);
}

TEST_F(RingDoorTest, RefusalsComeBackWithTheirReasonsAndTheRingGoesOn) {
  const Caller caller = OpenSession(), other = OpenSession("other");
  const Ready ready = GetReady(caller), theirs = GetReady(other);
  const End end = OpenRing(caller, ready.lane);
  ASSERT_EQ(Put(end, Run(theirs, 5)), 1u);
  const Done foreign = Next(end);
  EXPECT_EQ(foreign.entry.user_data, 5u);
  EXPECT_EQ(foreign.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(foreign.text, HasSubstr("no invocation"));
  ASSERT_EQ(Put(end, {RingVerb::kPublish, 6, 0, 0, 0}), 1u);
  EXPECT_EQ(Next(end).code(), absl::StatusCode::kNotFound);
  ASSERT_EQ(Put(end, Run(ready, 7)), 1u);
  EXPECT_EQ(Next(end).entry.status, 0);
}

TEST_F(RingDoorTest, DeadlinesCountFromAcceptance) {
  const Caller caller = OpenSession();
  const Ready ready = GetReady(caller);
  const End end = OpenRing(caller, ready.lane);
  gate_->Shut();
  ASSERT_EQ(Put(end, Run(ready, 1)), 1u);
  gate_->WaitBegun(1);
  RingSubmission late = Run(ready, 2);
  late.deadline_ns = 1;
  // The device thread is inside the first: somebody else accepts it, and finds it late.
  ASSERT_EQ(Put(end, late), 1u);
  const Done done = Next(end);
  EXPECT_EQ(done.entry.user_data, 2u);
  EXPECT_EQ(done.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(done.text, HasSubstr("deadline"));
  gate_->Open();
  EXPECT_EQ(Next(end).entry.status, 0);
}

// All of it while the device is inside a step that does not end.
TEST_F(RingDoorTest, WhatWaitsInARingIsSeenByWhoAsksAfterItsLane) {
  const Caller caller = OpenSession();
  const Ready ready = GetReady(caller);
  const End end = OpenRing(caller, ready.lane);
  gate_->Shut();
  ASSERT_EQ(Put(end, Run(ready, 1)), 1u);
  gate_->WaitBegun(1);
  ASSERT_EQ(Put(end, Run(ready, 2)), 1u);
  EXPECT_EQ(*engine_->Cancel(caller, ready.lane, 2), 1u) << "at the first try";
  const Done cancelled = Next(end);
  EXPECT_EQ(cancelled.entry.user_data, 2u);
  EXPECT_EQ(cancelled.code(), absl::StatusCode::kCancelled);
  ASSERT_EQ(Put(end, Run(ready, 3)), 1u);
  EXPECT_EQ(engine_->DescribeLane(caller, ready.lane)->queued, 1u);
  const Caller other = OpenSession("other");
  const Ready theirs = GetReady(other);
  const End second = OpenRing(other, theirs.lane);
  ASSERT_EQ(Put(second, Run(theirs, 4)), 1u);
  Caller hurried = other;
  hurried.deadline_ns = engine::SystemClock().Now() + 50'000'000;
  EXPECT_EQ(engine_->WaitLaneIdle(hurried, theirs.lane).code(), absl::StatusCode::kDeadlineExceeded)
      << "it is not idle";
  gate_->Open();
  EXPECT_EQ(Next(end).entry.user_data, 1u);
  EXPECT_EQ(Next(end).entry.user_data, 3u);
  EXPECT_EQ(Next(second).entry.user_data, 4u);
}

TEST_F(RingDoorTest, CancelReachesWhatWasPutInARing) {
  const Caller caller = OpenSession();
  const Ready ready = GetReady(caller);
  const End end = OpenRing(caller, ready.lane);
  const FenceId fence = *engine_->CreateFence(caller, 0);
  ASSERT_EQ(Put(end, {RingVerb::kFenceWait, 1, fence.value(), 2, 0}), 1u);
  ASSERT_EQ(Put(end, Run(ready, 2)), 1u);
  uint32_t told = 0;
  for (const absl::Time until = absl::Now() + kSoon; told == 0 && absl::Now() < until;) {
    told = *engine_->Cancel(caller, ready.lane, 2);
    std::this_thread::yield();
  }
  EXPECT_EQ(told, 1u);
  const Done done = Next(end);
  EXPECT_EQ(done.entry.user_data, 2u);
  EXPECT_EQ(done.code(), absl::StatusCode::kCancelled);
}

TEST_F(RingDoorTest, AClosedRingTakesWhatIsInItAndItsLaneGoesOn) {
  const Caller caller = OpenSession();
  const Ready ready = GetReady(caller);
  const End end = OpenRing(caller, ready.lane);
  gate_->Shut();
  for (uint64_t i = 0; i < 3; ++i) ASSERT_EQ(Put(end, Run(ready, i)), 1u);
  gate_->WaitBegun(1);
  ASSERT_TRUE(door_->Close(caller, end.lane).ok());
  EXPECT_EQ(end.ring->state(), RingState::kClosed);
  EXPECT_EQ(engine_->DescribeLane(caller, ready.lane)->queued, 2u);
  gate_->Open();
  EXPECT_TRUE(engine_->WaitLaneIdle(caller, ready.lane).ok());
  EXPECT_TRUE(engine_->Evaluate(caller, EngineTest::Run(ready)).ok());
  EXPECT_EQ(door_->Close(caller, end.lane).code(), absl::StatusCode::kNotFound);
  const End again = OpenRing(caller, ready.lane);
  ASSERT_EQ(Put(again, Run(ready, 9)), 1u);
  EXPECT_EQ(Next(again).entry.user_data, 9u);
}

TEST_F(RingDoorTest, ARingGoesWithItsLane) {
  const Caller caller = OpenSession();
  const Ready ready = GetReady(caller);
  const End end = OpenRing(caller, ready.lane);
  const FenceId fence = *engine_->CreateFence(caller, 0);
  ASSERT_EQ(Put(end, {RingVerb::kFenceWait, 1, fence.value(), 2, 0}), 1u);
  for (const absl::Time until = absl::Now() + kSoon;
       absl::Now() < until && !engine_->DescribeLane(caller, ready.lane)->blocked;) {
    std::this_thread::yield();
  }
  ASSERT_TRUE(engine_->ReleaseLane(caller, ready.lane).ok());
  EXPECT_EQ(end.ring->state(), RingState::kClosed);
  EXPECT_EQ(Next(end).code(), absl::StatusCode::kCancelled);
}

TEST_F(RingDoorTest, ARingGoesWithItsSessionAndWakesItsClient) {
  const Caller caller = OpenSession();
  const Ready ready = GetReady(caller);
  const End end = OpenRing(caller, ready.lane);
  std::thread ender([&] {
    absl::SleepFor(absl::Milliseconds(50));
    engine_->SessionGone(caller.session, "test");
  });
  EXPECT_FALSE(end.ring->Wait(kSoon));
  ender.join();
  EXPECT_EQ(end.ring->state(), RingState::kClosed);
}

TEST_F(RingDoorTest, AnEngineThatGoesClosesItsRings) {
  const Caller caller = OpenSession();
  const Ready ready = GetReady(caller);
  const End end = OpenRing(caller, ready.lane);
  ASSERT_EQ(Put(end, Run(ready)), 1u);
  Next(end);
  engine_.reset();
  EXPECT_EQ(end.ring->state(), RingState::kClosed);
}

TEST_F(RingDoorTest, WhatARingTakesOfItsSessionComesBack) {
  engine::Limits limits;
  limits.streams_per_session = 2;
  limits.lane_depth = 64;
  Start(limits);
  MakeDoor();
  const Caller caller = OpenSession();
  const uint64_t before = engine_->GetStatus(caller).surface_bytes;
  const End first = OpenRing(caller), second = OpenRing(caller);
  EXPECT_GT(engine_->GetStatus(caller).surface_bytes, before);
  const RingSpec spec{LaneId(), {}, "", 8, 8};
  const absl::Status third = door_->Open(caller, spec).status();
  EXPECT_EQ(third.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(third.message()), HasSubstr("streams_per_session=2"));
  ASSERT_TRUE(door_->Close(caller, first.lane).ok());
  ASSERT_TRUE(engine_->ReleaseLane(caller, second.lane).ok());
  const absl::Time until = absl::Now() + kSoon;  // a device thread that slept on them lets go
  while (engine_->GetStatus(caller).surface_bytes > before && absl::Now() < until) {
    absl::SleepFor(absl::Milliseconds(1));
  }
  EXPECT_EQ(engine_->GetStatus(caller).surface_bytes, before);
  EXPECT_TRUE(door_->Open(caller, spec).ok());
}

// A ring whose tokens nobody claimed keeps neither memory nor descriptors once it is closed, once
// its lane is released, or once its session has ended.
TEST_F(RingDoorTest, WhatNobodyClaimedGoesWithItsRing) {
  enum class End { kClose, kRelease, kSession };
  const Caller keeper = OpenSession("keeper");
  const RingSpec spec{LaneId(), {}, "", 8, 8};
  for (const auto end : {End::kClose, End::kRelease, End::kSession}) {
    const Caller caller = OpenSession();
    WaitUntilAsleep();
    const uint64_t bytes = engine_->GetStatus(keeper).surface_bytes;
    const size_t descriptors = OpenDescriptors();
    std::vector<OpenedRing> opened;
    for (int i = 0; i < 30; ++i) {
      absl::StatusOr<OpenedRing> ring = door_->Open(caller, spec);
      ASSERT_TRUE(ring.ok()) << ring.status();
      opened.push_back(*std::move(ring));
    }
    EXPECT_GE(OpenDescriptors(), descriptors + 60);
    for (const OpenedRing& ring : opened) {
      if (end == End::kClose) {
        EXPECT_TRUE(door_->Close(caller, ring.lane).ok());
      }
      if (end == End::kRelease) {
        EXPECT_TRUE(engine_->ReleaseLane(caller, ring.lane).ok());
      }
    }
    if (end == End::kSession) engine_->SessionGone(caller.session, "test");
    // A device thread that slept on them lets go; a token that is left lives for ten seconds.
    const absl::Time until = absl::Now() + absl::Seconds(5);
    while ((OpenDescriptors() > descriptors || engine_->GetStatus(keeper).surface_bytes > bytes) &&
           absl::Now() < until) {
      absl::SleepFor(absl::Milliseconds(1));
    }
    EXPECT_EQ(OpenDescriptors(), descriptors) << static_cast<int>(end);
    EXPECT_EQ(engine_->GetStatus(keeper).surface_bytes, bytes) << static_cast<int>(end);
    for (const OpenedRing& ring : opened) {
      EXPECT_EQ(engine_->TakeHandover(caller.session, ring.region_token).status().code(),
                absl::StatusCode::kNotFound);
      EXPECT_EQ(engine_->TakeHandover(caller.session, ring.bell_token).status().code(),
                absl::StatusCode::kNotFound);
    }
    (void)engine_->Close(caller);
  }
}

TEST_F(RingDoorTest, BadRingsAreRefusedBeforeAnythingIsMade) {
  const Caller caller = OpenSession();
  const Ready ready = GetReady(caller);
  const auto code = [&](const RingSpec& spec) { return door_->Open(caller, spec).status().code(); };
  EXPECT_EQ(code({LaneId(), {}, "", 6, 8}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({LaneId(), {}, "", 16, 8}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({LaneId(), {}, "", 512, 512}), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(code({LaneId(99), {}, "", 8, 8}), absl::StatusCode::kNotFound);
  EXPECT_EQ(code({ready.lane, {}, "no-such", 8, 8}), absl::StatusCode::kNotFound);
  EXPECT_EQ(code({LaneId(), {QosClass::kRealTime, ""}, "", 8, 8}),
            absl::StatusCode::kFailedPrecondition);
  const End end = OpenRing(caller, ready.lane);
  EXPECT_EQ(code({ready.lane, {}, "", 8, 8}), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(engine_->GetStatus(caller).sessions.front().lanes, 1u) << "none was left behind";
}

TEST_F(RingDoorTest, ARingIsOfTheDeviceThatItsLaneIsOn) {
  Start({}, {"one", "two"});
  MakeDoor();
  const Caller caller = OpenSession();
  const Ready first = GetReady(caller, "one"), second = GetReady(caller, "two");
  ASSERT_TRUE(engine_->Evaluate(caller, EngineTest::Run(second)).ok());
  const End end = OpenRing(caller, second.lane);  // settled on the second device already
  ASSERT_EQ(Put(end, Run(second, 1)), 1u);
  EXPECT_EQ(Next(end).entry.status, 0);
  ASSERT_EQ(Put(end, Run(first, 2)), 1u);
  EXPECT_EQ(Next(end).code(), absl::StatusCode::kFailedPrecondition);
  const absl::StatusOr<OpenedRing> named = door_->Open(caller, {LaneId(), {}, "two", 8, 8});
  ASSERT_TRUE(named.ok()) << named.status();
  EXPECT_EQ(engine_->DescribeLane(caller, named->lane)->device, "two");
  EXPECT_EQ(door_->Open(caller, {second.lane, {}, "one", 8, 8}).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

// A ring that is opened before anything was submitted does not decide where its lane is.
TEST_F(RingDoorTest, TheFirstKernelThatARingBringsSettlesItsLane) {
  Start({}, {"one", "two"});
  MakeDoor();
  const Caller caller = OpenSession();
  const Ready first = GetReady(caller, "one"), second = GetReady(caller, "two");
  const End end = OpenRing(caller);
  const auto device = [&] { return engine_->DescribeLane(caller, end.lane)->device; };
  EXPECT_EQ(device(), "");
  ASSERT_EQ(Put(end, {RingVerb::kInvocation, 1, 12345, 0, 0}), 1u);
  EXPECT_EQ(Next(end).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(device(), "") << "what was refused says nothing";
  const FenceId fence = *engine_->CreateFence(caller, 7);
  const std::vector<RingSubmission> two = {{RingVerb::kFenceWait, 2, fence.value(), 7, 0},
                                           Run(second, 3)};
  ASSERT_EQ(end.ring->Submit(two), 2u);
  for (const uint64_t user_data : {2u, 3u}) {
    const Done done = Next(end);
    EXPECT_EQ(done.entry.user_data, user_data);
    EXPECT_EQ(done.entry.status, 0) << done.text;
  }
  EXPECT_EQ(device(), "two");
  ASSERT_EQ(Put(end, Run(first, 4)), 1u);
  EXPECT_EQ(Next(end).code(), absl::StatusCode::kFailedPrecondition);
  for (uint64_t i = 10; i < 200; ++i) {
    ASSERT_EQ(Put(end, Run(second, i)), 1u);
    ASSERT_EQ(Next(end).entry.user_data, i);
  }
  // Its end reaches it wherever it is asked.
  gate_->Shut();
  ASSERT_EQ(Put(end, Run(second, 5)), 1u);
  ASSERT_EQ(Put(end, Run(second, 6)), 1u);
  ASSERT_TRUE(door_->Close(caller, end.lane).ok());
  EXPECT_EQ(end.ring->state(), RingState::kClosed);
  gate_->Open();
  EXPECT_TRUE(engine_->WaitLaneIdle(caller, end.lane).ok());
  EXPECT_EQ(Next(end).entry.user_data, 5u);
  EXPECT_EQ(Next(end).entry.user_data, 6u);
  const End again = OpenRing(caller, end.lane);
  ASSERT_EQ(Put(again, Run(second, 9)), 1u);
  EXPECT_EQ(Next(again).entry.status, 0);
}

TEST_F(RingDoorTest, WhatWaitsInARingIsSeenThoughItsLaneHasNoDeviceYet) {
  const Caller caller = OpenSession(), other = OpenSession("other");
  const Ready ready = GetReady(caller), theirs = GetReady(other);
  const End end = OpenRing(caller);
  gate_->Shut();
  auto completions = engine_->CreateCompletionQueue(4);
  ASSERT_TRUE(engine_->Submit(other, EngineTest::Run(theirs), completions).ok());
  gate_->WaitBegun(1);
  ASSERT_EQ(Put(end, Run(ready, 4)), 1u);
  Caller hurried = caller;
  hurried.deadline_ns = engine::SystemClock().Now() + 50'000'000;
  EXPECT_EQ(engine_->WaitLaneIdle(hurried, end.lane).code(), absl::StatusCode::kDeadlineExceeded)
      << "it is not idle";
  EXPECT_EQ(engine_->DescribeLane(caller, end.lane)->queued, 1u);
  gate_->Open();
  EXPECT_EQ(Next(end).entry.user_data, 4u);
}

TEST_F(RingDoorTest, EightIdleRingsWakeNobody) {
  const Caller caller = OpenSession();
  const Ready ready = GetReady(caller);
  std::vector<End> ends;
  for (int i = 0; i < 8; ++i) ends.push_back(OpenRing(caller));
  for (const End& end : ends) {
    ASSERT_EQ(Put(end, Run(ready)), 1u);
    EXPECT_EQ(Next(end).entry.status, 0);
  }
  ExpectAtRest();
}

TEST_F(RingDoorTest, ManyRingsAtOnceEachGetTheirOwn) {
  const Caller caller = OpenSession();
  const Ready ready = GetReady(caller);
  std::vector<std::thread> clients;
  for (int c = 0; c < 4; ++c) {
    clients.emplace_back([&] {
      for (int round = 0; round < 5; ++round) {
        const End end = OpenRing(caller);
        for (uint64_t i = 0; i < 200; ++i) {
          ASSERT_EQ(Put(end, Run(ready, i)), 1u);
          ASSERT_EQ(Next(end).entry.user_data, i);
        }
        ASSERT_TRUE(engine_->ReleaseLane(caller, end.lane).ok());
      }
    });
  }
  for (std::thread& client : clients) client.join();
}

}  // namespace
}  // namespace anex::ring::testing
