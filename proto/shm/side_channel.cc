#include "proto/shm/side_channel.h"

#include <poll.h>

#include <algorithm>
#include <chrono>

namespace anex::shm {
namespace {

// What is left of a timeout, on the monotonic clock.
class Countdown {
 public:
  explicit Countdown(absl::Duration timeout)
      : timeout_(timeout), start_(std::chrono::steady_clock::now()) {}
  absl::Duration left() const {
    const absl::Duration spent = absl::FromChrono(std::chrono::steady_clock::now() - start_);
    return std::max(timeout_ - spent, absl::ZeroDuration());
  }

 private:
  const absl::Duration timeout_;
  const std::chrono::steady_clock::time_point start_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<SharedRegion>> SideChannel::MapUntrusted(OwnedDescriptor descriptor,
                                                                        uint64_t minimum_bytes,
                                                                        RegionAccess access) {
  return MapRegionUntrusted(std::move(descriptor), minimum_bytes, access);
}

short SideChannel::PollFor(bool receiving, bool sending) {
  return static_cast<short>((receiving ? POLLIN : 0) | (sending ? POLLOUT : 0));
}

absl::Status SideChannel::Send(const SideChannelFrame& frame, BorrowedDescriptor descriptor,
                               absl::Duration timeout) {
  const Countdown countdown(timeout);
  for (bool taken = false;;) {
    absl::StatusOr<bool> done = taken ? Flush() : TrySend(frame, descriptor);
    if (!done.ok()) return done.status();
    if (*done) {
      if (taken) return absl::OkStatus();
      taken = true;
      continue;
    }
    if (!Wait(WaitFor::kSend, countdown.left())) {
      return absl::DeadlineExceededError("side channel: the peer does not read");
    }
  }
}

absl::StatusOr<ReceivedFrame> SideChannel::Receive(absl::Duration timeout) {
  const Countdown countdown(timeout);
  for (;;) {
    absl::StatusOr<std::optional<ReceivedFrame>> got = TryReceive();
    if (!got.ok()) return got.status();
    if (got->has_value()) return *std::move(*got);
    if (!Wait(WaitFor::kReceive, countdown.left())) {
      return absl::DeadlineExceededError("side channel: the peer sent nothing in time");
    }
  }
}

}  // namespace anex::shm
