// clang-format off
// A ring: a submission queue and a completion queue in one block of memory that the daemon makes
// and both sides map. It is one lane of its session. The client puts submissions in, the daemon
// takes them out and puts one completion in for each; neither makes a system call unless the other
// side sleeps.
//
//   byte  word                written by  means
//      0  RingHeader          daemon      once, before the hand-over; the client reads it once
//     64  submission_tail     client      submissions put in, ever (mod 2^32)
//    128  submission_head     daemon      submissions taken out, ever
//    192  daemon_asleep       both        1: ring the doorbell after putting something in
//    256  completion_tail     daemon      completions put in, ever
//    320  completion_head     client      completions taken out, ever
//    384  client_asleep       both        1: the client waits on client_wake
//    448  client_wake         daemon      wake-ups, ever: the word that the client waits on (the
//                                         client counts it up to wake its own thread)
//    512  state               daemon      RingState: open until it is not
//    576  submission entries  client      [submission_entries] of 64 bytes
//     +   completion entries  daemon      [completion_entries] of 64 bytes
//     +   completion texts    daemon      [completion_entries] of 192 bytes, of failed ones only
//
// Each word has a cache line of its own, so that the sides do not slow each other by writing. The
// place of the n-th entry is n mod entries; entries are powers of two, so the counters may wrap.
//
// Ordering. An entry is written, then its tail is stored with release; the reader loads the tail
// with acquire, then reads the entry. A head is stored with release after the entries before it
// were copied out; the writer loads it with acquire before it writes there again.
//
// Sleeping. The sleeper sets its flag, then looks at the tail (and the state) once more, then
// sleeps; the writer stores the tail, then looks at the flag. All four are sequentially consistent:
// at least one side sees the other. Whoever wakes the other clears the flag first, so that a batch
// costs one wake-up. The client reads client_wake before it sets its flag and sleeps only while the
// word holds that value; the daemon counts it up before it wakes: no wake-up is lost, not that of a
// closing ring either. The daemon sleeps on the doorbell, which stays rung.
//
// Sleeping for want of room. The daemon also sleeps while submissions wait and there is no place
// for their completions. Who takes completions out must ring then, and may be another thread than
// who put the submissions in:
//
//   submitter S             daemon D                     taker T
//   tail = t                daemon_asleep = 1            completion_head = h + 1
//   daemon_asleep? ring     tail?  t: something waits    tail? more than submission_head: waits
//                           completion_head?  h: no room daemon_asleep? ring
//
// All of it is sequentially consistent, T's look at the tail too. If D sleeps it has seen t and h,
// so in the one order of all these S's store comes before D's looks and those before T's store: T
// sees t or more and the flag, and rings. A plainer load of the tail could be done before T's own
// store on a machine that reorders the two (ARM), find nothing waiting, and T would let D sleep on.
// T's look at submission_head needs no order: an old value makes it ring for nothing at worst, and
// none is above what D has taken.
//
// What a lying peer can do. The daemon keeps its own copies of all that it wrote and of the geometry
// and never reads them back. From the client it reads: submission_tail (more than
// submission_entries ahead: the ring is broken and closed), entries (copied once, then decoded and
// checked), completion_head (not between its last value and completion_tail: broken), client_asleep
// (a lie costs a needless system call, or the client its wake-up) and daemon_asleep (a client that
// clears it is served late). It can harm its own lane only. The client in turn trusts the daemon,
// which owns the device.
//
// Back-pressure. A submission is taken only when there is a place for its completion, so that
// posting one never waits: a client that takes no completions stops being served.
// clang-format on
#ifndef ANEX_PROTO_WIRE_RING_LAYOUT_H_
#define ANEX_PROTO_WIRE_RING_LAYOUT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"

namespace anex {

inline constexpr uint32_t kRingMagic = 0x52584E41;  // "ANXR" in the order of the bytes
inline constexpr uint32_t kRingLayoutVersion = 1;
inline constexpr uint32_t kMostRingEntries = 4096;  // 1 MiB of completions and texts
inline constexpr size_t kRingEntryBytes = 64;       // one cache line
inline constexpr size_t kRingTextBytes = 192;

enum class RingState : uint32_t {
  kOpen = 0,
  kClosed = 1,  // by Rings.Close, the end of the session, or a daemon that goes down
  kBroken = 2,  // the client's counters made no sense
};

struct RingHeader {
  uint32_t magic, version;
  uint32_t submission_entries, completion_entries;
  uint32_t submissions_at, completions_at, texts_at;  // bytes from the start
  uint32_t bytes;                                     // all
};
static_assert(sizeof(RingHeader) == 32);

// One entry, as words: they are copied one by one, because the other side may be writing.
struct alignas(kRingEntryBytes) RingSlot {
  std::atomic<uint64_t> words[kRingEntryBytes / sizeof(uint64_t)];
};
static_assert(sizeof(RingSlot) == kRingEntryBytes);

struct alignas(64) RingWord {
  std::atomic<uint32_t> value;
};

// The fixed part.
struct RingFrame {
  alignas(64) RingHeader header;
  RingWord submission_tail, submission_head, daemon_asleep;
  RingWord completion_tail, completion_head, client_asleep;
  RingWord client_wake, state;
};
static_assert(sizeof(RingFrame) == 576 && offsetof(RingFrame, submission_tail) == 64 &&
              offsetof(RingFrame, completion_tail) == 256 && offsetof(RingFrame, state) == 512);
static_assert(std::atomic<uint64_t>::is_always_lock_free && sizeof(std::atomic<uint64_t>) == 8);
static_assert(std::atomic<uint32_t>::is_always_lock_free && sizeof(std::atomic<uint32_t>) == 4);

// Where everything stands, for given sizes.
struct RingGeometry {
  uint32_t submission_entries = 0, completion_entries = 0;

  // INVALID_ARGUMENT unless both are powers of two from 1 to kMostRingEntries and there are at
  // least as many completions as submissions.
  static absl::StatusOr<RingGeometry> Make(uint32_t submission_entries,
                                           uint32_t completion_entries);
  // What a header says, checked against the size of the memory that it came in. INVALID_ARGUMENT,
  // or FAILED_PRECONDITION for another version of the layout.
  static absl::StatusOr<RingGeometry> FromHeader(const RingHeader& header_untrusted,
                                                 uint64_t region_bytes);
  RingHeader Header() const;

  uint32_t submissions_at() const { return sizeof(RingFrame); }
  uint32_t completions_at() const {
    return submissions_at() + submission_entries * static_cast<uint32_t>(kRingEntryBytes);
  }
  uint32_t texts_at() const {
    return completions_at() + completion_entries * static_cast<uint32_t>(kRingEntryBytes);
  }
  uint32_t bytes() const {
    return texts_at() + completion_entries * static_cast<uint32_t>(kRingTextBytes);
  }
};

}  // namespace anex

#endif  // ANEX_PROTO_WIRE_RING_LAYOUT_H_
