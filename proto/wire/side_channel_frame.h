// The frames of the side channel: the session's own socket beside gRPC. Every frame is 64 bytes, so
// that a stream socket needs no length field and no peer can make the other allocate. At most one
// descriptor rides on a frame. FORMATS.md has the bytes, with worked examples.
//
//   client                                     daemon
//     hello {token}                  ------->
//                                    <-------    welcome {}  |  bye {refused, status}
//     claim {request, token}         ------->                     a hand-over prepared over gRPC
//                                    <-------    deliver {request, token, bytes, writable} +
//                                    descriptor
//                                             |  deliver {request, token, status}
//     offer {request, bytes, writable} + descriptor --->          memory that the client made
//                                    <-------    accepted {request, token, bytes}
//                                             |  refused {request, status}
//     wake {}                        <------>                     look at the ring
//     bye {reason}                   <------>                     the last frame that its sender
//     sends
//
// Threads: pure values. Invariant of a decoded frame: every field that its kind does not use is
// zero, `status` is a canonical code, and `has_descriptor` is what the kind allows.
#ifndef ANEX_PROTO_WIRE_SIDE_CHANNEL_FRAME_H_
#define ANEX_PROTO_WIRE_SIDE_CHANNEL_FRAME_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace anex {

inline constexpr size_t kSideChannelFrameBytes = 64;
inline constexpr uint32_t kSideChannelMagic = 0x53584E41;  // "ANXS" in the order of the bytes
inline constexpr uint8_t kSideChannelVersion = 1;

using SideChannelBytes = std::array<std::byte, kSideChannelFrameBytes>;

// 32 random bytes: whoever has them may use what they stand for, once. They are secrets: they
// appear in no message and no log.
using SideChannelToken = std::array<uint8_t, 32>;
// Nothing if `bytes` is not exactly 32 bytes long.
std::optional<SideChannelToken> SideChannelTokenFromBytes(std::string_view bytes);
std::string SideChannelTokenToBytes(const SideChannelToken& token);

enum class FrameKind : uint8_t {
  kHello = 1,
  kWelcome = 2,
  kClaim = 3,
  kDeliver = 4,
  kOffer = 5,
  kAccepted = 6,
  kRefused = 7,
  kWake = 8,
  kBye = 9,
  kBell = 10,
};
inline constexpr uint8_t kLastFrameKind = 10;
std::string_view FrameKindName(FrameKind kind);

// Why a side of the channel says goodbye.
enum class ByeReason : uint8_t {
  kNone = 0,           // not a goodbye
  kClosed = 1,         // the sender is done; nothing went wrong
  kRefused = 2,        // hello was refused; `status` says how
  kEvicted = 3,        // an operator ended the session
  kDraining = 4,       // the daemon is going down in good order
  kProtocolError = 5,  // the receiver of this sent something that is no valid frame here
  kTimeout = 6,        // the receiver of this said nothing for too long
  kOverloaded = 7,     // a bound of the daemon was reached
};
inline constexpr uint8_t kLastByeReason = 7;
std::string_view ByeReasonName(ByeReason reason);

struct SideChannelFrame {
  FrameKind kind = FrameKind::kWake;
  bool has_descriptor = false;  // a descriptor rides on this frame
  bool writable = false;        // deliver, offer: the memory may be mapped for writing
  ByeReason reason = ByeReason::kNone;
  absl::StatusCode status = absl::StatusCode::kOk;  // deliver, refused, bye
  uint32_t request = 0;  // chosen by the client in claim and offer, repeated in the answer
  uint64_t bytes = 0;    // size of the memory: deliver (when OK), offer, accepted
  SideChannelToken token{};

  static SideChannelFrame Hello(const SideChannelToken& token);
  static SideChannelFrame Welcome();
  static SideChannelFrame Claim(uint32_t request, const SideChannelToken& token);
  static SideChannelFrame Deliver(uint32_t request, const SideChannelToken& token, uint64_t bytes,
                                  bool writable);
  // REQUIRES: status is not OK.
  static SideChannelFrame DeliverError(uint32_t request, const SideChannelToken& token,
                                       absl::StatusCode status);
  // The answer to a claim whose token stands for a doorbell: its descriptor, to be rung.
  static SideChannelFrame Bell(uint32_t request, const SideChannelToken& token);
  static SideChannelFrame Offer(uint32_t request, uint64_t bytes, bool writable);
  static SideChannelFrame Accepted(uint32_t request, const SideChannelToken& token, uint64_t bytes);
  // REQUIRES: status is not OK.
  static SideChannelFrame Refused(uint32_t request, absl::StatusCode status);
  static SideChannelFrame Wake();
  // REQUIRES: reason is not kNone; status is not OK exactly when reason is kRefused.
  static SideChannelFrame Bye(ByeReason reason, absl::StatusCode status = absl::StatusCode::kOk);

  friend bool operator==(const SideChannelFrame&, const SideChannelFrame&) = default;
};

// REQUIRES: `frame` was made by one of the functions above, or came out of DecodeUntrusted.
SideChannelBytes Encode(const SideChannelFrame& frame);

// Copies `bytes_untrusted` once, then checks everything. INVALID_ARGUMENT names the field that is
// wrong; FAILED_PRECONDITION for another version of the format. For every accepted `b`,
// Encode(*DecodeUntrusted(b)) == b: there is one spelling of each frame.
absl::StatusOr<SideChannelFrame> DecodeUntrusted(
    std::span<const std::byte, kSideChannelFrameBytes> bytes_untrusted);

}  // namespace anex

#endif  // ANEX_PROTO_WIRE_SIDE_CHANNEL_FRAME_H_
