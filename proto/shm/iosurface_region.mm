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

constexpr uint64_t kPage = 16384;  // of Apple silicon; a multiple of every other

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

  absl::StatusOr<OwnedDescriptor> Share(RegionAccess access) const override {
    if (access == RegionAccess::kReadOnly) {
      // Whoever has the port has the surface, to read and to write.
      return absl::UnimplementedError(
          "an IOSurface cannot be handed over for reading only; hand it over for writing too, or "
          "copy it");
    }
    if (access_ == RegionAccess::kReadOnly) {
      return absl::PermissionDeniedError("a region that may only be read is not handed on");
    }
    const mach_port_t port = IOSurfaceCreateMachPort(surface_);
    if (port == MACH_PORT_NULL) {
      return absl::ResourceExhaustedError("the system gave no port for the surface");
    }
    return OwnedDescriptor::OfPort(port);
  }

  // By reading: what was handed over holds what its maker wrote.
  absl::Status Touch() override {
    const volatile std::byte* bytes = data();
    for (uint64_t at = 0; at < size(); at += kPage) static_cast<void>(bytes[at]);
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

// Takes over the caller's reference. The figures are the system's.
absl::StatusOr<std::shared_ptr<SharedRegion>> Checked(IOSurfaceRef surface, uint64_t minimum_bytes,
                                                      RegionAccess access) {
  auto region = std::make_shared<Region>(surface, access);
  // A plane, if only one, has an offset and a size of its own.
  if (IOSurfaceGetPlaneCount(surface) != 0) {
    return absl::OutOfRangeError(absl::StrCat("the surface has ", IOSurfaceGetPlaneCount(surface),
                                              " planes; a tensor lies in one without any"));
  }
  if (std::as_const(*region).data() == nullptr) {
    return absl::InvalidArgumentError("the surface has no memory here");
  }
  if (region->size() < minimum_bytes || region->size() > kMaxAllocation) {
    return absl::OutOfRangeError(absl::StrCat("the surface has ", region->size(), " bytes, ",
                                              minimum_bytes, " to ", kMaxAllocation,
                                              " are possible"));
  }
  return region;
}

// Whether every process may look it up. The key is spelt out: its constant is deprecated, and says
// so at each use. No answer counts as no, and neither does anything else than a number: whoever holds
// the surface may have set it.
bool IsGlobal(IOSurfaceRef surface) {
  CFTypeRef value = IOSurfaceCopyValue(surface, (__bridge CFStringRef) @"IOSurfaceIsGlobal");
  if (value == nullptr) return false;
  const id answer = (__bridge id)value;
  const bool global =
      [answer isKindOfClass:[NSNumber class]] && [static_cast<NSNumber*>(answer) boolValue];
  CFRelease(value);
  return global;
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
  std::memset(region->data(), 0, region->size());  // the first write of a page makes it
  return region;
}

absl::StatusOr<std::shared_ptr<SharedRegion>> MapIosurfaceUntrusted(OwnedDescriptor port,
                                                                    uint64_t minimum_bytes,
                                                                    RegionAccess access) {
  // The port stays ours to give back, whatever comes of it.
  IOSurfaceRef surface = IOSurfaceLookupFromMachPort(static_cast<mach_port_t>(port.get()));
  if (surface == nullptr) {
    return absl::InvalidArgumentError("what was handed over is not an IOSurface");
  }
  return Checked(surface, minimum_bytes, access);
}

absl::StatusOr<std::shared_ptr<SharedRegion>> WrapIosurface(__IOSurface* surface) {
  if (surface == nullptr) return absl::InvalidArgumentError("there is no surface to wrap");
  CFRetain(surface);
  return Checked(surface, 1, RegionAccess::kReadWrite);
}

absl::StatusOr<std::shared_ptr<SharedRegion>> LookUpGlobalIosurface(uint32_t number,
                                                                    uint64_t minimum_bytes) {
  @autoreleasepool {
    IOSurfaceRef surface = IOSurfaceLookup(number);
    if (surface != nullptr && IsGlobal(surface)) {
      return Checked(surface, minimum_bytes, RegionAccess::kReadWrite);
    }
    if (surface != nullptr) CFRelease(surface);
    return absl::NotFoundError(absl::StrCat(
        "there is no global IOSurface ", number,
        ": its maker has to set kIOSurfaceIsGlobal and keep it; better hand it over (Import)"));
  }
}

}  // namespace anex::shm
