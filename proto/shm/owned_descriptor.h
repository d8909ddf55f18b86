// Owns a descriptor of the operating system (a file descriptor; on macOS a surface travels as a
// mach port instead and this stays empty for it). Move-only; closes on destruction. Any thread, one
// owner.
#ifndef ANEX_PROTO_SHM_OWNED_DESCRIPTOR_H_
#define ANEX_PROTO_SHM_OWNED_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace anex::shm {

class OwnedDescriptor {
 public:
  OwnedDescriptor() = default;
  explicit OwnedDescriptor(int fd) : fd_(fd) {}
  OwnedDescriptor(OwnedDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedDescriptor& operator=(OwnedDescriptor&& other) noexcept {
    if (this != &other) {
      Reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~OwnedDescriptor() { Reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }  // the caller closes it
  void Reset() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

}  // namespace anex::shm

#endif  // ANEX_PROTO_SHM_OWNED_DESCRIPTOR_H_
