#include "proto/shm/xpc_message.h"

#import <Foundation/Foundation.h>
#import <IOSurface/IOSurface.h>
#include <fcntl.h>

#include <atomic>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace anex::shm {
namespace {

constexpr char kFrameKey[] = "frame";
constexpr char kDescriptorKey[] = "descriptor";
constexpr char kSurfaceKey[] = "surface";

absl::Status OutOf(const char* what) {
  return absl::ResourceExhaustedError(absl::StrCat("side channel: the system has no ", what,
                                                   " left to hand over; release surfaces"));
}
absl::Status Wrong(const char* what) {
  return absl::InvalidArgumentError(absl::StrCat("side channel: the XPC message ", what));
}

// The object by which a surface travels. The port is borrowed; looking a surface up and making the
// object of it needs no private call, which sending the port itself would.
absl::StatusOr<XpcPtr> SurfaceObject(int port) {
  @autoreleasepool {
    IOSurfaceRef surface = IOSurfaceLookupFromMachPort(static_cast<mach_port_t>(port));
    if (surface == nullptr) return OutOf("port");
    XpcPtr object = XpcPtr::Adopt(IOSurfaceCreateXPCObject(surface));
    CFRelease(surface);
    if (!object) return OutOf("port");
    return object;
  }
}

// The type of such objects has no public name. What a peer sends is compared with the type of one
// that was made here, because a lookup in an object of another type may be taken for misuse, which
// ends the process.
// Null if the system makes none now.
xpc_type_t SurfaceType() {
  static std::atomic<xpc_type_t> known{nullptr};
  if (xpc_type_t type = known) return type;
  @autoreleasepool {
    NSDictionary* properties = @{
      (__bridge NSString*)kIOSurfaceWidth : @16,
      (__bridge NSString*)kIOSurfaceHeight : @1,
      (__bridge NSString*)kIOSurfaceBytesPerElement : @1,
      (__bridge NSString*)kIOSurfaceAllocSize : @16,
    };
    IOSurfaceRef surface = IOSurfaceCreate((__bridge CFDictionaryRef)properties);
    if (surface == nullptr) return nullptr;
    const XpcPtr object = XpcPtr::Adopt(IOSurfaceCreateXPCObject(surface));
    CFRelease(surface);
    if (object) known = xpc_get_type(object.get());
    return known;
  }
}

// Into `message`: the descriptor of `value_untrusted`, a duplicate that is this process's own.
absl::Status TakeDescriptor(xpc_object_t value_untrusted, XpcMessage& message) {
  if (xpc_get_type(value_untrusted) != XPC_TYPE_FD) {
    return Wrong("has something else where its file descriptor should be");
  }
  const int fd = xpc_fd_dup(value_untrusted);
  if (fd >= 0) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  message.descriptor_lost = fd < 0;
  message.descriptor = OwnedDescriptor(fd);
  return absl::OkStatus();
}

absl::Status TakeSurface(xpc_object_t value_untrusted, XpcMessage& message) {
  const xpc_type_t type = SurfaceType();
  message.descriptor_lost = type == nullptr;
  if (type == nullptr) return absl::OkStatus();
  if (xpc_get_type(value_untrusted) != type) {
    return Wrong("has something else where its surface should be");
  }
  @autoreleasepool {
    IOSurfaceRef surface = IOSurfaceLookupFromXPCObject(value_untrusted);
    if (surface == nullptr) return Wrong("has a port that is no surface's");
    const mach_port_t port = IOSurfaceCreateMachPort(surface);
    CFRelease(surface);
    message.descriptor_lost = port == MACH_PORT_NULL;
    if (port != MACH_PORT_NULL) message.descriptor = OwnedDescriptor::OfPort(port);
    return absl::OkStatus();
  }
}

}  // namespace

absl::StatusOr<XpcPtr> MakeXpcMessage(const SideChannelBytes& bytes,
                                      BorrowedDescriptor descriptor) {
  XpcPtr message = XpcPtr::Adopt(xpc_dictionary_create_empty());
  xpc_dictionary_set_data(message.get(), kFrameKey, bytes.data(), bytes.size());
  if (!descriptor.valid()) return message;
  if (descriptor.is_port) {
    const absl::StatusOr<XpcPtr> surface = SurfaceObject(descriptor.value);
    if (!surface.ok()) return surface.status();
    xpc_dictionary_set_value(message.get(), kSurfaceKey, surface->get());
  } else {
    const XpcPtr boxed = XpcPtr::Adopt(xpc_fd_create(descriptor.value));
    if (!boxed) return OutOf("descriptor");
    xpc_dictionary_set_value(message.get(), kDescriptorKey, boxed.get());
  }
  return message;
}

absl::StatusOr<XpcMessage> OpenXpcMessageUntrusted(xpc_object_t message_untrusted) {
  if (xpc_get_type(message_untrusted) != XPC_TYPE_DICTIONARY) return Wrong("is no dictionary");
  XpcMessage message;
  size_t size = 0;
  const void* bytes = xpc_dictionary_get_data(message_untrusted, kFrameKey, &size);
  if (bytes == nullptr || size != message.bytes.size()) return Wrong("holds no frame of 64 bytes");
  std::memcpy(message.bytes.data(), bytes, size);
  xpc_object_t descriptor = xpc_dictionary_get_value(message_untrusted, kDescriptorKey);
  xpc_object_t surface = xpc_dictionary_get_value(message_untrusted, kSurfaceKey);
  if (descriptor && surface) return Wrong("has two descriptors, at most one is allowed");
  if (xpc_dictionary_get_count(message_untrusted) != (descriptor || surface ? 2u : 1u)) {
    return Wrong("holds more than a frame and its descriptor");
  }
  absl::Status taken;
  if (descriptor) taken = TakeDescriptor(descriptor, message);
  if (surface) taken = TakeSurface(surface, message);
  if (!taken.ok()) return taken;
  return message;
}

}  // namespace anex::shm
