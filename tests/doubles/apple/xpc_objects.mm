// XPC's objects: boxes with a type.
#include "tests/doubles/apple/xpc_objects.h"
#import <Foundation/Foundation.h>
#import <IOSurface/IOSurface.h>

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "tests/doubles/apple/xpc_double.h"

struct _xpc_type_s {
  const char* name;
};
struct _xpc_dictionary_s {
  const char* description;
};

extern "C" {
const _xpc_type_s _xpc_type_connection{"connection"}, _xpc_type_data{"data"},
    _xpc_type_dictionary{"dictionary"}, _xpc_type_error{"error"}, _xpc_type_fd{"fd"},
    _xpc_type_string{"string"}, _xpc_type_uint64{"uint64"};
const _xpc_dictionary_s _xpc_error_connection_interrupted{"Connection interrupted"},
    _xpc_error_connection_invalid{"Connection invalid"},
    _xpc_error_termination_imminent{"Process will be terminated"};
}

namespace {

const _xpc_type_s kSurfaceType{"mach_send"};  // not public
std::atomic<size_t> live{0};
std::atomic<bool> fail_next_descriptor{false};

bool IsError(xpc_object_t object) {
  return object == XPC_ERROR_CONNECTION_INTERRUPTED || object == XPC_ERROR_CONNECTION_INVALID ||
         object == XPC_ERROR_TERMINATION_IMMINENT;
}

template <typename Kind>
Kind* Make(Class cls, xpc_type_t type) {
  Kind* made = [cls new];
  made->type = type;
  return made;
}

XpcDescriptor* BoxDescriptor(int fd, xpc_type_t type) {
  const int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (own < 0) return nullptr;
  XpcDescriptor* made = Make<XpcDescriptor>([XpcDescriptor class], type);
  made->fd = own;
  return made;
}

XpcDescriptor* CopyOfDescriptor(XpcDescriptor* boxed) {
  XpcDescriptor* copy = Make<XpcDescriptor>([XpcDescriptor class], boxed -> type);
  copy->fd = fcntl(boxed->fd, F_DUPFD_CLOEXEC, 3);
  return copy;
}

XpcDictionary* DictionaryOf(xpc_object_t object) {
  return xpc_get_type(object) == XPC_TYPE_DICTIONARY ? (XpcDictionary*)object : nullptr;
}

}  // namespace

@implementation XpcObject
- (instancetype)init {
  self = [super init];
  ++live;
  return self;
}
- (void)dealloc {
  --live;
  [super dealloc];
}
@end

@implementation XpcData
@end

@implementation XpcDescriptor
- (void)dealloc {
  close(fd);
  [super dealloc];
}
@end

@implementation XpcDictionary
- (void)dealloc {
  for (auto& [key, value] : values) xpc_release(value);
  [super dealloc];
}
@end

namespace anex::xpc_double {

void Misuse(const char* what) {
  std::fprintf(stderr, "XPC double: API misuse: %s\n", what);
  std::abort();
}

xpc_object_t CopyOf(xpc_object_t object) {
  if (XpcDictionary* dictionary = DictionaryOf(object)) {
    XpcDictionary* copy = Make<XpcDictionary>([XpcDictionary class], XPC_TYPE_DICTIONARY);
    for (auto& [key, value] : dictionary->values) copy->values[key] = CopyOf(value);
    return copy;
  }
  if (object && [object isKindOfClass:[XpcDescriptor class]]) {
    XpcDescriptor* boxed = (XpcDescriptor*)object;
    // The kernel duplicates it for the receiver. A file descriptor that finds no room arrives as a
    // box of none; ports have room enough.
    if (boxed->type == XPC_TYPE_FD) return CopyOfDescriptor(boxed);
  }
  return xpc_retain(object);  // immutable
}

size_t LiveObjects() { return live; }
void FailNextDescriptor() { fail_next_descriptor = true; }

bool WaitForLiveObjects(size_t objects) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (live != objects && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return live == objects;
}

}  // namespace anex::xpc_double

extern "C" {

xpc_object_t xpc_retain(xpc_object_t object) { return IsError(object) ? object : [object retain]; }
void xpc_release(xpc_object_t object) {
  if (!IsError(object)) [object release];
}
xpc_type_t xpc_get_type(xpc_object_t object) {
  return IsError(object) ? XPC_TYPE_ERROR : ((XpcObject*)object)->type;
}

xpc_object_t xpc_string_create(const char* string) {
  XpcData* made = Make<XpcData>([XpcData class], XPC_TYPE_STRING);
  made->bytes = string;
  return made;
}
xpc_object_t xpc_uint64_create(uint64_t value) {
  XpcData* made = Make<XpcData>([XpcData class], XPC_TYPE_UINT64);
  made->bytes = std::to_string(value);
  return made;
}
xpc_object_t xpc_fd_create(int fd) { return BoxDescriptor(fd, XPC_TYPE_FD); }
int xpc_fd_dup(xpc_object_t xfd) {
  if (xpc_get_type(xfd) != XPC_TYPE_FD || fail_next_descriptor.exchange(false)) return -1;
  return dup(((XpcDescriptor*)xfd)->fd);
}

xpc_object_t xpc_dictionary_create_empty(void) {
  return Make<XpcDictionary>([XpcDictionary class], XPC_TYPE_DICTIONARY);
}
size_t xpc_dictionary_get_count(xpc_object_t xdict) {
  XpcDictionary* dictionary = DictionaryOf(xdict);
  return dictionary ? dictionary->values.size() : 0;
}
xpc_object_t xpc_dictionary_get_value(xpc_object_t xdict, const char* key) {
  XpcDictionary* dictionary = DictionaryOf(xdict);
  if (!dictionary) return nullptr;
  const auto found = dictionary->values.find(key);
  return found == dictionary->values.end() ? nullptr : found->second;
}
void xpc_dictionary_set_value(xpc_object_t xdict, const char* key, xpc_object_t value) {
  XpcDictionary* dictionary = DictionaryOf(xdict);
  if (!dictionary) anex::xpc_double::Misuse("a value is set in what is no dictionary");
  if (xpc_object_t before = xpc_dictionary_get_value(xdict, key)) xpc_release(before);
  if (value) {
    dictionary->values[key] = xpc_retain(value);
  } else {
    dictionary->values.erase(key);
  }
}
const void* xpc_dictionary_get_data(xpc_object_t xdict, const char* key, size_t* length) {
  xpc_object_t value = xpc_dictionary_get_value(xdict, key);
  if (!value || xpc_get_type(value) != XPC_TYPE_DATA) return nullptr;
  const std::string& bytes = ((XpcData*)value)->bytes;
  if (length) *length = bytes.size();
  return bytes.data();
}
void xpc_dictionary_set_data(xpc_object_t xdict, const char* key, const void* bytes,
                             size_t length) {
  XpcData* made = Make<XpcData>([XpcData class], XPC_TYPE_DATA);
  made->bytes.assign(static_cast<const char*>(bytes), length);
  xpc_dictionary_set_value(xdict, key, made);
  xpc_release(made);
}

xpc_object_t IOSurfaceCreateXPCObject(IOSurfaceRef surface) {
  const mach_port_t port = IOSurfaceCreateMachPort(surface);
  if (port == MACH_PORT_NULL) return nullptr;
  XpcDescriptor* made = Make<XpcDescriptor>([XpcDescriptor class], &kSurfaceType);
  made->fd = static_cast<int>(port);
  return made;
}
IOSurfaceRef IOSurfaceLookupFromXPCObject(xpc_object_t object) {
  if (xpc_get_type(object) != &kSurfaceType) {
    anex::xpc_double::Misuse("a surface is looked up in an object of another type");
  }
  return IOSurfaceLookupFromMachPort(static_cast<mach_port_t>(((XpcDescriptor*)object)->fd));
}

}  // extern "C"
