// Owns one reference of an XPC object. Move-only; for .mm files.
#ifndef ANEX_PROTO_SHM_XPC_PTR_H_
#define ANEX_PROTO_SHM_XPC_PTR_H_

#include <xpc/xpc.h>

#include <utility>

namespace anex::shm {

class XpcPtr {
 public:
  XpcPtr() = default;
  static XpcPtr Adopt(xpc_object_t object) {
    XpcPtr made;
    made.object_ = object;
    return made;
  }
  static XpcPtr Retain(xpc_object_t object) { return Adopt(object ? xpc_retain(object) : object); }
  XpcPtr(XpcPtr&& other) noexcept { std::swap(object_, other.object_); }
  XpcPtr& operator=(XpcPtr&& other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~XpcPtr() {
    if (object_) xpc_release(object_);
  }

  xpc_object_t get() const { return object_; }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  xpc_object_t object_ = nullptr;
};

}  // namespace anex::shm

#endif  // ANEX_PROTO_SHM_XPC_PTR_H_
