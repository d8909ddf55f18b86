#include <fcntl.h>
#include <sys/event.h>

#include <cerrno>
#include <cstring>
#include <unordered_map>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "proto/shm/owned_descriptor.h"
#include "server/door/exit_poller.h"

namespace anex::door {
namespace {

constexpr uintptr_t kInterrupt = 1;  // ident of the user event; processes use another filter

// kqueue knows one entry per process, so several watches of one process (a client with several
// connections) share it.
class KqueuePoller final : public ExitPoller {
 public:
  explicit KqueuePoller(shm::OwnedDescriptor queue) : queue_(std::move(queue)) {}

  int Change(uintptr_t ident, int16_t filter, uint16_t flags, uint32_t fflags) {
    struct kevent change;
    EV_SET(&change, ident, filter, flags, fflags, 0, nullptr);
    return ::kevent(queue_.get(), &change, 1, nullptr, 0, nullptr);
  }

  absl::Status Add(uint64_t id, int socket, const Peer& peer) override {
    absl::MutexLock lock(&mutex_);
    if (Change(static_cast<uintptr_t>(peer.pid), EVFILT_PROC, EV_ADD | EV_ONESHOT, NOTE_EXIT) !=
        0) {
      return absl::UnavailableError(
          absl::StrCat("the peer's process has exited: ", strerror(errno)));
    }
    // Only now is it sure that a later exit is told; was this still the same process?
    absl::StatusOr<Peer> now = PeerOf(socket);
    if (!now.ok()) return now.status();
    if (*now != peer) return absl::UnavailableError("the peer's process has exited");
    watches_.emplace(id, peer.pid);
    return absl::OkStatus();
  }

  void Remove(uint64_t id) override {
    absl::MutexLock lock(&mutex_);
    watches_.erase(id);  // an exit that nobody watches any more is told to nobody
  }

  std::vector<uint64_t> Wait() override {
    struct kevent events[64];
    const int count = ::kevent(queue_.get(), nullptr, 0, events, 64, nullptr);
    std::vector<uint64_t> gone;
    absl::MutexLock lock(&mutex_);
    for (int i = 0; i < count; ++i) {
      if (events[i].filter != EVFILT_PROC) continue;
      for (auto it = watches_.begin(); it != watches_.end();) {
        if (it->second != static_cast<int64_t>(events[i].ident)) {
          ++it;
          continue;
        }
        gone.push_back(it->first);
        it = watches_.erase(it);
      }
    }
    return gone;
  }

  void Interrupt() override { Change(kInterrupt, EVFILT_USER, 0, NOTE_TRIGGER); }

 private:
  const shm::OwnedDescriptor queue_;
  absl::Mutex mutex_;
  std::unordered_map<uint64_t, int64_t> watches_ ABSL_GUARDED_BY(mutex_);  // id -> pid
};

}  // namespace

absl::StatusOr<std::unique_ptr<ExitPoller>> ExitPoller::Create() {
  shm::OwnedDescriptor queue(::kqueue());
  if (!queue.valid()) {
    return absl::ResourceExhaustedError(absl::StrCat("kqueue: ", strerror(errno)));
  }
  ::fcntl(queue.get(), F_SETFD, FD_CLOEXEC);
  auto poller = std::make_unique<KqueuePoller>(std::move(queue));
  if (poller->Change(kInterrupt, EVFILT_USER, EV_ADD | EV_CLEAR, 0) != 0) {
    return absl::InternalError(absl::StrCat("kevent: ", strerror(errno)));
  }
  return poller;
}

}  // namespace anex::door
