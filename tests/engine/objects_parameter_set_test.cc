// Parameter sets, write leases, fences, and the waiting that they share.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <zlib.h>

#include <cmath>
#include <cstring>
#include <thread>

#include "absl/synchronization/notification.h"
#include "proto/wire/half.h"
#include "server/engine/objects/fence.h"
#include "tests/engine/objects_fixture.h"

namespace anex::engine {
namespace {

using testing::Fill;
using testing::Floats;
using testing::Fp32;
using ::testing::HasSubstr;
using testing::HeapPool;
using testing::MakeSet;
using testing::ManualClock;
using testing::Watcher;

constexpr auto kDouble = ParameterMode::kDouble;
constexpr auto kFenced = ParameterMode::kFenced;
constexpr int64_t kSecond = 1'000'000'000;

template <typename T>
WeightChunk Chunk(std::string parameter, uint64_t offset, DType dtype,
                  const std::vector<T>& values) {
  WeightChunk chunk{std::move(parameter), offset, dtype, 0,
                    std::string(values.size() * sizeof(T), 0)};
  std::memcpy(chunk.data.data(), values.data(), chunk.data.size());
  chunk.crc32 = static_cast<uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(chunk.data.data()), chunk.data.size()));
  return chunk;
}

WeightChunk Chunk(std::string parameter, uint64_t offset, const std::vector<float>& values) {
  return Chunk(std::move(parameter), offset, DType::kFp32, values);
}

class ParameterSetTest : public ::testing::Test {
 protected:
  std::shared_ptr<ParameterSet> Make(ParameterMode mode, TensorLayout layout = Fp32({2, 3})) {
    return MakeSet(*pool_, mode, clock_, {"w", "b"}, layout);
  }
  WaitLimit Soon() const { return {&clock_, clock_.Now() + kSecond, nullptr}; }
  WaitLimit Never() const { return {&clock_, clock_.Now(), nullptr}; }  // does not wait
  SetPin Pin(ParameterSet& set) { return **set.TryPin(); }

  ManualClock clock_;
  std::shared_ptr<SurfacePool> pool_ = HeapPool();
};

TEST_F(ParameterSetTest, PublishFlipsTheWholeSetAndPinsKeepTheirs) {
  auto set = Make(kDouble);
  const SetPin before = Pin(*set);
  const LeaseTerms lease = *set->BeginWrite(kSecond, Never());
  EXPECT_NE(lease.buffer, before.buffer());
  EXPECT_EQ(lease.generation, 1u);
  EXPECT_EQ(*set->Publish(lease.number, 1), 1u);
  const SetPin after = Pin(*set);
  EXPECT_EQ(after.buffer(), lease.buffer);
  EXPECT_EQ(after.generation(), 1u);
  EXPECT_EQ(before.generation(), 0u);
}

TEST_F(ParameterSetTest, AWriterWaitsForTheReadersOfTheBufferItWants) {
  auto set = Make(kDouble);
  SetPin old = Pin(*set);  // generation 0, which the second write wants to overwrite
  LeaseTerms lease = *set->BeginWrite(kSecond, Never());
  ASSERT_TRUE(set->Publish(lease.number, 0).ok());
  EXPECT_EQ(set->BeginWrite(kSecond, Never()).status().code(), absl::StatusCode::kDeadlineExceeded);
  old.Reset();
  EXPECT_TRUE(set->BeginWrite(kSecond, Never()).ok());
}

TEST_F(ParameterSetTest, AWaitingWriterGoesOnWhenTheReaderLetsGo) {
  auto set = Make(kFenced);
  SetPin reader = Pin(*set);
  absl::StatusOr<LeaseTerms> lease;
  std::thread writer([&] { lease = set->BeginWrite(kSecond, Soon()); });
  while (set->TryPin()->has_value()) std::this_thread::yield();  // until the writer holds off pins
  reader.Reset();
  writer.join();
  EXPECT_TRUE(lease.ok()) << lease.status();
}

TEST_F(ParameterSetTest, AWriterWhoLeavesLetsReadersIn) {
  auto set = Make(kFenced);
  const SetPin reader = Pin(*set);
  std::atomic<bool> leaves{false};
  const std::function<bool()> left = [&] { return leaves.load(); };
  absl::StatusOr<LeaseTerms> lease;
  std::thread writer([&] { lease = set->BeginWrite(kSecond, {&clock_, INT64_MAX, &left}); });
  Watcher blocked;
  while (set->TryPin(blocked.waiter())->has_value()) std::this_thread::yield();
  EXPECT_EQ(blocked.told(), 0u);
  leaves = true;
  writer.join();
  EXPECT_TRUE(absl::IsCancelled(lease.status())) << lease.status();
  EXPECT_EQ(blocked.told(), 1u);
  EXPECT_TRUE(set->TryPin()->has_value());
}

TEST_F(ParameterSetTest, FencedReadersAreBlockedWhileLeasedAndToldWhenPublished) {
  auto set = Make(kFenced);
  const LeaseTerms lease = *set->BeginWrite(kSecond, Never());
  Watcher blocked;
  EXPECT_FALSE(set->TryPin(blocked.waiter())->has_value());
  ASSERT_TRUE(set->Publish(lease.number, 0).ok());
  EXPECT_EQ(blocked.told(), 1u);
  EXPECT_EQ(Pin(*set).generation(), 1u);
}

TEST_F(ParameterSetTest, OnlyOneLeaseAtATime) {
  auto set = Make(kDouble);
  const LeaseTerms lease = *set->BeginWrite(kSecond, Never());
  EXPECT_EQ(set->BeginWrite(kSecond, Soon()).status().code(),
            absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(set->Abort(lease.number).ok());
  EXPECT_TRUE(set->BeginWrite(kSecond, Never()).ok());
}

TEST_F(ParameterSetTest, AnEndedLeaseCanDoNothing) {
  auto set = Make(kDouble);
  const LeaseTerms old = *set->BeginWrite(kSecond, Never());
  ASSERT_TRUE(set->Abort(old.number).ok());
  const LeaseTerms fresh = *set->BeginWrite(kSecond, Never());
  EXPECT_EQ(set->Update(old.number, Chunk("w", 0, {1.f})).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(set->Publish(old.number, 0).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(set->Abort(old.number).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(set->Publish(fresh.number, 0).ok());
}

TEST_F(ParameterSetTest, AnAbandonedFencedWriteTearsTheSetUntilTheNextPublish) {
  for (const bool expires : {false, true}) {
    auto set = Make(kFenced);
    const LeaseTerms lease = *set->BeginWrite(kSecond, Never());
    ASSERT_TRUE(set->Update(lease.number, Chunk("w", 0, {1.f, 2.f})).ok());
    Watcher blocked;
    EXPECT_FALSE(set->TryPin(blocked.waiter())->has_value());
    if (expires) {
      clock_.Advance(kSecond);
      set->Sweep(clock_.Now());
    } else {
      ASSERT_TRUE(set->Abort(lease.number).ok());
    }
    EXPECT_EQ(blocked.told(), 1u);
    const absl::Status torn = set->TryPin().status();
    EXPECT_EQ(torn.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(torn.message()), HasSubstr("begin a new write and publish"));
    const LeaseTerms again = *set->BeginWrite(kSecond, Never());
    ASSERT_TRUE(set->Publish(again.number, 0).ok());
    EXPECT_TRUE(set->TryPin()->has_value());
  }
}

TEST_F(ParameterSetTest, AnAbandonedDoubleWriteHurtsNobody) {
  auto set = Make(kDouble);
  const LeaseTerms lease = *set->BeginWrite(kSecond, Never());
  clock_.Advance(kSecond);
  EXPECT_EQ(set->Publish(lease.number, 0).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Pin(*set).generation(), 0u);
  EXPECT_FALSE(set->Info().leased);
}

TEST_F(ParameterSetTest, PublishChecksTheExpectedGeneration) {
  auto set = Make(kDouble);
  const LeaseTerms lease = *set->BeginWrite(kSecond, Never());
  EXPECT_EQ(set->Publish(lease.number, 2).status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(*set->Publish(lease.number, 1), 1u);
}

TEST_F(ParameterSetTest, PublishOpenNeedsALease) {
  auto set = Make(kDouble);
  EXPECT_EQ(set->PublishOpen(0).status().code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(set->BeginWrite(kSecond, Never()).ok());
  EXPECT_EQ(*set->PublishOpen(0), 1u);
}

TEST_F(ParameterSetTest, ChunksLandInRowMajorOrderInPaddedRows) {
  const TensorLayout padded = *MakePaddedLayout(DType::kFp16, Shape({2, 3}), 16, 16, 0);
  auto set = Make(kDouble, padded);
  const LeaseTerms lease = *set->BeginWrite(kSecond, Never());
  ASSERT_TRUE(set->Update(lease.number, Chunk("w", 0, {1.f, 2.f, 3.f, 4.f})).ok());
  ASSERT_TRUE(
      set->Update(lease.number, Chunk("w", 4, DType::kFp16, std::vector<uint16_t>{0x4500, 0x4600}))
          .ok());
  const auto* half = reinterpret_cast<const uint16_t*>(
      set->parameters()[0].buffers[lease.buffer]->region()->data());
  EXPECT_EQ(HalfToFloat(half[0]), 1.f);
  EXPECT_EQ(HalfToFloat(half[2]), 3.f);
  EXPECT_EQ(half[3], 0);  // padding
  EXPECT_EQ(HalfToFloat(half[8]), 4.f);
  EXPECT_EQ(HalfToFloat(half[9]), 5.f);
  EXPECT_EQ(HalfToFloat(half[10]), 6.f);
  EXPECT_TRUE(set->Publish(lease.number, 0).ok());
}

TEST_F(ParameterSetTest, Fp32IsRoundedOnceToNearestEven) {
  auto set = Make(kFenced, *MakePackedLayout(DType::kFp16, Shape({4})));
  const LeaseTerms lease = *set->BeginWrite(kSecond, Never());
  // A tie (to even, down), just above it (up), a tie to even up, and an overflow.
  const std::vector<float> values = {1.f + 0x1p-11f, 1.f + 0x1p-11f + 0x1p-23f, 1.f + 3 * 0x1p-11f,
                                     70000.f};
  ASSERT_TRUE(set->Update(lease.number, Chunk("b", 0, values)).ok());
  const auto* half =
      reinterpret_cast<const uint16_t*>(set->parameters()[1].buffers[0]->region()->data());
  EXPECT_EQ(half[0], 0x3c00);
  EXPECT_EQ(half[1], 0x3c01);
  EXPECT_EQ(half[2], 0x3c02);
  EXPECT_EQ(half[3], 0x7c00);
}

struct BadChunk {
  const char* name;
  WeightChunk chunk;
  absl::StatusCode code;
};

TEST_F(ParameterSetTest, ABadChunkSpoilsTheLeaseUntilAbort) {
  WeightChunk corrupt = Chunk("w", 2, {1.f});
  corrupt.crc32 ^= 1;
  WeightChunk ragged = Chunk("w", 2, {1.f});
  ragged.data.pop_back();
  const std::vector<BadChunk> cases = {
      {"gap", Chunk("w", 3, {1.f}), absl::StatusCode::kOutOfRange},
      {"overlap", Chunk("w", 1, {1.f}), absl::StatusCode::kOutOfRange},
      {"overrun", Chunk("w", 2, {1.f, 2.f, 3.f, 4.f, 5.f}), absl::StatusCode::kOutOfRange},
      {"huge offset", Chunk("w", UINT64_MAX, {1.f}), absl::StatusCode::kOutOfRange},
      {"checksum", corrupt, absl::StatusCode::kDataLoss},
      {"dtype", Chunk("w", 2, DType::kFp16, std::vector<uint16_t>{1, 2}),
       absl::StatusCode::kInvalidArgument},
      {"ragged", ragged, absl::StatusCode::kInvalidArgument},
      {"name", Chunk("v", 2, {1.f}), absl::StatusCode::kInvalidArgument},
  };
  for (const BadChunk& bad : cases) {
    auto set = Make(kDouble);
    const LeaseTerms lease = *set->BeginWrite(kSecond, Never());
    ASSERT_TRUE(set->Update(lease.number, Chunk("w", 0, {8.f, 9.f})).ok());
    EXPECT_EQ(set->Update(lease.number, bad.chunk).code(), bad.code) << bad.name;
    EXPECT_EQ(set->Update(lease.number, Chunk("w", 2, {1.f, 2.f, 3.f, 4.f})).code(),
              absl::StatusCode::kFailedPrecondition)
        << bad.name;
    EXPECT_EQ(set->Publish(lease.number, 0).status().code(), absl::StatusCode::kFailedPrecondition)
        << bad.name;
    EXPECT_EQ(set->generation(), 0u);
    ASSERT_TRUE(set->Abort(lease.number).ok());
    EXPECT_TRUE(set->BeginWrite(kSecond, Never()).ok()) << bad.name;
  }
}

TEST_F(ParameterSetTest, AnUnfinishedParameterIsNotPublished) {
  auto set = Make(kDouble);
  const LeaseTerms lease = *set->BeginWrite(kSecond, Never());
  ASSERT_TRUE(set->Update(lease.number, Chunk("w", 0, {8.f, 9.f})).ok());
  const absl::Status unfinished = set->Publish(lease.number, 0).status();
  EXPECT_EQ(unfinished.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(unfinished.message()), HasSubstr("2 of 6"));
  ASSERT_TRUE(set->Update(lease.number, Chunk("w", 2, {1.f, 2.f, 3.f, 4.f})).ok());
  EXPECT_TRUE(set->Publish(lease.number, 0).ok());
}

TEST_F(ParameterSetTest, CloseEndsTheLeaseAndRefusesEverything) {
  auto set = Make(kFenced);
  const LeaseTerms lease = *set->BeginWrite(kSecond, Never());
  set->Close();
  EXPECT_FALSE(set->Publish(lease.number, 0).ok());
  EXPECT_EQ(set->TryPin().status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(set->BeginWrite(kSecond, Never()).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(ParameterSetTest, NamesAreUniqueAndHinted) {
  auto set = Make(kDouble);
  EXPECT_EQ(*set->IndexOf("b"), 1u);
  EXPECT_EQ(set->IndexOf("B").status().code(), absl::StatusCode::kInvalidArgument);
  auto buffer = testing::MakeSurface(*pool_, Fp32({1}));
  EXPECT_FALSE(ParameterSet::Make(kFenced, {}, "", clock_).ok());
  EXPECT_FALSE(
      ParameterSet::Make(kFenced,
                         {{"w", Fp32({1}), {buffer, buffer}}, {"w", Fp32({1}), {buffer, buffer}}},
                         "", clock_)
          .ok());
}

TEST_F(ParameterSetTest, PinAllTakesAllOrNothing) {
  auto a = Make(kFenced), b = Make(kFenced);
  const LeaseTerms lease = *b->BeginWrite(kSecond, Never());
  const std::vector<std::shared_ptr<ParameterSet>> sets = {a, b};
  std::vector<SetPin> pins;
  EXPECT_FALSE(*PinAll(sets, pins));
  EXPECT_TRUE(pins.empty());
  EXPECT_TRUE(a->BeginWrite(kSecond, Never()).ok());  // nothing of `a` stayed pinned
  ASSERT_TRUE(b->Abort(lease.number).ok());
  EXPECT_EQ(PinAll({&sets[1], 1}, pins).status().code(), absl::StatusCode::kFailedPrecondition);
}

// Readers check that all elements of both parameters carry the generation that they pinned, while a
// writer publishes as fast as it can.
void RaceGenerations(ParameterMode mode) {
  SystemClock clock;
  auto pool = HeapPool();
  auto set = MakeSet(*pool, mode, clock, {"w", "b"}, Fp32({16, 9}));
  constexpr uint64_t kGenerations = 200;
  std::atomic<bool> done{false};
  std::atomic<uint64_t> checked{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!done) {
        auto pin = set->TryPin();
        ASSERT_TRUE(pin.ok()) << pin.status();
        if (!pin->has_value()) continue;
        for (const auto& parameter : set->parameters()) {
          const float* values = Floats(*parameter.buffers[(*pin)->buffer()]);
          for (int j = 0; j < 16 * 9; ++j) {
            ASSERT_EQ(values[j], static_cast<float>((*pin)->generation()));
          }
        }
        ++checked;
      }
    });
  }
  for (uint64_t generation = 1; generation <= kGenerations; ++generation) {
    const auto lease = set->BeginWrite(10 * kSecond, {&clock, clock.Now() + 20 * kSecond, nullptr});
    ASSERT_TRUE(lease.ok()) << lease.status();
    const std::vector<float> values(16 * 9, static_cast<float>(generation));
    ASSERT_TRUE(set->Update(lease->number, Chunk("w", 0, values)).ok());
    ASSERT_TRUE(set->Update(lease->number, Chunk("b", 0, values)).ok());
    ASSERT_EQ(*set->Publish(lease->number, generation), generation);
  }
  while (checked < 10) std::this_thread::yield();
  done = true;
  for (std::thread& reader : readers) reader.join();
}

TEST(ParameterSetRace, DoubleReadersNeverSeeTwoGenerations) { RaceGenerations(kDouble); }
TEST(ParameterSetRace, FencedReadersNeverSeeTwoGenerations) { RaceGenerations(kFenced); }

// --- Fences -----------------------------------------------------------------------------------

TEST(Fence, OnlyGrows) {
  ManualClock clock;
  Fence fence(5);
  EXPECT_EQ(fence.Signal(4).code(), absl::StatusCode::kOutOfRange);
  EXPECT_TRUE(fence.Signal(5).ok());
  EXPECT_TRUE(fence.Signal(9).ok());
  EXPECT_EQ(fence.value(), 9u);
  EXPECT_TRUE(*fence.Reached(9));
  EXPECT_FALSE(*fence.Reached(10));
  EXPECT_EQ(*fence.Wait(7, {&clock, 0, nullptr}), 9u);
  EXPECT_EQ(fence.Wait(10, {&clock, 0, nullptr}).status().code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST(Fence, ASignalWakesWaitersAndDispatchers) {
  SystemClock clock;
  Fence fence(0);
  Watcher blocked;
  EXPECT_FALSE(*fence.Reached(3, blocked.waiter()));
  ASSERT_TRUE(blocked.sleeper().Prepare(blocked.sleeper().news()));
  absl::StatusOr<uint64_t> reached;
  std::thread waiter([&] { reached = fence.Wait(3, {&clock, INT64_MAX, nullptr}); });
  ASSERT_TRUE(fence.Signal(3).ok());
  waiter.join();
  EXPECT_EQ(*reached, 3u);
  EXPECT_EQ(blocked.told(), 1u);
  pollfd bell{blocked.sleeper().poll_descriptor(), POLLIN, 0};
  EXPECT_EQ(::poll(&bell, 1, 0), 1) << "the dispatcher that sleeps is woken";
}

TEST(Fence, ASignalTellsThoseWhoWaitForItAndNobodyElse) {
  Fence fence(0);
  Watcher three, five, also_five;
  EXPECT_FALSE(*fence.Reached(3, three.waiter()));
  EXPECT_FALSE(*fence.Reached(5, five.waiter()));
  EXPECT_FALSE(*fence.Reached(5, also_five.waiter()));
  ASSERT_TRUE(fence.Signal(2).ok());
  EXPECT_EQ(three.told() + five.told() + also_five.told(), 0u);
  ASSERT_TRUE(fence.Signal(4).ok());
  EXPECT_EQ(three.told(), 1u);
  EXPECT_EQ(five.told() + also_five.told(), 0u);
  fence.Close();
  EXPECT_EQ(three.told(), 0u) << "its wait was over";
  EXPECT_EQ(five.told(), 1u);
  EXPECT_EQ(also_five.told(), 1u);
}

TEST(WaitList, WaitsThatAreOverAreNotToldAndTakeNoRoom) {
  WaitList list;
  Watcher moved_on;
  list.Add(moved_on.waiter(), 1);
  list.Add(moved_on.waiter(), 2);
  list.Tell(1);
  EXPECT_EQ(moved_on.told(), 0u) << "it waits for 2 now";
  list.Tell(2);
  EXPECT_EQ(moved_on.told(), 1u);
  Watcher stays;
  for (int i = 0; i < 10'000; ++i) {
    Watcher gone;
    list.Add(gone.waiter(), 9);
    list.Add(stays.waiter(), 9);
  }
  EXPECT_LE(list.size(), 64u);
  list.Tell();
  EXPECT_EQ(stays.told(), 1u);
  EXPECT_EQ(list.size(), 0u);
}

TEST(Sleeper, RingsForOneThatSleepsAndIsQuietForOthers) {
  const auto sleeper = *Sleeper::Create();
  const auto rings = [&] {
    pollfd bell{sleeper->poll_descriptor(), POLLIN, 0};
    return ::poll(&bell, 1, 0) == 1;
  };
  const uint32_t seen = sleeper->news();
  sleeper->Wake();
  EXPECT_FALSE(rings()) << "nobody sleeps";
  EXPECT_FALSE(sleeper->Prepare(seen)) << "there is news";
  ASSERT_TRUE(sleeper->Prepare(sleeper->news()));
  sleeper->Wake();
  sleeper->Wake();
  EXPECT_TRUE(rings());
  sleeper->Awake(/*rang=*/true);
  EXPECT_FALSE(rings()) << "two wakes, one ring";
}

TEST(Sleeper, LosesNoNewsHoweverItRaces) {
  const auto sleeper = *Sleeper::Create();
  constexpr int kNews = 20'000;
  std::atomic<int> brought{0};
  std::thread bringer([&] {
    for (int i = 1; i <= kNews; ++i) {
      brought.store(i);
      sleeper->Wake();
    }
  });
  for (int taken = 0; taken < kNews;) {
    const uint32_t news = sleeper->news();
    if (const int now = brought.load(); now != taken) {
      taken = now;
      continue;
    }
    if (!sleeper->Prepare(news)) continue;
    pollfd bell{sleeper->poll_descriptor(), POLLIN, 0};
    const int ready = ::poll(&bell, 1, 20'000);
    sleeper->Awake(ready > 0);
    ASSERT_EQ(ready, 1) << "slept through news at " << taken;
  }
  bringer.join();
}

TEST(Fence, ReleaseCancelsWhoeverStillWaits) {
  SystemClock clock;
  Fence fence(0);
  absl::StatusOr<uint64_t> reached;
  std::thread waiter([&] { reached = fence.Wait(3, {&clock, INT64_MAX, nullptr}); });
  fence.Close();
  waiter.join();
  EXPECT_EQ(reached.status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(fence.Reached(3).status().code(), absl::StatusCode::kCancelled);
  EXPECT_FALSE(fence.Signal(4).ok());
}

}  // namespace
}  // namespace anex::engine
