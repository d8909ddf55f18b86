#include "proto/wire/ring_entry.h"

#include <bit>

namespace anex {
namespace {

// Words of an entry.
//                        submission               completion
// 0                      user_data                user_data
// 1                      target                   queue_ns
// 2                      argument                 device_ns
// 3                      deadline_ns              total_ns
// 4                      verb in the lowest byte  generation
// 5                      -                        steps_done | status << 32 | text_bytes << 40
// 6, 7                   -                        -
constexpr uint64_t kLowByte = 0xFF;
constexpr uint8_t kLastStatus = 16;  // UNAUTHENTICATED

bool NothingFrom(const RingEntryWords& words, size_t first) {
  for (size_t i = first; i < words.size(); ++i) {
    if (words[i] != 0) return false;
  }
  return true;
}

bool TakesArgument(RingVerb verb) { return verb >= RingVerb::kPublish; }

}  // namespace

RingEntryWords Encode(const RingSubmission& submission) {
  return {submission.user_data,
          submission.target,
          submission.argument,
          std::bit_cast<uint64_t>(submission.deadline_ns),
          static_cast<uint64_t>(submission.verb),
          0,
          0,
          0};
}

RingEntryWords Encode(const RingCompletion& completion) {
  return {completion.user_data,
          std::bit_cast<uint64_t>(completion.queue_ns),
          std::bit_cast<uint64_t>(completion.device_ns),
          std::bit_cast<uint64_t>(completion.total_ns),
          completion.generation,
          completion.steps_done | uint64_t{completion.status} << 32 |
              uint64_t{completion.text_bytes} << 40,
          0,
          0};
}

std::string_view DecodeUntrusted(const RingEntryWords& words_untrusted, RingSubmission& to) {
  const RingEntryWords& words = words_untrusted;
  to.user_data = words[0];
  to.target = words[1];
  to.argument = words[2];
  to.deadline_ns = std::bit_cast<int64_t>(words[3]);
  const uint64_t verb = words[4];
  if ((verb & ~kLowByte) != 0 || !NothingFrom(words, 5))
    return "reserved bits of the entry are set";
  if (verb == 0 || verb > kLastRingVerb) return "the entry's verb is unknown";
  to.verb = static_cast<RingVerb>(verb);
  if (!TakesArgument(to.verb) && to.argument != 0) return "this verb takes no argument";
  if (to.deadline_ns < 0) return "deadline_ns is negative";
  return "";
}

std::string_view DecodeUntrusted(const RingEntryWords& words_untrusted, RingCompletion& to) {
  const RingEntryWords& words = words_untrusted;
  to.user_data = words[0];
  to.queue_ns = std::bit_cast<int64_t>(words[1]);
  to.device_ns = std::bit_cast<int64_t>(words[2]);
  to.total_ns = std::bit_cast<int64_t>(words[3]);
  to.generation = words[4];
  to.steps_done = static_cast<uint32_t>(words[5]);
  to.status = static_cast<uint8_t>(words[5] >> 32);
  to.text_bytes = static_cast<uint8_t>(words[5] >> 40);
  if ((words[5] >> 48) != 0 || !NothingFrom(words, 6)) return "reserved bits of the entry are set";
  if (to.status > kLastStatus) return "the status is no canonical code";
  if (to.text_bytes > kRingTextBytes) return "the text is longer than its place";
  return "";
}

}  // namespace anex
