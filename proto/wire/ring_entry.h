// The entries of a ring: what goes in and what comes out, 64 bytes each. FORMATS.md has the bytes.
// Pure values, any thread, no allocation.
//
// Invariant: there is one spelling of each entry: every bit that has no meaning is zero, and an
// entry that sets one is refused, so that later versions can give it one.
#ifndef ANEX_PROTO_WIRE_RING_ENTRY_H_
#define ANEX_PROTO_WIRE_RING_ENTRY_H_

#include <array>
#include <cstdint>
#include <string_view>

#include "proto/wire/ring_layout.h"

namespace anex {

using RingEntryWords = std::array<uint64_t, kRingEntryBytes / sizeof(uint64_t)>;

// What a submission asks for. The numbers are those of SubmissionKind.
enum class RingVerb : uint8_t {
  kInvocation = 1,
  kChain = 2,
  kPublish = 3,      // argument: the generation that is expected, 0 = any
  kFenceWait = 4,    // argument: the value
  kFenceSignal = 5,  // argument: the value
};
inline constexpr uint8_t kLastRingVerb = 5;

struct RingSubmission {
  RingVerb verb = RingVerb::kInvocation;
  uint64_t user_data = 0;   // handed back in the completion
  uint64_t target = 0;      // value() of the InvocationId, ChainId, ParameterSetId or FenceId
  uint64_t argument = 0;    // by verb; else 0
  int64_t deadline_ns = 0;  // from acceptance; 0 = the daemon's default

  friend bool operator==(const RingSubmission&, const RingSubmission&) = default;
};

struct RingCompletion {
  uint64_t user_data = 0;
  int64_t queue_ns = 0, device_ns = 0, total_ns = 0;
  uint64_t generation = 0;
  uint32_t steps_done = 0;
  uint8_t status = 0;      // a canonical code; 0 = OK
  uint8_t text_bytes = 0;  // of this entry's text: why it failed; at most kRingTextBytes

  friend bool operator==(const RingCompletion&, const RingCompletion&) = default;
};

RingEntryWords Encode(const RingSubmission& submission);
RingEntryWords Encode(const RingCompletion& completion);

// What is wrong with `words_untrusted`, or "" and the entry in `to`. Even a bad entry gives its
// user_data, so that its completion can be recognised.
std::string_view DecodeUntrusted(const RingEntryWords& words_untrusted, RingSubmission& to);
std::string_view DecodeUntrusted(const RingEntryWords& words_untrusted, RingCompletion& to);

}  // namespace anex

#endif  // ANEX_PROTO_WIRE_RING_ENTRY_H_
