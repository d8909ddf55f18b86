// The side channel over XPC, which on macOS is what carries surfaces: a unix socket takes file
// descriptors only. One XPC message is one frame: its 64 bytes, and beside them the descriptor or
// the surface that rides on it. XPC.md has the picture, the bounds and what is known of each call.
//
// Threads: as SideChannel. This header is plain C++; the .mm is compiled where there is XPC, or a
// double of it.
#ifndef ANEX_PROTO_SHM_SIDE_CHANNEL_XPC_H_
#define ANEX_PROTO_SHM_SIDE_CHANNEL_XPC_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "proto/shm/side_channel.h"

namespace anex::shm {

// Messages that wait in this process, for each channel: to be looked at, and to be sent. More stay
// with the peer, and find no room.
inline constexpr size_t kMostXpcReceived = 64, kMostXpcUnsent = 64;

// Connects to the Mach service `name` of the user's launchd. Waits for nothing: that nobody serves
// the name shows as UNAVAILABLE when something is to be received. A service of another user is
// FAILED_PRECONDITION then. INVALID_ARGUMENT for what cannot be a name.
absl::StatusOr<std::unique_ptr<SideChannel>> ConnectXpcSideChannel(const std::string& name);

// Takes over a connection (xpc_connection_t) that a listener was given and that is not activated
// yet. Its end can be polled. RESOURCE_EXHAUSTED if descriptors are short: it is cancelled then.
absl::StatusOr<std::unique_ptr<SideChannel>> AdoptXpcPeer(void* connection);

}  // namespace anex::shm

#endif  // ANEX_PROTO_SHM_SIDE_CHANNEL_XPC_H_
