// One end of a side channel: frames of 64 bytes, each with at most one descriptor, both ways, in
// order. Real ends are unix stream sockets (_unix.cc) and, on macOS, XPC connections (_xpc.mm),
// which take surfaces too; a pair inside one process is for tests and for the in-process mode
// (_pair.cc). All pass one conformance suite.
//
// Threads: one thread may send while another receives; not two of the same. Shutdown from any
// thread. Distrust: what arrives has passed DecodeUntrusted, its descriptor count is right, and the
// descriptor is close-on-exec. What the descriptor is, is for the receiver to check
// (MapUntrusted). Errors, sticky for receiving: UNAVAILABLE end of file between frames,
// DATA_LOSS end of file inside a frame, INVALID_ARGUMENT or FAILED_PRECONDITION a frame that breaks
// the rules, or a peer of another user. After one of these nothing more can be received; the caller
// drops the channel.
#ifndef ANEX_PROTO_SHM_SIDE_CHANNEL_H_
#define ANEX_PROTO_SHM_SIDE_CHANNEL_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/shm/owned_descriptor.h"
#include "proto/shm/shared_region.h"
#include "proto/wire/side_channel_frame.h"

namespace anex::shm {

// A file descriptor or a port that stays its owner's. It is one if a file descriptor or an
// OwnedDescriptor is handed in its place.
struct BorrowedDescriptor {
  BorrowedDescriptor() = default;
  BorrowedDescriptor(int fd) : value(fd) {}
  BorrowedDescriptor(const OwnedDescriptor& owner)
      : value(owner.get()),
        is_port(owner.is_port()),
        valid_port(owner.is_port() && owner.valid()) {}
  bool valid() const { return is_port ? valid_port : value >= 0; }

  int value = -1;
  bool is_port = false, valid_port = false;
};

struct ReceivedFrame {
  SideChannelFrame frame;
  OwnedDescriptor descriptor;  // valid if and only if frame.has_descriptor and not descriptor_lost
  // The peer sent a descriptor but this process is out of them, so the kernel dropped it. The peer
  // is not to blame: answer RESOURCE_EXHAUSTED.
  bool descriptor_lost = false;
};

class SideChannel {
 public:
  virtual ~SideChannel() = default;
  SideChannel(const SideChannel&) = delete;
  SideChannel& operator=(const SideChannel&) = delete;

  // Sends without waiting. True: the frame was taken, though its tail may still wait for Flush.
  // False: no room, nothing was taken. `descriptor` must be valid exactly if frame.has_descriptor.
  // UNAVAILABLE when the peer is gone. Nothing was taken and the channel still works after
  // RESOURCE_EXHAUSTED, when the kernel holds too many descriptors in flight, and UNIMPLEMENTED,
  // when `descriptor` is a port and this channel carries none.
  virtual absl::StatusOr<bool> TrySend(const SideChannelFrame& frame,
                                       BorrowedDescriptor descriptor = {}) = 0;
  // Pushes out what a former TrySend left behind. True: nothing is left.
  virtual absl::StatusOr<bool> Flush() = 0;
  // Receives without waiting. Nothing: no whole frame is there yet.
  virtual absl::StatusOr<std::optional<ReceivedFrame>> TryReceive() = 0;

  // The same, waiting at most `timeout` of monotonic time: DEADLINE_EXCEEDED. A timeout inside a
  // frame loses nothing; call again.
  absl::Status Send(const SideChannelFrame& frame, BorrowedDescriptor descriptor,
                    absl::Duration timeout);
  absl::StatusOr<ReceivedFrame> Receive(absl::Duration timeout);

  // The memory behind a descriptor that came over this channel: MapRegionUntrusted, or what does
  // the same for a port.
  virtual absl::StatusOr<std::shared_ptr<SharedRegion>> MapUntrusted(OwnedDescriptor descriptor,
                                                                     uint64_t minimum_bytes,
                                                                     RegionAccess access);

  // Ends both directions: the peer receives what was sent, then end of file; both sides' waits end.
  virtual void Shutdown() = 0;
  // For poll: readable when TryReceive has something, or end of file. -1 for an in-process end.
  virtual int poll_descriptor() const = 0;
  // What to wait for on that descriptor, from now on, by one who wants to receive, or to send what
  // found no room, or both. An event of either kind may stand for the other.
  virtual short PollFor(bool receiving, bool sending);

 protected:
  SideChannel() = default;
  enum class WaitFor { kReceive, kSend };
  // True when it is worth trying again, false when `timeout` has passed first.
  virtual bool Wait(WaitFor what, absl::Duration timeout) = 0;
};

// Takes a connected unix stream socket and makes it non-blocking.
absl::StatusOr<std::unique_ptr<SideChannel>> AdoptSideChannel(OwnedDescriptor socket);
// Connects to the daemon's side-channel socket. UNAVAILABLE if nobody listens, INVALID_ARGUMENT for
// a path that does not fit into a socket address.
absl::StatusOr<std::unique_ptr<SideChannel>> ConnectSideChannel(const std::string& path,
                                                                absl::Duration timeout);

// Connects to what the daemon named when it opened the session: a path, or "xpc:" and the name of a
// service (UNIMPLEMENTED where there is no XPC).
inline constexpr char kXpcEndpoint[] = "xpc:";
absl::StatusOr<std::unique_ptr<SideChannel>> ConnectEndpoint(const std::string& endpoint,
                                                             absl::Duration timeout);

struct SideChannelPair {
  std::unique_ptr<SideChannel> first, second;
};
// Two ends within this process. Each direction holds at most `capacity` frames.
SideChannelPair MakeSideChannelPair(size_t capacity = 64);

}  // namespace anex::shm

#endif  // ANEX_PROTO_SHM_SIDE_CHANNEL_H_
