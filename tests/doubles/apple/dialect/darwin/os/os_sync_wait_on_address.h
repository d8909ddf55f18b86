// Types only, as Apple documents them: see ../../CMakeLists.txt.
#ifndef ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_OS_OS_SYNC_WAIT_ON_ADDRESS_H_
#define ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_OS_OS_SYNC_WAIT_ON_ADDRESS_H_

#include <os/clock.h>
#include <stddef.h>
#include <stdint.h>

typedef enum : uint32_t { OS_SYNC_WAIT_ON_ADDRESS_SHARED = 1 } os_sync_wait_on_address_flags_t;
typedef enum : uint32_t { OS_SYNC_WAKE_BY_ADDRESS_SHARED = 1 } os_sync_wake_by_address_flags_t;

extern "C" {
int os_sync_wait_on_address_with_timeout(void* address, uint64_t value, size_t size,
                                         os_sync_wait_on_address_flags_t flags, os_clockid_t clock,
                                         uint64_t timeout_ns);
int os_sync_wake_by_address_any(void* address, size_t size, os_sync_wake_by_address_flags_t flags);
int os_sync_wake_by_address_all(void* address, size_t size, os_sync_wake_by_address_flags_t flags);
}

#endif  // ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_OS_OS_SYNC_WAIT_ON_ADDRESS_H_
