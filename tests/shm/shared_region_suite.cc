#include "tests/shm/shared_region_suite.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace anex::shm {
namespace {

uint64_t Page() { return static_cast<uint64_t>(::sysconf(_SC_PAGESIZE)); }

TEST_P(SharedRegionSuite, IsZeroedWritableAndRoundedUpToPages) {
  for (const uint64_t bytes : {uint64_t{1}, Page() - 1, Page(), Page() + 1, 5 * Page() + 77}) {
    auto region = Create(bytes);
    ASSERT_GE(region->size(), bytes);
    EXPECT_LT(region->size(), bytes + Page());
    EXPECT_EQ(region->size() % Page(), 0u);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(region->data()) % Page(), 0u);
    EXPECT_TRUE(std::all_of(region->data(), region->data() + region->size(),
                            [](std::byte b) { return b == std::byte{0}; }));
    EXPECT_EQ(region->access(), RegionAccess::kReadWrite);
    region->data()[bytes - 1] = std::byte{0x5A};
    const SharedRegion& same = *region;
    EXPECT_EQ(same.data()[bytes - 1], std::byte{0x5A});
  }
}

TEST_P(SharedRegionSuite, MoreMemoryThanThereIsIsRefused) {
#if defined(ANEX_SANITIZED)
  GTEST_SKIP() << "the sanitizers' allocators end the process instead";
#endif
  for (const uint64_t bytes : {uint64_t{1} << 62, UINT64_MAX}) {
    const auto region = GetParam().create(bytes);
    EXPECT_EQ(region.status().code(), absl::StatusCode::kResourceExhausted) << region.status();
  }
}

TEST_P(SharedRegionSuite, LocksAndUnlocksForBothAccesses) {
  auto region = Create(100);
  for (const RegionAccess access : {RegionAccess::kReadOnly, RegionAccess::kReadWrite}) {
    EXPECT_TRUE(region->Lock(access).ok());
    EXPECT_TRUE(region->Unlock(access).ok());
  }
}

TEST_P(SharedRegionSuite, WritesAreSeenThroughAWritableShareAndBack) {
  auto region = Create(3 * Page());
  absl::StatusOr<OwnedDescriptor> shared = region->Share(RegionAccess::kReadWrite);
  if (!GetParam().cannot_share.empty()) {
    EXPECT_EQ(shared.status().code(), absl::StatusCode::kUnimplemented);
    GTEST_SKIP() << GetParam().cannot_share;
  }
  ASSERT_TRUE(shared.ok()) << shared.status();
  auto other = MapRegionUntrusted(*std::move(shared), 3 * Page(), RegionAccess::kReadWrite);
  ASSERT_TRUE(other.ok()) << other.status();
  ASSERT_NE((*other)->data(), region->data());
  region->data()[Page() + 3] = std::byte{1};
  (*other)->data()[2 * Page() + 9] = std::byte{2};
  EXPECT_EQ((*other)->data()[Page() + 3], std::byte{1});
  EXPECT_EQ(region->data()[2 * Page() + 9], std::byte{2});
}

TEST_P(SharedRegionSuite, AReadOnlyShareCannotBeMappedWritable) {
  auto region = Create(Page());
  absl::StatusOr<OwnedDescriptor> shared = region->Share(RegionAccess::kReadOnly);
  if (!GetParam().cannot_share.empty()) {
    EXPECT_EQ(shared.status().code(), absl::StatusCode::kUnimplemented);
    GTEST_SKIP() << GetParam().cannot_share;
  }
  ASSERT_TRUE(shared.ok()) << shared.status();
  void* writable = ::mmap(nullptr, Page(), PROT_READ | PROT_WRITE, MAP_SHARED, shared->get(), 0);
  EXPECT_EQ(writable, MAP_FAILED);
  EXPECT_TRUE(errno == EACCES || errno == EPERM) << strerror(errno);
  void* readable = ::mmap(nullptr, Page(), PROT_READ, MAP_SHARED, shared->get(), 0);
  ASSERT_NE(readable, MAP_FAILED);
  EXPECT_NE(::mprotect(readable, Page(), PROT_READ | PROT_WRITE), 0);
  ::munmap(readable, Page());
  EXPECT_LT(::write(shared->get(), "x", 1), 0);
}

TEST_P(SharedRegionSuite, AReadOnlyMappingSharesOnlyReadOnly) {
  if (!GetParam().cannot_share.empty()) GTEST_SKIP() << GetParam().cannot_share;
  auto region = Create(Page());
  // Even when the descriptor itself could be written.
  auto view =
      MapRegionUntrusted(*region->Share(RegionAccess::kReadWrite), 1, RegionAccess::kReadOnly);
  ASSERT_TRUE(view.ok()) << view.status();
  EXPECT_EQ((*view)->access(), RegionAccess::kReadOnly);
  EXPECT_EQ((*view)->Share(RegionAccess::kReadWrite).status().code(),
            absl::StatusCode::kPermissionDenied);
  absl::StatusOr<OwnedDescriptor> again = (*view)->Share(RegionAccess::kReadOnly);
  if (absl::IsFailedPrecondition(again.status())) {
    GTEST_SKIP() << "this system makes no descriptor with less than one has: " << again.status();
  }
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_FALSE(MapRegionUntrusted(*std::move(again), 1, RegionAccess::kReadWrite).ok());
}

TEST_P(SharedRegionSuite, TheSizeCannotBeChangedThroughAShare) {
  if (!GetParam().cannot_share.empty()) GTEST_SKIP() << GetParam().cannot_share;
  auto region = Create(4 * Page());
  absl::StatusOr<OwnedDescriptor> shared = region->Share(RegionAccess::kReadWrite);
  ASSERT_TRUE(shared.ok());
  EXPECT_NE(::ftruncate(shared->get(), 0), 0);
  EXPECT_NE(::ftruncate(shared->get(), static_cast<off_t>(Page())), 0);
  EXPECT_NE(::ftruncate(shared->get(), static_cast<off_t>(8 * Page())), 0);
  region->data()[4 * Page() - 1] = std::byte{7};  // would be SIGBUS
}

TEST_P(SharedRegionSuite, MemoryStaysWhenItsCreatorLetsGo) {
  if (!GetParam().cannot_share.empty()) GTEST_SKIP() << GetParam().cannot_share;
  auto region = Create(Page());
  region->data()[11] = std::byte{0x33};
  absl::StatusOr<OwnedDescriptor> shared = region->Share(RegionAccess::kReadOnly);
  ASSERT_TRUE(shared.ok());
  region.reset();
  auto other = MapRegionUntrusted(*std::move(shared), Page(), RegionAccess::kReadOnly);
  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_EQ((*other)->data()[11], std::byte{0x33});
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, SharedRegionSuite,
    ::testing::Values(
        RegionKind{"Shared", [](uint64_t bytes) { return CreateRegion(bytes, "anex-test"); }, ""},
        RegionKind{"Heap", CreateHeapRegion, "a heap region stays in its process"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace anex::shm
