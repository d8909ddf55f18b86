// What peer_linux.cc and peer_exit_linux.cc share: a descriptor that stands for a process.
#ifndef ANEX_SERVER_DOOR_PROCESS_LINUX_H_
#define ANEX_SERVER_DOOR_PROCESS_LINUX_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "proto/shm/owned_descriptor.h"

namespace anex::door {

// A pidfd of the process that connected `socket`. Asks the socket itself (Linux 6.5), which cannot
// name a wrong process; older kernels open it by `pid`, so the caller must compare start times.
// UNAVAILABLE if the process has gone, RESOURCE_EXHAUSTED if descriptors are short.
absl::StatusOr<shm::OwnedDescriptor> PidfdOfPeer(int socket, int64_t pid);

// Field 22 of /proc/PID/stat: clock ticks since boot. UNAVAILABLE if there is no such process.
absl::StatusOr<uint64_t> StartTimeOf(int64_t pid);

// True while the process has not exited (a zombie has).
bool IsAlive(const shm::OwnedDescriptor& pidfd);

}  // namespace anex::door

#endif  // ANEX_SERVER_DOOR_PROCESS_LINUX_H_
