// Of macOS's <os/os_sync_wait_on_address.h> (14.4) what proto/shm uses: names, types and values as
// there. Defined by os_sync_double.cc.
#pragma once
#include <os/clock.h>
#include <stddef.h>
#include <stdint.h>

typedef enum os_sync_wait_on_address_flags : uint32_t {
  OS_SYNC_WAIT_ON_ADDRESS_NONE = 0x0,
  OS_SYNC_WAIT_ON_ADDRESS_SHARED = 0x1,
} os_sync_wait_on_address_flags_t;
typedef enum os_sync_wake_by_address_flags : uint32_t {
  OS_SYNC_WAKE_BY_ADDRESS_NONE = 0x0,
  OS_SYNC_WAKE_BY_ADDRESS_SHARED = 0x1,
} os_sync_wake_by_address_flags_t;

extern "C" {
int os_sync_wait_on_address_with_timeout(void* addr, uint64_t value, size_t size,
                                         os_sync_wait_on_address_flags_t flags,
                                         os_clockid_t clockid, uint64_t timeout_ns);
int os_sync_wake_by_address_any(void* addr, size_t size, os_sync_wake_by_address_flags_t flags);
int os_sync_wake_by_address_all(void* addr, size_t size, os_sync_wake_by_address_flags_t flags);
}
