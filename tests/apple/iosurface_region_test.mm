// Surfaces that somebody else made: handed over, wrapped, or found by their global number.
#include "proto/shm/iosurface_region.h"

#import <Foundation/Foundation.h>
#import <IOSurface/IOSurface.h>

#include <string>

#include "gtest/gtest.h"
#include "proto/shm/global_iosurface.h"

namespace anex::shm {
namespace {

IOSurfaceRef NewSurface(uint64_t bytes, bool global) {
  NSMutableDictionary* properties = [NSMutableDictionary dictionary];
  [properties setObject:@(bytes) forKey:(__bridge NSString*)kIOSurfaceAllocSize];
  if (global) [properties setObject:@(YES) forKey:@"IOSurfaceIsGlobal"];
  return IOSurfaceCreate((__bridge CFDictionaryRef)properties);
}

class IosurfaceTest : public ::testing::Test {
 protected:
  IOSurfaceRef Make(uint64_t bytes, bool global) { return made_ = NewSurface(bytes, global); }
  ~IosurfaceTest() override {
    if (made_ != nullptr) CFRelease(made_);
    [pool_ drain];
  }
  NSAutoreleasePool* const pool_ = [NSAutoreleasePool new];
  IOSurfaceRef made_ = nullptr;
};

// Its maker has written into it before: whoever maps it must find that, and not zeros.
TEST_F(IosurfaceTest, WhatWasHandedOverIsNotErasedByTouchingIt) {
  const auto region = *CreateIosurfaceRegion(40'000, "test");
  region->data()[39'999] = std::byte{3};
  const auto theirs = *MapIosurfaceUntrusted(*region->Share(RegionAccess::kReadWrite), 40'000,
                                             RegionAccess::kReadWrite);
  ASSERT_TRUE(theirs->Touch().ok());
  EXPECT_EQ(theirs->data()[39'999], std::byte{3});
}

TEST_F(IosurfaceTest, AnyOfThisProcessCanBeWrapped) {
  IOSurfaceRef surface = Make(20'000, false);
  const auto region = WrapIosurface(surface);
  ASSERT_TRUE(region.ok()) << region.status();
  EXPECT_EQ((*region)->size(), IOSurfaceGetAllocSize(surface));
  (*region)->data()[19'999] = std::byte{4};
  EXPECT_EQ(static_cast<std::byte*>(IOSurfaceGetBaseAddress(surface))[19'999], std::byte{4});
  CFRelease(std::exchange(made_, nullptr));
  EXPECT_EQ((*region)->data()[19'999], std::byte{4}) << "the region keeps it";
  EXPECT_EQ(WrapIosurface(nullptr).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(IosurfaceTest, AGlobalOneIsFoundByItsNumber) {
  IOSurfaceRef surface = Make(20'000, true);
  const auto found = FindGlobalIosurface(IOSurfaceGetID(surface), 20'000);
  ASSERT_TRUE(found.ok()) << found.status();
  (*found)->data()[5] = std::byte{6};
  EXPECT_EQ(static_cast<std::byte*>(IOSurfaceGetBaseAddress(surface))[5], std::byte{6});
  EXPECT_EQ(FindGlobalIosurface(IOSurfaceGetID(surface), 1 << 20).status().code(),
            absl::StatusCode::kOutOfRange);
}

// The daemon's own surfaces resolve in its process by their numbers, and belong to its sessions.
TEST_F(IosurfaceTest, OneThatIsNotGlobalIsNotFoundThoughItIsThere) {
  IOSurfaceRef surface = Make(20'000, false);
  EXPECT_EQ(FindGlobalIosurface(IOSurfaceGetID(surface), 1).status().code(),
            absl::StatusCode::kNotFound);
  const auto region = *CreateIosurfaceRegion(1, "test");
  EXPECT_EQ(FindGlobalIosurface(static_cast<IosurfaceRegion&>(*region).id(), 1).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(FindGlobalIosurface(0xffffff, 1).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace anex::shm
