// Owning pointer to an Objective-C object under manual retain and release, which is how this folder
// is compiled everywhere: Debian's Objective-C runtime has no automatic counting.
//
// Threads: as the object. Moves, and copies by retaining.
#ifndef ANEX_SERVER_DEVICE_APPLE_OBJC_PTR_H_
#define ANEX_SERVER_DEVICE_APPLE_OBJC_PTR_H_

#import <Foundation/Foundation.h>

#include <utility>

#if __has_feature(objc_arc)
#error "compile with -fno-objc-arc: this folder retains and releases by itself"
#endif

namespace anex::device::apple {

template <typename T>
class ObjcPtr {
 public:
  ObjcPtr() = default;
  // Takes over a reference that the caller owns (alloc, new, copy).
  static ObjcPtr Adopt(T object) {
    ObjcPtr made;
    made.object_ = object;
    return made;
  }
  // Adds a reference of its own.
  static ObjcPtr Retain(T object) { return Adopt([object retain]); }

  ObjcPtr(const ObjcPtr& other) : object_([other.object_ retain]) {}
  ObjcPtr(ObjcPtr&& other) noexcept : object_(std::exchange(other.object_, nil)) {}
  ObjcPtr& operator=(ObjcPtr other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~ObjcPtr() {
    if (object_ == nil) return;
    // What goes with it may be autoreleased.
    @autoreleasepool {
      [object_ release];
    }
  }

  T get() const { return object_; }
  explicit operator bool() const { return object_ != nil; }

 private:
  T object_ = nil;
};

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_OBJC_PTR_H_
