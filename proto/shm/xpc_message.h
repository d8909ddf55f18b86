// One frame as an XPC message, and back. For .mm files.
//
//   { "frame": data of 64 bytes,
//     "descriptor": a file descriptor   or   "surface": an IOSurface }     at most one of the two
//
// Threads: pure functions.
#ifndef ANEX_PROTO_SHM_XPC_MESSAGE_H_
#define ANEX_PROTO_SHM_XPC_MESSAGE_H_

#include "absl/status/statusor.h"
#include "proto/shm/owned_descriptor.h"
#include "proto/shm/side_channel.h"
#include "proto/shm/xpc_ptr.h"
#include "proto/wire/side_channel_frame.h"

namespace anex::shm {

// RESOURCE_EXHAUSTED when the system has no descriptor or port left for what is to ride on it.
absl::StatusOr<XpcPtr> MakeXpcMessage(const SideChannelBytes& bytes, BorrowedDescriptor descriptor);

struct XpcMessage {
  SideChannelBytes bytes;
  OwnedDescriptor descriptor;
  bool descriptor_lost = false;  // one came, and this process is out of them
};
// INVALID_ARGUMENT for whatever is not such a message. What came with it is closed then.
absl::StatusOr<XpcMessage> OpenXpcMessageUntrusted(xpc_object_t message_untrusted);

}  // namespace anex::shm

#endif  // ANEX_PROTO_SHM_XPC_MESSAGE_H_
