// macOS's waits on addresses, by futex.
#include <errno.h>
#include <linux/futex.h>
#include <os/os_sync_wait_on_address.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <climits>

namespace {

int Refuse(int error) {
  errno = error;
  return -1;
}

int Wake(void* addr, size_t size, os_sync_wake_by_address_flags_t flags, int most) {
  if (addr == nullptr || size != 4 || flags > OS_SYNC_WAKE_BY_ADDRESS_SHARED) return Refuse(EINVAL);
  const long woken = ::syscall(SYS_futex, addr, FUTEX_WAKE, most, nullptr, nullptr, 0);
  return woken > 0 ? 0 : Refuse(ENOENT);  // nobody waits
}

}  // namespace

int os_sync_wait_on_address_with_timeout(void* addr, uint64_t value, size_t size,
                                         os_sync_wait_on_address_flags_t flags,
                                         os_clockid_t clockid, uint64_t timeout_ns) {
  if (addr == nullptr || size != 4 || timeout_ns == 0 || clockid != OS_CLOCK_MACH_ABSOLUTE_TIME ||
      flags > OS_SYNC_WAIT_ON_ADDRESS_SHARED) {
    return Refuse(EINVAL);
  }
  const timespec timeout{static_cast<time_t>(timeout_ns / 1'000'000'000),
                         static_cast<long>(timeout_ns % 1'000'000'000)};
  const long result =
      ::syscall(SYS_futex, addr, FUTEX_WAIT, static_cast<uint32_t>(value), &timeout, nullptr, 0);
  return result == 0 || errno == EAGAIN ? 0 : -1;  // ETIMEDOUT, EINTR, EFAULT as there
}

int os_sync_wake_by_address_any(void* addr, size_t size, os_sync_wake_by_address_flags_t flags) {
  return Wake(addr, size, flags, 1);
}
int os_sync_wake_by_address_all(void* addr, size_t size, os_sync_wake_by_address_flags_t flags) {
  return Wake(addr, size, flags, INT_MAX);
}
