#include "proto/wire/side_channel_frame.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "proto/wire/tensor_layout.h"

namespace anex {
namespace {

// Offsets of the fields; little-endian.
constexpr size_t kMagicAt = 0;     // u32
constexpr size_t kVersionAt = 4;   // u8
constexpr size_t kKindAt = 5;      // u8
constexpr size_t kFlagsAt = 6;     // u16
constexpr size_t kRequestAt = 8;   // u32
constexpr size_t kStatusAt = 12;   // u8
constexpr size_t kReasonAt = 13;   // u8
constexpr size_t kPadAt = 14;      // u16, zero
constexpr size_t kBytesAt = 16;    // u64
constexpr size_t kReserveAt = 24;  // u64, zero
constexpr size_t kTokenAt = 32;    // 32 bytes
static_assert(kTokenAt + sizeof(SideChannelToken) == kSideChannelFrameBytes);

constexpr uint16_t kFlagDescriptor = 1;
constexpr uint16_t kFlagWritable = 2;
constexpr uint8_t kLastStatus = static_cast<uint8_t>(absl::StatusCode::kUnauthenticated);  // 16

void Put(SideChannelBytes& to, size_t at, uint64_t value, size_t width) {
  for (size_t i = 0; i < width; ++i) to[at + i] = static_cast<std::byte>(value >> (8 * i));
}

uint64_t Get(const SideChannelBytes& from, size_t at, size_t width) {
  uint64_t value = 0;
  for (size_t i = 0; i < width; ++i) value |= std::to_integer<uint64_t>(from[at + i]) << (8 * i);
  return value;
}

// Which fields a kind uses. A field that is not used must be zero.
struct KindRule {
  bool request, token, bytes, writable, status, reason, descriptor;
};

constexpr KindRule RuleOf(FrameKind kind) {
  switch (kind) {
    case FrameKind::kHello:
      return {.token = true};
    case FrameKind::kClaim:
      return {.request = true, .token = true};
    case FrameKind::kDeliver:
      return {.request = true,
              .token = true,
              .bytes = true,
              .writable = true,
              .status = true,
              .descriptor = true};
    case FrameKind::kOffer:
      return {.request = true, .bytes = true, .writable = true, .descriptor = true};
    case FrameKind::kAccepted:
      return {.request = true, .token = true, .bytes = true};
    case FrameKind::kRefused:
      return {.request = true, .status = true};
    case FrameKind::kBye:
      return {.status = true, .reason = true};
    case FrameKind::kBell:
      return {.request = true, .token = true, .descriptor = true};
    case FrameKind::kWelcome:
    case FrameKind::kWake:
      return {};
  }
  return {};
}

absl::Status Wrong(const SideChannelFrame& frame, std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(
      "side-channel frame ", std::string(FrameKindName(frame.kind)), ": ", std::string(what)));
}

absl::Status CheckUnusedAreZero(const SideChannelFrame& f, const KindRule& rule) {
  if (!rule.request && f.request != 0) return Wrong(f, "request must be 0");
  if (!rule.token && f.token != SideChannelToken{}) return Wrong(f, "token must be 0");
  if (!rule.bytes && f.bytes != 0) return Wrong(f, "bytes must be 0");
  if (!rule.writable && f.writable) return Wrong(f, "the writable flag must be 0");
  if (!rule.status && f.status != absl::StatusCode::kOk) return Wrong(f, "status must be 0");
  if (!rule.reason && f.reason != ByeReason::kNone) return Wrong(f, "reason must be 0");
  if (!rule.descriptor && f.has_descriptor) return Wrong(f, "the descriptor flag must be 0");
  return absl::OkStatus();
}

// What depends on several fields at once: memory comes with a size and a descriptor, a failure with
// neither.
absl::Status CheckTogether(const SideChannelFrame& f, const KindRule& rule) {
  const bool ok = f.status == absl::StatusCode::kOk;
  if (f.kind == FrameKind::kRefused && ok) return Wrong(f, "status must say why");
  if (f.kind == FrameKind::kBye) {
    if (f.reason == ByeReason::kNone) return Wrong(f, "reason is missing");
    if (ok == (f.reason == ByeReason::kRefused)) {
      return Wrong(f, "status goes with the reason \"refused\" and with no other");
    }
  }
  if (rule.descriptor && ok != f.has_descriptor) {
    return Wrong(f, ok ? "the descriptor flag is missing" : "a failure carries no descriptor");
  }
  if (rule.bytes && ok && f.bytes == 0) return Wrong(f, "bytes must not be 0");
  if (!ok && (f.bytes != 0 || f.writable)) return Wrong(f, "a failure carries no memory");
  if (f.bytes > kMaxAllocation) {
    return Wrong(f, absl::StrCat("bytes ", f.bytes, " is more than the format allows (",
                                 kMaxAllocation, ")"));
  }
  return absl::OkStatus();
}

absl::Status CheckHead(const SideChannelBytes& b) {
  if (const uint64_t magic = Get(b, kMagicAt, 4); magic != kSideChannelMagic) {
    return absl::InvalidArgumentError(absl::StrCat(
        "side-channel frame: magic is 0x", absl::Hex(magic), ", not \"ANXS\": not a frame"));
  }
  if (const uint64_t version = Get(b, kVersionAt, 1); version != kSideChannelVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("side-channel frame: version ", version, ", this side speaks ",
                     kSideChannelVersion, ": client and daemon must be of matching releases"));
  }
  const uint64_t kind = Get(b, kKindAt, 1);
  if (kind < 1 || kind > kLastFrameKind) {
    return absl::InvalidArgumentError(absl::StrCat("side-channel frame: unknown kind ", kind));
  }
  if (Get(b, kFlagsAt, 2) & ~uint64_t{kFlagDescriptor | kFlagWritable}) {
    return absl::InvalidArgumentError("side-channel frame: unknown flags");
  }
  if (Get(b, kStatusAt, 1) > kLastStatus) {
    return absl::InvalidArgumentError("side-channel frame: status is no canonical code");
  }
  if (Get(b, kReasonAt, 1) > kLastByeReason) {
    return absl::InvalidArgumentError("side-channel frame: unknown reason");
  }
  if (Get(b, kPadAt, 2) != 0 || Get(b, kReserveAt, 8) != 0) {
    return absl::InvalidArgumentError("side-channel frame: reserved bytes must be 0");
  }
  return absl::OkStatus();
}

}  // namespace

std::optional<SideChannelToken> SideChannelTokenFromBytes(std::string_view bytes) {
  SideChannelToken token;
  if (bytes.size() != token.size()) return std::nullopt;
  std::memcpy(token.data(), bytes.data(), token.size());
  return token;
}

std::string SideChannelTokenToBytes(const SideChannelToken& token) {
  return std::string(token.begin(), token.end());
}

std::string_view FrameKindName(FrameKind kind) {
  static constexpr std::array<std::string_view, kLastFrameKind + 1> kNames = {
      "?",        "hello",   "welcome", "claim", "deliver", "offer",
      "accepted", "refused", "wake",    "bye",   "bell"};
  const size_t i = static_cast<size_t>(kind);
  return i < kNames.size() ? kNames[i] : kNames[0];
}

std::string_view ByeReasonName(ByeReason reason) {
  static constexpr std::array<std::string_view, kLastByeReason + 1> kNames = {
      "none",     "closed",         "refused", "evicted",
      "draining", "protocol error", "timeout", "overloaded"};
  const size_t i = static_cast<size_t>(reason);
  return i < kNames.size() ? kNames[i] : "?";
}

SideChannelFrame SideChannelFrame::Hello(const SideChannelToken& token) {
  return {.kind = FrameKind::kHello, .token = token};
}
SideChannelFrame SideChannelFrame::Welcome() { return {.kind = FrameKind::kWelcome}; }
SideChannelFrame SideChannelFrame::Claim(uint32_t request, const SideChannelToken& token) {
  return {.kind = FrameKind::kClaim, .request = request, .token = token};
}
SideChannelFrame SideChannelFrame::Deliver(uint32_t request, const SideChannelToken& token,
                                           uint64_t bytes, bool writable) {
  return {.kind = FrameKind::kDeliver,
          .has_descriptor = true,
          .writable = writable,
          .request = request,
          .bytes = bytes,
          .token = token};
}
SideChannelFrame SideChannelFrame::DeliverError(uint32_t request, const SideChannelToken& token,
                                                absl::StatusCode status) {
  return {.kind = FrameKind::kDeliver, .status = status, .request = request, .token = token};
}
SideChannelFrame SideChannelFrame::Bell(uint32_t request, const SideChannelToken& token) {
  return {.kind = FrameKind::kBell, .has_descriptor = true, .request = request, .token = token};
}
SideChannelFrame SideChannelFrame::Offer(uint32_t request, uint64_t bytes, bool writable) {
  return {.kind = FrameKind::kOffer,
          .has_descriptor = true,
          .writable = writable,
          .request = request,
          .bytes = bytes};
}
SideChannelFrame SideChannelFrame::Accepted(uint32_t request, const SideChannelToken& token,
                                            uint64_t bytes) {
  return {.kind = FrameKind::kAccepted, .request = request, .bytes = bytes, .token = token};
}
SideChannelFrame SideChannelFrame::Refused(uint32_t request, absl::StatusCode status) {
  return {.kind = FrameKind::kRefused, .status = status, .request = request};
}
SideChannelFrame SideChannelFrame::Wake() { return {.kind = FrameKind::kWake}; }
SideChannelFrame SideChannelFrame::Bye(ByeReason reason, absl::StatusCode status) {
  return {.kind = FrameKind::kBye, .reason = reason, .status = status};
}

SideChannelBytes Encode(const SideChannelFrame& frame) {
  SideChannelBytes out{};
  Put(out, kMagicAt, kSideChannelMagic, 4);
  Put(out, kVersionAt, kSideChannelVersion, 1);
  Put(out, kKindAt, static_cast<uint8_t>(frame.kind), 1);
  Put(out, kFlagsAt,
      (frame.has_descriptor ? kFlagDescriptor : 0) | (frame.writable ? kFlagWritable : 0), 2);
  Put(out, kRequestAt, frame.request, 4);
  Put(out, kStatusAt, static_cast<uint64_t>(frame.status), 1);
  Put(out, kReasonAt, static_cast<uint8_t>(frame.reason), 1);
  Put(out, kBytesAt, frame.bytes, 8);
  std::memcpy(out.data() + kTokenAt, frame.token.data(), frame.token.size());
  return out;
}

absl::StatusOr<SideChannelFrame> DecodeUntrusted(
    std::span<const std::byte, kSideChannelFrameBytes> bytes_untrusted) {
  SideChannelBytes b;
  std::copy(bytes_untrusted.begin(), bytes_untrusted.end(), b.begin());
  if (absl::Status head = CheckHead(b); !head.ok()) return head;
  SideChannelFrame frame;
  const uint64_t flags = Get(b, kFlagsAt, 2);
  frame.kind = static_cast<FrameKind>(Get(b, kKindAt, 1));
  frame.has_descriptor = flags & kFlagDescriptor;
  frame.writable = flags & kFlagWritable;
  frame.reason = static_cast<ByeReason>(Get(b, kReasonAt, 1));
  frame.status = static_cast<absl::StatusCode>(Get(b, kStatusAt, 1));
  frame.request = static_cast<uint32_t>(Get(b, kRequestAt, 4));
  frame.bytes = Get(b, kBytesAt, 8);
  std::memcpy(frame.token.data(), b.data() + kTokenAt, frame.token.size());
  const KindRule rule = RuleOf(frame.kind);
  if (absl::Status s = CheckUnusedAreZero(frame, rule); !s.ok()) return s;
  if (absl::Status s = CheckTogether(frame, rule); !s.ok()) return s;
  return frame;
}

}  // namespace anex
