#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "proto/shm/doorbell.h"

namespace anex::shm {
namespace {

// Not FUTEX_PRIVATE_FLAG: the word may be shared with another process.
long Futex(const std::atomic<uint32_t>& word, int operation, uint32_t value,
           const timespec* timeout) {
  return ::syscall(SYS_futex, &word, operation, value, timeout, nullptr, 0);
}

}  // namespace

WordWait WaitOnWord(const std::atomic<uint32_t>& word, uint32_t expected, absl::Duration timeout) {
  // FUTEX_WAIT counts its relative timeout on the monotonic clock. A huge one is cut; the caller
  // asks again.
  const bool cut = timeout > absl::Hours(1);
  const timespec bound =
      absl::ToTimespec(cut ? absl::Hours(1) : std::max(timeout, absl::ZeroDuration()));
  const long result = Futex(word, FUTEX_WAIT, expected, &bound);
  return result != 0 && errno == ETIMEDOUT && !cut ? WordWait::kTimedOut : WordWait::kLookAgain;
}

void WakeOne(std::atomic<uint32_t>& word) { Futex(word, FUTEX_WAKE, 1, nullptr); }
void WakeAll(std::atomic<uint32_t>& word) { Futex(word, FUTEX_WAKE, INT_MAX, nullptr); }

absl::StatusOr<Doorbell> Doorbell::Create() {
  OwnedDescriptor fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd.valid()) {
    return absl::ResourceExhaustedError(absl::StrCat("eventfd: ", strerror(errno)));
  }
  return Doorbell(std::move(fd), OwnedDescriptor());
}

Doorbell Doorbell::AdoptRinger(OwnedDescriptor ringer) {
  return Doorbell(std::move(ringer), OwnedDescriptor());
}

absl::StatusOr<OwnedDescriptor> Doorbell::Share() const {
  OwnedDescriptor fd(::fcntl(listen_.get(), F_DUPFD_CLOEXEC, 0));
  if (!fd.valid()) return absl::ResourceExhaustedError(absl::StrCat("eventfd: ", strerror(errno)));
  return fd;
}

void Doorbell::Ring() const {
  const int saved = errno;
  const uint64_t one = 1;
  // EAGAIN means that 2^64-2 rings wait already: it is ringing.
  while (::write(listen_.get(), &one, sizeof(one)) < 0 && errno == EINTR) {
  }
  errno = saved;
}

// Without waiting, whatever the descriptor's own mode says: a peer that rings has the same open
// file and may have taken O_NONBLOCK away, and the count too.
void Doorbell::Drain() const {
  uint64_t rings;
  const iovec into{&rings, sizeof(rings)};
  ssize_t got;
  do {
    got = ::preadv2(listen_.get(), &into, 1, -1, RWF_NOWAIT);
  } while (got < 0 && errno == EINTR);
  // Kernels before 5.10 have no such read of an eventfd.
  if (got < 0 && errno == EOPNOTSUPP) got = ::read(listen_.get(), &rings, sizeof(rings));
}

}  // namespace anex::shm
