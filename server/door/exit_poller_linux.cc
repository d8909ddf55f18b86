#include <sys/epoll.h>

#include <cerrno>
#include <cstring>
#include <unordered_map>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "proto/shm/doorbell.h"
#include "proto/shm/owned_descriptor.h"
#include "server/door/exit_poller.h"
#include "server/door/process_linux.h"

namespace anex::door {
namespace {

class PidfdPoller final : public ExitPoller {
 public:
  PidfdPoller(shm::OwnedDescriptor epoll, shm::Doorbell interrupt)
      : epoll_(std::move(epoll)), interrupt_(std::move(interrupt)) {}

  absl::Status Arm(int fd, uint64_t id) {
    epoll_event event{};
    // A pidfd stays readable once its process has gone; one shot, so that it is told once.
    event.events = id == 0 ? EPOLLIN : EPOLLIN | EPOLLONESHOT;
    event.data.u64 = id;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return absl::OkStatus();
    return absl::ResourceExhaustedError(absl::StrCat("epoll_ctl: ", strerror(errno)));
  }
  absl::Status ArmInterrupt() { return Arm(interrupt_.poll_descriptor(), 0); }

  absl::Status Add(uint64_t id, int socket, const Peer& peer) override {
    absl::StatusOr<shm::OwnedDescriptor> pidfd = PidfdOfPeer(socket, peer.pid);
    if (!pidfd.ok()) return pidfd.status();
    absl::StatusOr<uint64_t> start_time = StartTimeOf(peer.pid);
    if (!start_time.ok()) return start_time.status();
    if (*start_time != peer.start_time) {
      return absl::UnavailableError("the peer's process has exited");
    }
    absl::MutexLock lock(&mutex_);
    const int fd = pidfd->get();
    if (absl::Status s = Arm(fd, id); !s.ok()) return s;
    pidfds_.emplace(id, *std::move(pidfd));
    return absl::OkStatus();
  }

  void Remove(uint64_t id) override {
    absl::MutexLock lock(&mutex_);
    pidfds_.erase(id);  // closing takes it out of the epoll set
  }

  std::vector<uint64_t> Wait() override {
    epoll_event events[64];
    const int count = ::epoll_wait(epoll_.get(), events, 64, -1);
    std::vector<uint64_t> gone;
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u64 == 0) {
        interrupt_.Drain();
      } else {
        gone.push_back(events[i].data.u64);
        Remove(events[i].data.u64);
      }
    }
    return gone;
  }

  void Interrupt() override { interrupt_.Ring(); }

 private:
  const shm::OwnedDescriptor epoll_;
  const shm::Doorbell interrupt_;
  absl::Mutex mutex_;
  std::unordered_map<uint64_t, shm::OwnedDescriptor> pidfds_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<std::unique_ptr<ExitPoller>> ExitPoller::Create() {
  shm::OwnedDescriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) {
    return absl::ResourceExhaustedError(absl::StrCat("epoll_create1: ", strerror(errno)));
  }
  absl::StatusOr<shm::Doorbell> interrupt = shm::Doorbell::Create();
  if (!interrupt.ok()) return interrupt.status();
  auto poller = std::make_unique<PidfdPoller>(std::move(epoll), *std::move(interrupt));
  if (absl::Status s = poller->ArmInterrupt(); !s.ok()) return s;
  return poller;
}

}  // namespace anex::door
