#include <errno.h>
#include <fcntl.h>
#include <os/clock.h>
#include <os/os_sync_wait_on_address.h>  // macOS 14.4
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "proto/shm/doorbell.h"

namespace anex::shm {
namespace {

void* AddressOf(const std::atomic<uint32_t>& word) {
  return const_cast<void*>(static_cast<const void*>(&word));
}

}  // namespace

WordWait WaitOnWord(const std::atomic<uint32_t>& word, uint32_t expected, absl::Duration timeout) {
  if (timeout <= absl::ZeroDuration()) {  // a timeout of 0 is an error to the call below
    return word.load(std::memory_order_acquire) == expected ? WordWait::kTimedOut
                                                            : WordWait::kLookAgain;
  }
  const bool cut = timeout > absl::Hours(1);
  const int64_t bound = absl::ToInt64Nanoseconds(cut ? absl::Hours(1) : timeout);
  const int result = ::os_sync_wait_on_address_with_timeout(
      AddressOf(word), expected, sizeof(uint32_t), OS_SYNC_WAIT_ON_ADDRESS_SHARED,
      OS_CLOCK_MACH_ABSOLUTE_TIME, static_cast<uint64_t>(std::max<int64_t>(bound, 1)));
  return result < 0 && errno == ETIMEDOUT && !cut ? WordWait::kTimedOut : WordWait::kLookAgain;
}

void WakeOne(std::atomic<uint32_t>& word) {
  ::os_sync_wake_by_address_any(AddressOf(word), sizeof(uint32_t), OS_SYNC_WAKE_BY_ADDRESS_SHARED);
}
void WakeAll(std::atomic<uint32_t>& word) {
  ::os_sync_wake_by_address_all(AddressOf(word), sizeof(uint32_t), OS_SYNC_WAKE_BY_ADDRESS_SHARED);
}

absl::StatusOr<Doorbell> Doorbell::Create() {
  int ends[2];
  if (::pipe(ends) != 0)
    return absl::ResourceExhaustedError(absl::StrCat("pipe: ", strerror(errno)));
  for (const int fd : ends) {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
  }
  return Doorbell(OwnedDescriptor(ends[0]), OwnedDescriptor(ends[1]));
}

Doorbell Doorbell::AdoptRinger(OwnedDescriptor ringer) {
  return Doorbell(OwnedDescriptor(), std::move(ringer));
}

absl::StatusOr<OwnedDescriptor> Doorbell::Share() const {
  OwnedDescriptor fd(::fcntl(ring_.get(), F_DUPFD_CLOEXEC, 0));
  if (!fd.valid()) return absl::ResourceExhaustedError(absl::StrCat("pipe: ", strerror(errno)));
  return fd;
}

void Doorbell::Ring() const {
  const int saved = errno;
  const char byte = 1;
  // EAGAIN means that the pipe is full of rings: it is ringing.
  while (::write(ring_.get(), &byte, 1) < 0 && errno == EINTR) {
  }
  errno = saved;
}

void Doorbell::Drain() const {
  char rings[256];
  for (;;) {
    const ssize_t got = ::read(listen_.get(), rings, sizeof(rings));
    if (got < 0 && errno == EINTR) continue;
    if (got < static_cast<ssize_t>(sizeof(rings))) return;
  }
}

}  // namespace anex::shm
