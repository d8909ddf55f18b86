// Owns a descriptor of the operating system: a file descriptor, or the port that an IOSurface is
// handed over by, which is a mach port on macOS. Move-only; closes on destruction. Any thread, one
// owner.
#ifndef ANEX_PROTO_SHM_OWNED_DESCRIPTOR_H_
#define ANEX_PROTO_SHM_OWNED_DESCRIPTOR_H_

#include <unistd.h>

#include <cstdint>
#include <utility>

namespace anex::shm {

// Gives back a port of OwnedDescriptor::OfPort. On Linux, where only doubles make ports, they are
// file descriptors.
void ReleasePort(int port);
// The port as a file descriptor, where it is one; -1 where it is none.
int DescriptorOfPort(int port);

class OwnedDescriptor {
 public:
  OwnedDescriptor() = default;
  explicit OwnedDescriptor(int fd) : value_(fd) {}
  static OwnedDescriptor OfPort(uint32_t port) {
    OwnedDescriptor made(static_cast<int>(port));
    made.is_port_ = true;
    return made;
  }
  OwnedDescriptor(OwnedDescriptor&& other) noexcept
      : is_port_(other.is_port_), value_(std::exchange(other.value_, kNone)) {}
  OwnedDescriptor& operator=(OwnedDescriptor&& other) noexcept {
    if (this != &other) {
      Reset();
      is_port_ = other.is_port_;
      value_ = std::exchange(other.value_, kNone);
    }
    return *this;
  }
  ~OwnedDescriptor() { Reset(); }

  int get() const { return value_; }
  bool is_port() const { return is_port_; }
  bool valid() const { return is_port_ ? value_ != kNone : value_ >= 0; }
  int Release() { return std::exchange(value_, kNone); }  // the caller closes it
  void Reset() {
    if (!valid()) return;
    const int value = Release();
    is_port_ ? ReleasePort(value) : static_cast<void>(::close(value));
  }

 private:
  static constexpr int kNone = -1;  // no descriptor, and no port: MACH_PORT_DEAD

  bool is_port_ = false;
  int value_ = kNone;
};

}  // namespace anex::shm

#endif  // ANEX_PROTO_SHM_OWNED_DESCRIPTOR_H_
