// IOSurface on Linux: a sealed memfd. A surface is an object, so CFRetain and CFRelease are retain
// and release, as on a Mac. Numbers resolve in this process only, as those of surfaces that are not
// global do.
#import <Foundation/Foundation.h>
#import <IOSurface/IOSurface.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <mutex>

namespace {

constexpr size_t kPage = 16384;  // as on Apple silicon: surfaces are made of whole ones

std::mutex& TableMutex() {
  static std::mutex& mutex = *new std::mutex;
  return mutex;
}
std::map<IOSurfaceID, IOSurfaceRef>& Table() {
  static auto& table = *new std::map<IOSurfaceID, IOSurfaceRef>;
  return table;
}

}  // namespace

@interface SurfaceDouble : NSObject {
 @public
  void* base;
  size_t size;
  IOSurfaceID number;
  int fd;
  std::atomic<int> locks;
  std::atomic<int> uses;
  std::atomic<uint32_t> seed;
  bool global;
}
@end

@implementation SurfaceDouble
- (void)dealloc {
  {
    const std::lock_guard<std::mutex> lock(TableMutex());
    Table().erase(number);
  }
  if (locks != 0) NSLog(@"IOSurface double: freed while it was locked");
  munmap(base, size);
  close(fd);
  [super dealloc];
}
@end

namespace {

SurfaceDouble* Of(IOSurfaceRef surface) { return (SurfaceDouble*)surface; }

// Takes the descriptor.
IOSurfaceRef MakeSurface(int fd, size_t size) {
  void* base = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (base == MAP_FAILED) {
    close(fd);
    return nullptr;
  }
  SurfaceDouble* made = [SurfaceDouble new];
  made->fd = fd;
  made->size = size;
  made->base = base;
  static std::atomic<IOSurfaceID> next{1};
  made->number = next++;
  const std::lock_guard<std::mutex> lock(TableMutex());
  Table()[made->number] = (IOSurfaceRef)made;
  return (IOSurfaceRef)made;
}

}  // namespace

extern "C" {

const CFStringRef kIOSurfaceWidth = (CFStringRef) @"IOSurfaceWidth";
const CFStringRef kIOSurfaceHeight = (CFStringRef) @"IOSurfaceHeight";
const CFStringRef kIOSurfaceBytesPerElement = (CFStringRef) @"IOSurfaceBytesPerElement";
const CFStringRef kIOSurfaceBytesPerRow = (CFStringRef) @"IOSurfaceBytesPerRow";
const CFStringRef kIOSurfaceAllocSize = (CFStringRef) @"IOSurfaceAllocSize";
const CFStringRef kIOSurfacePixelFormat = (CFStringRef) @"IOSurfacePixelFormat";

CFTypeRef CFRetain(CFTypeRef object) { return [(id)object retain]; }
void CFRelease(CFTypeRef object) { [(id)object release]; }

IOSurfaceRef IOSurfaceCreate(CFDictionaryRef properties) {
  NSNumber* bytes = [(NSDictionary*)properties objectForKey:(NSString*)kIOSurfaceAllocSize];
  const size_t wanted = bytes.unsignedLongLongValue;
  if (wanted == 0) return nullptr;
  const size_t size = (wanted + kPage - 1) / kPage * kPage;
  const int fd = memfd_create("iosurface", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return nullptr;
  if (ftruncate(fd, static_cast<off_t>(size)) != 0 ||
      fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    close(fd);
    return nullptr;
  }
  IOSurfaceRef surface = MakeSurface(fd, size);
  NSNumber* global = [(NSDictionary*)properties objectForKey:@"IOSurfaceIsGlobal"];
  if (surface != nullptr) Of(surface)->global = global.boolValue;
  return surface;
}

CFTypeRef IOSurfaceCopyValue(IOSurfaceRef surface, CFStringRef key) {
  if (![(NSString*)key isEqualToString:@"IOSurfaceIsGlobal"] || !Of(surface)->global)
    return nullptr;
  return [[NSNumber numberWithBool:YES] retain];
}

IOSurfaceID IOSurfaceGetID(IOSurfaceRef surface) { return Of(surface)->number; }

IOSurfaceRef IOSurfaceLookup(IOSurfaceID number) {
  const std::lock_guard<std::mutex> lock(TableMutex());
  const auto found = Table().find(number);
  return found == Table().end() ? nullptr : (IOSurfaceRef)[(id)found->second retain];
}

kern_return_t IOSurfaceLock(IOSurfaceRef surface, IOSurfaceLockOptions, uint32_t* seed) {
  Of(surface)->locks++;
  if (seed != nullptr) *seed = Of(surface)->seed;
  return KERN_SUCCESS;
}

kern_return_t IOSurfaceUnlock(IOSurfaceRef surface, IOSurfaceLockOptions options, uint32_t* seed) {
  Of(surface)->locks--;
  if ((options & kIOSurfaceLockReadOnly) == 0) Of(surface)->seed++;
  if (seed != nullptr) *seed = Of(surface)->seed;
  return KERN_SUCCESS;
}

void* IOSurfaceGetBaseAddress(IOSurfaceRef surface) { return Of(surface)->base; }
size_t IOSurfaceGetAllocSize(IOSurfaceRef surface) { return Of(surface)->size; }
size_t IOSurfaceGetPlaneCount(IOSurfaceRef) { return 0; }
void IOSurfaceIncrementUseCount(IOSurfaceRef surface) { Of(surface)->uses++; }
void IOSurfaceDecrementUseCount(IOSurfaceRef surface) { Of(surface)->uses--; }
int32_t IOSurfaceGetUseCount(IOSurfaceRef surface) { return Of(surface)->uses; }

mach_port_t IOSurfaceCreateMachPort(IOSurfaceRef surface) {
  const int port = fcntl(Of(surface)->fd, F_DUPFD_CLOEXEC, 3);
  return port < 0 ? MACH_PORT_NULL : static_cast<mach_port_t>(port);
}

IOSurfaceRef IOSurfaceLookupFromMachPort(mach_port_t port) {
  // A second surface of the same memory: nothing else in this process goes by who is who.
  const int fd = fcntl(static_cast<int>(port), F_DUPFD_CLOEXEC, 3);
  if (fd < 0) return nullptr;
  struct stat found;
  const int seals = fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0 || fstat(fd, &found) != 0 || found.st_size <= 0) {
    close(fd);
    return nullptr;
  }
  return MakeSurface(fd, static_cast<size_t>(found.st_size));
}

}  // extern "C"
