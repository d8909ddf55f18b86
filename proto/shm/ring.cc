#include "proto/shm/ring.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"

namespace anex::shm {
namespace {

using Clock = std::chrono::steady_clock;

RingEntryWords CopyOut(const RingSlot& slot) {
  RingEntryWords words;
  for (size_t i = 0; i < words.size(); ++i)
    words[i] = slot.words[i].load(std::memory_order_relaxed);
  return words;
}

void CopyIn(RingSlot& slot, const RingEntryWords& words) {
  for (size_t i = 0; i < words.size(); ++i)
    slot.words[i].store(words[i], std::memory_order_relaxed);
}

// Sequentially consistent on both sides (see ring_layout.h); the flag is cleared by whoever wakes.
bool TakeAsleep(RingWord& flag) {
  return flag.value.load(std::memory_order_seq_cst) != 0 &&
         flag.value.exchange(0, std::memory_order_seq_cst) != 0;
}

}  // namespace

RingParts::RingParts(std::byte* base, const RingGeometry& geometry)
    : frame(reinterpret_cast<RingFrame*>(base)),
      submissions(reinterpret_cast<RingSlot*>(base + geometry.submissions_at())),
      completions(reinterpret_cast<RingSlot*>(base + geometry.completions_at())),
      texts(reinterpret_cast<char*>(base + geometry.texts_at())),
      submission_mask(geometry.submission_entries - 1),
      completion_mask(geometry.completion_entries - 1) {}

// --- The client's end ---

absl::StatusOr<std::unique_ptr<ClientRing>> ClientRing::Attach(std::shared_ptr<SharedRegion> region,
                                                               Doorbell doorbell) {
  if (region->size() < sizeof(RingFrame)) {
    return absl::InvalidArgumentError(
        absl::StrCat("a ring does not fit into ", region->size(), " bytes"));
  }
  RingHeader header;
  std::memcpy(&header, region->data(), sizeof(header));
  const absl::StatusOr<RingGeometry> geometry = RingGeometry::FromHeader(header, region->size());
  if (!geometry.ok()) return geometry.status();
  return std::unique_ptr<ClientRing>(
      new ClientRing(std::move(region), std::move(doorbell), *geometry));
}

ClientRing::ClientRing(std::shared_ptr<SharedRegion> region, Doorbell doorbell,
                       const RingGeometry& geometry)
    : region_(std::move(region)),
      doorbell_(std::move(doorbell)),
      geometry_(geometry),
      parts_(region_->data(), geometry) {}

void ClientRing::RingIfAsleep() {
  if (TakeAsleep(parts_.frame->daemon_asleep)) doorbell_.Ring();
}

size_t ClientRing::Submit(std::span<const RingSubmission> submissions) {
  const uint32_t tail = submitted_;
  const uint32_t head = parts_.frame->submission_head.value.load(std::memory_order_acquire);
  const uint32_t used = tail - head;
  const size_t places =
      used < geometry_.submission_entries ? geometry_.submission_entries - used : 0;
  const uint32_t count = static_cast<uint32_t>(std::min(places, submissions.size()));
  if (count == 0) return 0;
  for (uint32_t i = 0; i < count; ++i) CopyIn(parts_.submission(tail + i), Encode(submissions[i]));
  submitted_ = tail + count;
  parts_.frame->submission_tail.value.store(tail + count, std::memory_order_seq_cst);
  RingIfAsleep();
  return count;
}

bool ClientRing::Something() const {
  return parts_.frame->completion_tail.value.load(std::memory_order_acquire) != taken_;
}

bool ClientRing::Take(Taken& to) {
  if (!Something()) return false;
  const std::string_view wrong = DecodeUntrusted(CopyOut(parts_.completion(taken_)), to.completion);
  if (wrong.empty()) {
    const size_t bytes = to.completion.text_bytes;
    std::memcpy(text_, parts_.text(taken_), bytes);
    to.text = {text_, bytes};
  } else {
    to.completion.status = static_cast<uint8_t>(absl::StatusCode::kInternal);
    to.text = wrong;
  }
  ++taken_;
  parts_.frame->completion_head.value.store(taken_, std::memory_order_seq_cst);
  // The daemon leaves submissions where they are while there is no place for their completions; the
  // look at the tail must not come before the store above ("sleeping for want of room").
  const uint32_t put_in = parts_.frame->submission_tail.value.load(std::memory_order_seq_cst);
  const uint32_t seen = parts_.frame->submission_head.value.load(std::memory_order_relaxed);
  if (seen != put_in) RingIfAsleep();
  return true;
}

bool ClientRing::Wait(absl::Duration timeout) {
  if (timeout <= absl::ZeroDuration()) return Something();
  const Clock::time_point until =
      Clock::now() + absl::ToChronoNanoseconds(std::min(timeout, absl::Hours(24)));
  YieldingLook look(waits_);
  if (look.For([this] { return Something() || state() != RingState::kOpen; },
               absl::ToChronoNanoseconds(timeout))) {
    return Something();
  }
  RingFrame& frame = *parts_.frame;
  while (true) {
    const uint32_t wakes = frame.client_wake.value.load(std::memory_order_seq_cst);
    frame.client_asleep.value.store(1, std::memory_order_seq_cst);
    const uint32_t tail = frame.completion_tail.value.load(std::memory_order_seq_cst);
    const bool open = state() == RingState::kOpen;
    const auto left = until - Clock::now();
    if (tail != taken_ || !open || left <= left.zero()) break;
    WaitOnWord(frame.client_wake.value, wakes, absl::FromChrono(left));
  }
  frame.client_asleep.value.store(0, std::memory_order_relaxed);
  const bool came = Something();
  look.Slept(came);
  return came;
}

// The word counts up after the flag is set: a waiter that has read it before sees it differ.
void ClientRing::Abandon() {
  abandoned_.store(true, std::memory_order_seq_cst);
  parts_.frame->client_wake.value.fetch_add(1, std::memory_order_seq_cst);
  WakeAll(parts_.frame->client_wake.value);
}

// --- The daemon's end ---

absl::StatusOr<std::unique_ptr<DaemonRing>> DaemonRing::Create(const RingGeometry& geometry,
                                                               std::string_view label) {
  absl::StatusOr<std::shared_ptr<SharedRegion>> region = CreateRegion(geometry.bytes(), label);
  if (!region.ok()) return region.status();
  return std::make_unique<DaemonRing>(*std::move(region), geometry);
}

DaemonRing::DaemonRing(std::shared_ptr<SharedRegion> region, const RingGeometry& geometry)
    : region_(std::move(region)), geometry_(geometry), parts_(region_->data(), geometry) {
  const RingHeader header = geometry.Header();
  std::memcpy(region_->data(), &header, sizeof(header));
}

absl::Status DaemonRing::Break(std::string_view what) {
  Close(RingState::kBroken);
  return absl::DataLossError(absl::StrCat("the ring is broken: ", std::string(what)));
}

// Something waits and has a place, or makes no sense.
bool DaemonRing::Takable(uint32_t tail_untrusted, uint32_t head_untrusted) const {
  const uint32_t waiting = tail_untrusted - taken_;
  if (waiting == 0) return false;
  if (waiting > geometry_.submission_entries) return true;
  if (head_untrusted - last_head_ > posted_.load(std::memory_order_acquire) - last_head_) {
    return true;
  }
  return taken_ - head_untrusted < geometry_.completion_entries;
}

bool DaemonRing::HasSubmissions() const {
  const RingFrame& frame = *parts_.frame;
  return Takable(frame.submission_tail.value.load(std::memory_order_acquire),
                 frame.completion_head.value.load(std::memory_order_acquire));
}

absl::StatusOr<size_t> DaemonRing::Take(std::span<RingEntryWords> out) {
  if (state() == RingState::kBroken) return absl::DataLossError("the ring is broken");
  RingFrame& frame = *parts_.frame;
  const uint32_t tail_untrusted = frame.submission_tail.value.load(std::memory_order_acquire);
  const uint32_t head_untrusted = frame.completion_head.value.load(std::memory_order_acquire);
  const uint32_t waiting = tail_untrusted - taken_;
  if (waiting == 0) return 0;
  if (waiting > geometry_.submission_entries) {
    return Break(absl::StrCat("submission_tail is ", waiting, " ahead, the ring has ",
                              geometry_.submission_entries, " entries"));
  }
  const uint32_t posted = posted_.load(std::memory_order_acquire);
  if (head_untrusted - last_head_ > posted - last_head_) {
    return Break("completion_head is not between its last value and completion_tail");
  }
  last_head_ = head_untrusted;
  // Promised: every entry ever taken, less the completions that the client has taken out.
  const uint32_t room = geometry_.completion_entries - (taken_ - head_untrusted);
  const uint32_t count = static_cast<uint32_t>(std::min<size_t>({waiting, room, out.size()}));
  for (uint32_t i = 0; i < count; ++i) out[i] = CopyOut(parts_.submission(taken_ + i));
  taken_ += count;
  frame.submission_head.value.store(taken_, std::memory_order_release);
  return count;
}

void DaemonRing::Post(RingCompletion completion, std::string_view text) {
  const uint32_t n = posted_.load(std::memory_order_relaxed);
  const size_t bytes = std::min(text.size(), kRingTextBytes);
  completion.text_bytes = static_cast<uint8_t>(bytes);
  std::memcpy(parts_.text(n), text.data(), bytes);
  CopyIn(parts_.completion(n), Encode(completion));
  posted_.store(n + 1, std::memory_order_release);
  parts_.frame->completion_tail.value.store(n + 1, std::memory_order_seq_cst);
}

// One thread of the client takes completions out; others that it parks on the word are not woken at
// the daemon's cost.
void DaemonRing::Wake() {
  parts_.frame->client_wake.value.fetch_add(1, std::memory_order_seq_cst);
  WakeOne(parts_.frame->client_wake.value);
}

void DaemonRing::WakeClient() {
  if (TakeAsleep(parts_.frame->client_asleep)) Wake();
}

bool DaemonRing::PrepareToSleep() {
  RingFrame& frame = *parts_.frame;
  frame.daemon_asleep.value.store(1, std::memory_order_seq_cst);
  const uint32_t tail = frame.submission_tail.value.load(std::memory_order_seq_cst);
  const uint32_t head = frame.completion_head.value.load(std::memory_order_seq_cst);
  // Nothing came, or what came has no place for its completion: the client rings when it has made
  // one.
  if (!Takable(tail, head)) return true;
  Awake();
  return false;
}

void DaemonRing::Awake() { parts_.frame->daemon_asleep.value.store(0, std::memory_order_relaxed); }

void DaemonRing::Close(RingState state) {
  RingState open = RingState::kOpen;
  if (!state_.compare_exchange_strong(open, state)) return;
  RingFrame& frame = *parts_.frame;
  frame.state.value.store(static_cast<uint32_t>(state), std::memory_order_seq_cst);
  Wake();  // whatever its flag says
}

}  // namespace anex::shm
