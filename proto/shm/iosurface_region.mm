#include "proto/shm/iosurface_region.h"

#import <Foundation/Foundation.h>
#import <IOSurface/IOSurface.h>

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/wire/tensor_layout.h"

namespace anex::shm {
namespace {

// Lock tells apart only reading and writing; a lock for reading keeps the device's caches as they
// are.
IOSurfaceLockOptions LockOptionsOf(RegionAccess access) {
  return access == RegionAccess::kReadOnly ? kIOSurfaceLockReadOnly : 0;
}

class Region final : public IosurfaceRegion {
 public:
  // Takes over the caller's reference.
  Region(IOSurfaceRef surface, RegionAccess access) : surface_(surface), access_(access) {}
  ~Region() override { CFRelease(surface_); }

  std::byte* data() override { return static_cast<std::byte*>(IOSurfaceGetBaseAddress(surface_)); }
  const std::byte* data() const override {
    return static_cast<const std::byte*>(IOSurfaceGetBaseAddress(surface_));
  }
  uint64_t size() const override { return IOSurfaceGetAllocSize(surface_); }
  RegionAccess access() const override { return access_; }
  __IOSurface* surface() const override { return surface_; }
  uint32_t id() const override { return IOSurfaceGetID(surface_); }

  absl::StatusOr<OwnedDescriptor> Share(RegionAccess) const override {
    return absl::UnimplementedError(
        "an IOSurface goes to another process by a mach port, which the side channel does not "
        "carry yet");
  }

  absl::Status Touch() override {
    // The first write of a page makes it; the surface is new and zeroed, so zeros change nothing.
    std::memset(data(), 0, size());
    return absl::OkStatus();
  }

  absl::Status Lock(RegionAccess access) override {
    return Check(IOSurfaceLock(surface_, LockOptionsOf(access), nullptr), "locked");
  }
  absl::Status Unlock(RegionAccess access) override {
    return Check(IOSurfaceUnlock(surface_, LockOptionsOf(access), nullptr), "unlocked");
  }

 private:
  static absl::Status Check(kern_return_t result, std::string_view what) {
    if (result == KERN_SUCCESS) return absl::OkStatus();
    return absl::InternalError(absl::StrCat("the surface could not be ", std::string(what),
                                            ": IOKit says ", absl::Hex(result, absl::kZeroPad8)));
  }

  const IOSurfaceRef surface_;
  const RegionAccess access_;
};

IOSurfaceRef NewSurface(uint64_t bytes) {
  @autoreleasepool {
    NSDictionary* properties = @{
      (__bridge NSString*)kIOSurfaceWidth : @(bytes),
      (__bridge NSString*)kIOSurfaceHeight : @1,
      (__bridge NSString*)kIOSurfaceBytesPerElement : @1,
      (__bridge NSString*)kIOSurfaceBytesPerRow : @(bytes),
      (__bridge NSString*)kIOSurfaceAllocSize : @(bytes),
      (__bridge NSString*)kIOSurfacePixelFormat : @0,
    };
    return IOSurfaceCreate((__bridge CFDictionaryRef)properties);
  }
}

}  // namespace

absl::StatusOr<std::shared_ptr<SharedRegion>> CreateIosurfaceRegion(uint64_t bytes,
                                                                    std::string_view) {
  if (bytes == 0 || bytes > kMaxAllocation) {
    return absl::InvalidArgumentError(
        absl::StrCat("a region of ", bytes, " bytes; 1 to ", kMaxAllocation, " are possible"));
  }
  IOSurfaceRef surface = NewSurface(bytes);
  if (surface == nullptr) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the system made no surface of ", bytes, " bytes"));
  }
  auto region = std::make_shared<Region>(surface, RegionAccess::kReadWrite);
  if (region->size() < bytes || region->data() == nullptr) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the system made a surface of ", region->size(), " bytes instead of ", bytes));
  }
  if (absl::Status touched = region->Touch(); !touched.ok()) return touched;
  return region;
}

}  // namespace anex::shm
