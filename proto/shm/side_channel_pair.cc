// Side channel between two ends of one process: two bounded queues under one lock. Frames still go
// through Encode and DecodeUntrusted, so that both implementations refuse the same frames.
#include <fcntl.h>

#include <cerrno>
#include <deque>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "proto/shm/side_channel.h"

namespace anex::shm {
namespace {

struct Message {
  SideChannelBytes bytes;
  OwnedDescriptor descriptor;
};

// What both ends share. queues[i] holds what end i receives.
struct Shared {
  explicit Shared(size_t capacity) : capacity(capacity) {}
  const size_t capacity;
  absl::Mutex mutex;
  std::deque<Message> queues[2] ABSL_GUARDED_BY(mutex);
  bool closed ABSL_GUARDED_BY(mutex) = false;  // one Shutdown ends both directions
};

absl::StatusOr<ReceivedFrame> Open(Message message) {
  absl::StatusOr<SideChannelFrame> frame = DecodeUntrusted(message.bytes);
  if (!frame.ok()) return frame.status();
  return ReceivedFrame{.frame = *frame, .descriptor = std::move(message.descriptor)};
}

class PairSideChannel final : public SideChannel {
 public:
  PairSideChannel(std::shared_ptr<Shared> shared, int end)
      : shared_(std::move(shared)), end_(end) {}
  ~PairSideChannel() override { Shutdown(); }

  absl::StatusOr<bool> TrySend(const SideChannelFrame& frame,
                               BorrowedDescriptor descriptor) override {
    if (frame.has_descriptor != descriptor.valid()) {
      return absl::InternalError(
          "side channel: the frame's descriptor flag and the descriptor disagree");
    }
    if (descriptor.is_port) {
      return absl::UnimplementedError("side channel: ports go over XPC, not within one process");
    }
    absl::MutexLock lock(&shared_->mutex);
    if (shared_->closed) return absl::UnavailableError("side channel: the peer closed it");
    std::deque<Message>& queue = shared_->queues[1 - end_];
    if (queue.size() >= shared_->capacity) return false;
    Message message{.bytes = Encode(frame)};
    if (descriptor.valid()) {
      message.descriptor = OwnedDescriptor(::fcntl(descriptor.value, F_DUPFD_CLOEXEC, 0));
      if (!message.descriptor.valid()) {
        return absl::ResourceExhaustedError("side channel: out of descriptors");
      }
    }
    queue.push_back(std::move(message));
    return true;
  }

  absl::StatusOr<bool> Flush() override {
    absl::MutexLock lock(&shared_->mutex);
    if (shared_->closed) return absl::UnavailableError("side channel: the peer closed it");
    return true;
  }

  absl::StatusOr<std::optional<ReceivedFrame>> TryReceive() override {
    if (!broken_.ok()) return broken_;
    Message message;
    {
      absl::MutexLock lock(&shared_->mutex);
      std::deque<Message>& queue = shared_->queues[end_];
      if (queue.empty()) {
        if (!shared_->closed) return std::optional<ReceivedFrame>();
        return broken_ = absl::UnavailableError("side channel: the peer closed it");
      }
      message = std::move(queue.front());
      queue.pop_front();
    }
    absl::StatusOr<ReceivedFrame> frame = Open(std::move(message));
    if (!frame.ok()) return broken_ = frame.status();
    return std::optional<ReceivedFrame>(*std::move(frame));
  }

  void Shutdown() override {
    absl::MutexLock lock(&shared_->mutex);
    shared_->closed = true;
  }
  int poll_descriptor() const override { return -1; }

 protected:
  bool Wait(WaitFor what, absl::Duration timeout) override {
    const auto ready = [this, what]() {
      shared_->mutex.AssertReaderHeld();
      return shared_->closed ||
             (what == WaitFor::kReceive ? !shared_->queues[end_].empty()
                                        : shared_->queues[1 - end_].size() < shared_->capacity);
    };
    absl::MutexLock lock(&shared_->mutex);
    return shared_->mutex.AwaitWithTimeout(absl::Condition(&ready), timeout);
  }

 private:
  const std::shared_ptr<Shared> shared_;
  const int end_;
  absl::Status broken_;  // sticky
};

}  // namespace

SideChannelPair MakeSideChannelPair(size_t capacity) {
  auto shared = std::make_shared<Shared>(capacity);
  return {.first = std::make_unique<PairSideChannel>(shared, 0),
          .second = std::make_unique<PairSideChannel>(shared, 1)};
}

}  // namespace anex::shm
