// The part of IOSurface's C API that anexd uses, for machines without it: see iosurface_double.mm.
// Names, types and values as Apple documents them.
#ifndef ANEX_TESTS_DOUBLES_APPLE_INCLUDE_IOSURFACE_IOSURFACE_H_
#define ANEX_TESTS_DOUBLES_APPLE_INCLUDE_IOSURFACE_IOSURFACE_H_

#include <stddef.h>
#include <stdint.h>
#include <xpc/xpc.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct __IOSurface* IOSurfaceRef;
typedef uint32_t IOSurfaceID;
typedef uint32_t IOSurfaceLockOptions;
typedef int kern_return_t;
typedef unsigned int mach_port_t;
typedef const void* CFTypeRef;
typedef const struct __CFDictionary* CFDictionaryRef;
typedef const struct __CFString* CFStringRef;

enum { KERN_SUCCESS = 0 };
#define MACH_PORT_NULL ((mach_port_t)0)
enum { kIOSurfaceLockReadOnly = 1u, kIOSurfaceLockAvoidSync = 2u };

extern const CFStringRef kIOSurfaceWidth, kIOSurfaceHeight, kIOSurfaceBytesPerElement,
    kIOSurfaceBytesPerRow, kIOSurfaceAllocSize, kIOSurfacePixelFormat;

CFTypeRef CFRetain(CFTypeRef object);
void CFRelease(CFTypeRef object);

IOSurfaceRef IOSurfaceCreate(CFDictionaryRef properties);
IOSurfaceID IOSurfaceGetID(IOSurfaceRef surface);
IOSurfaceRef IOSurfaceLookup(IOSurfaceID id);
CFTypeRef IOSurfaceCopyValue(IOSurfaceRef surface, CFStringRef key);
kern_return_t IOSurfaceLock(IOSurfaceRef surface, IOSurfaceLockOptions options, uint32_t* seed);
kern_return_t IOSurfaceUnlock(IOSurfaceRef surface, IOSurfaceLockOptions options, uint32_t* seed);
void* IOSurfaceGetBaseAddress(IOSurfaceRef surface);
size_t IOSurfaceGetAllocSize(IOSurfaceRef surface);
size_t IOSurfaceGetPlaneCount(IOSurfaceRef surface);
void IOSurfaceIncrementUseCount(IOSurfaceRef surface);
void IOSurfaceDecrementUseCount(IOSurfaceRef surface);
int32_t IOSurfaceGetUseCount(IOSurfaceRef surface);
// Of the double: a port is a file descriptor, the caller's to close.
mach_port_t IOSurfaceCreateMachPort(IOSurfaceRef surface);
IOSurfaceRef IOSurfaceLookupFromMachPort(mach_port_t port);
// Of the double of XPC (xpc_objects.mm).
xpc_object_t IOSurfaceCreateXPCObject(IOSurfaceRef surface);
IOSurfaceRef IOSurfaceLookupFromXPCObject(xpc_object_t object);

#ifdef __cplusplus
}
#endif

#endif  // ANEX_TESTS_DOUBLES_APPLE_INCLUDE_IOSURFACE_IOSURFACE_H_
