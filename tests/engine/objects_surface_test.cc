// Surfaces, pools and region copies.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "server/engine/objects/region_copy.h"
#include "server/engine/objects/surface.h"
#include "tests/engine/objects_fixture.h"

namespace anex::engine {
namespace {

using testing::Fill;
using testing::Floats;
using testing::Fp32;
using ::testing::HasSubstr;
using testing::HeapPool;

bool AllZero(const shm::SharedRegion& region) {
  for (uint64_t i = 0; i < region.size(); ++i) {
    if (region.data()[i] != std::byte{0}) return false;
  }
  return true;
}

TEST(SurfacePool, RecyclesWithinItsSessionAndZeroesFirst) {
  auto pool = HeapPool();
  auto surface = *pool->Create(Fp32({5, 7}), "a");
  const shm::SharedRegion* memory = surface->region().get();
  std::memset(surface->region()->data(), 0xAB, surface->region()->size());
  surface.reset();
  EXPECT_GT(pool->pooled_bytes(), 0u);
  auto again = *pool->Create(Fp32({7, 5}), "b");
  EXPECT_EQ(again->region().get(), memory);
  EXPECT_TRUE(AllZero(*again->region()));
  EXPECT_EQ(pool->pooled_bytes(), 0u);
}

TEST(SurfacePool, AnotherSessionNeverGetsTheMemory) {
  auto ann = HeapPool(), bob = HeapPool();
  auto surface = *ann->Create(Fp32({5, 7}), "a");
  std::weak_ptr<shm::SharedRegion> memory = surface->region();
  surface.reset();
  auto theirs = *bob->Create(Fp32({5, 7}), "b");
  ASSERT_FALSE(memory.expired());  // waits in Ann's pool
  EXPECT_NE(theirs->region(), memory.lock());
  ann.reset();
  EXPECT_TRUE(memory.expired());
}

TEST(SurfacePool, WhatWasGrantedOrQuarantinedIsNotRecycled) {
  auto pool = HeapPool();
  auto granted = *pool->Create(Fp32({4}), "");
  granted->MarkShared();
  granted.reset();
  auto hung = *pool->Create(Fp32({4}), "");
  hung->Quarantine();
  hung.reset();
  EXPECT_EQ(pool->pooled_bytes(), 0u);
}

TEST(SurfacePool, WhatIsStillReferredToIsNotRecycled) {
  auto pool = HeapPool();
  auto surface = *pool->Create(Fp32({4}), "");
  const std::shared_ptr<shm::SharedRegion> mapped = surface->region();
  surface.reset();
  EXPECT_EQ(pool->pooled_bytes(), 0u);
  auto other = *pool->Create(Fp32({4}), "");
  EXPECT_NE(other->region(), mapped);
}

TEST(SurfacePool, AnImportIsChargedAndNotRecycled) {
  auto pool = HeapPool();
  auto surface =
      SurfacePool::Adopt(*shm::CreateHeapRegion(4096), Fp32({4}), "mine", *pool->TakeBudget(4096));
  EXPECT_EQ(surface->origin(), SurfaceOrigin::kImported);
  EXPECT_GE(pool->budget().used(), 4096u);
  surface.reset();
  EXPECT_EQ(pool->budget().used(), 0u);
  EXPECT_EQ(pool->pooled_bytes(), 0u);
}

TEST(SurfacePool, GivesUpPooledMemoryBeforeRefusing) {
  auto budget = std::make_shared<ByteBudget>(Bound("surface_bytes_per_session", 1000),
                                             "release some", nullptr);
  auto pool = HeapPool(budget);
  (*pool->Create(Fp32({150}), "")).reset();  // 600 bytes wait
  EXPECT_EQ(budget->used(), 600u);
  EXPECT_TRUE(pool->Create(Fp32({200}), "").ok());  // 800 bytes
  const absl::Status full = pool->Create(Fp32({300}), "").status();
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
}

TEST(SurfacePool, AfterCloseMemoryIsFreed) {
  auto pool = HeapPool();
  auto held = *pool->Create(Fp32({4}), "");
  (*pool->Create(Fp32({40}), "")).reset();
  pool->Close();
  EXPECT_EQ(pool->pooled_bytes(), 0u);
  held.reset();
  EXPECT_EQ(pool->pooled_bytes(), 0u);
  EXPECT_EQ(pool->budget().used(), 0u);
}

TEST(Surface, CountsPinsAndOtherHolders) {
  auto pool = HeapPool();
  auto surface = *pool->Create(Fp32({2, 3}), "x");
  const SurfaceEntry mine = SurfaceEntry::Of(surface, Access::kReadWrite, SurfaceOrigin::kCreated);
  {
    const SurfaceEntry theirs =
        SurfaceEntry::Of(surface, Access::kReadOnly, SurfaceOrigin::kGranted);
    const SurfacePin pin(surface), copy = pin;
    EXPECT_EQ(mine.Info(SurfaceId(9)).grants, 1u);
    EXPECT_EQ(mine.Info(SurfaceId(9)).pins, 2u);
    EXPECT_EQ(theirs.Info(SurfaceId(9)).access, Access::kReadOnly);
  }
  EXPECT_EQ(mine.Info(SurfaceId(9)).grants, 0u);
  EXPECT_EQ(mine.Info(SurfaceId(9)).pins, 0u);
}

// --- Region copies ----------------------------------------------------------------------------

// The oracle: element by element, by the definition of a layout.
void CopySlowly(const TensorLayout& from, const Region& a, const std::byte* source,
                const TensorLayout& to, const Region& b, std::byte* target) {
  const int rank = from.shape.rank();
  std::vector<int64_t> at(static_cast<size_t>(rank), 0);
  while (true) {
    int64_t x = 0, y = 0;
    for (int axis = 0; axis < rank; ++axis) {
      x += (a.begin[axis] + at[axis]) * from.strides[axis];
      y += (b.begin[axis] + at[axis]) * to.strides[axis];
    }
    std::memcpy(target + y, source + x, ElementSize(from.dtype));
    int axis = rank - 1;
    while (axis >= 0 && ++at[axis] == a.size[axis]) at[axis--] = 0;
    if (axis < 0) return;
  }
}

TEST(RegionCopy, AgreesWithTheDefinitionOnPaddedTensors) {
  const TensorLayout from = *MakePaddedLayout(DType::kFp16, Shape({3, 4, 5}), 64, 64, 0);
  const TensorLayout to = *MakePaddedLayout(DType::kFp16, Shape({4, 6, 7}), 16, 16, 0);
  std::vector<std::byte> source(from.allocation_bytes);
  for (size_t i = 0; i < source.size(); ++i) source[i] = static_cast<std::byte>(i * 37 + 1);
  const std::vector<Region> froms = {{{0, 0, 0}, {3, 4, 5}},
                                     {{1, 2, 3}, {2, 1, 2}},
                                     {{2, 0, 0}, {1, 4, 5}},
                                     {{0, 1, 4}, {3, 3, 1}}};
  const std::vector<Region> tos = {{{1, 2, 2}, {3, 4, 5}},
                                   {{2, 5, 5}, {2, 1, 2}},
                                   {{3, 0, 1}, {1, 4, 5}},
                                   {{0, 3, 6}, {3, 3, 1}}};
  for (size_t i = 0; i < froms.size(); ++i) {
    std::vector<std::byte> got(to.allocation_bytes), want(to.allocation_bytes);
    const RegionCopy copy = *RegionCopy::Make(from, froms[i], to, tos[i]);
    copy.Run(source.data(), got.data());
    CopySlowly(from, froms[i], source.data(), to, tos[i], want.data());
    EXPECT_EQ(got, want) << i;
    EXPECT_EQ(copy.bytes(), 2u * static_cast<uint64_t>(RegionShape(froms[i]).ElementCount()));
    // The same in pieces that end anywhere, in the middle of an element too.
    for (const uint64_t piece : {1u, 3u, 10u, 64u}) {
      std::vector<std::byte> pieced(to.allocation_bytes);
      for (uint64_t begin = 0; begin < copy.bytes(); begin += piece) {
        copy.Run(source.data(), pieced.data(), begin, std::min(begin + piece, copy.bytes()));
      }
      EXPECT_EQ(pieced, want) << i << " in pieces of " << piece;
    }
  }
}

TEST(RegionCopy, SizesOfOneDoNotMatter) {
  const TensorLayout row = Fp32({1, 3, 1, 4}), flat = Fp32({3, 4});
  EXPECT_TRUE(RegionCopy::Make(row, {}, flat, {}).ok());
  EXPECT_EQ(RegionCopy::Make(Fp32({4, 3}), {}, flat, {}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(RegionCopy, AScalarIsOneElement) {
  const TensorLayout scalar = *MakePackedLayout(DType::kFp32, Shape());
  float from = 3.5f, to = 0;
  const RegionCopy copy = *RegionCopy::Make(scalar, {}, scalar, {});
  copy.Run(reinterpret_cast<std::byte*>(&from), reinterpret_cast<std::byte*>(&to));
  EXPECT_EQ(to, 3.5f);
}

TEST(RegionCopy, RefusesAnotherDtype) {
  const TensorLayout half = *MakePackedLayout(DType::kFp16, Shape({3, 4}));
  const absl::Status status = RegionCopy::Make(half, {}, Fp32({3, 4}), {}).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("fp16"));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
}

TEST(ResolveRegion, RefusesWhatLiesOutsideWithoutOverflow) {
  const TensorLayout layout = Fp32({3, 4});
  const int64_t huge = INT64_MAX;
  for (const Region& region :
       {Region{{0, 0}, {3, 5}}, Region{{3, 0}, {1, 1}}, Region{{1, 1}, {huge, 1}},
        Region{{huge, 0}, {huge, 1}}, Region{{-1, 0}, {1, 1}}, Region{{0, 0}, {0, 1}},
        Region{{0, 0}, {-huge, 1}}, Region{{2, 3}, {1, huge}}}) {
    const absl::Status status = ResolveRegion(layout, region, "region").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange) << region.begin[0];
    EXPECT_THAT(std::string(status.message()), HasSubstr("axis"));
  }
  EXPECT_EQ(ResolveRegion(layout, {{0}, {1}}, "region").status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ResolveRegion(layout, {{0, 0}, {}}, "region").status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(RegionsOverlap, TouchingIsNotOverlapping) {
  const Region a{{0, 0}, {2, 3}};
  EXPECT_TRUE(RegionsOverlap(a, {{1, 2}, {2, 2}}));
  EXPECT_FALSE(RegionsOverlap(a, {{2, 0}, {1, 3}}));
  EXPECT_FALSE(RegionsOverlap(a, {{0, 3}, {2, 1}}));
}

}  // namespace
}  // namespace anex::engine
