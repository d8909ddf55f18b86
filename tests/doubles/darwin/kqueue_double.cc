// macOS's event queue as far as server/door uses it: exits of processes and one event of the user's
// own. A queue is an epoll set; what it knows of each entry is kept here by its number.
#include <errno.h>
#include <sys/epoll.h>
#include <sys/event.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <mutex>

#include "proto/shm/owned_descriptor.h"

namespace {

using anex::shm::OwnedDescriptor;

constexpr uint64_t kUserMark = uint64_t{1} << 63;

struct Queue {
  std::map<uintptr_t, OwnedDescriptor> processes;
  std::map<uintptr_t, OwnedDescriptor> users;
};

std::mutex mutex;

std::map<int, Queue>& Queues() {
  static auto* queues = new std::map<int, Queue>;
  return *queues;
}

int Refuse(int error) {
  errno = error;
  return -1;
}

int Enter(int kq, int fd, uint64_t mark, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = mark;
  return ::epoll_ctl(kq, EPOLL_CTL_ADD, fd, &event);
}

int AddProcess(int kq, Queue& queue, const struct kevent& change) {
  if (change.fflags != NOTE_EXIT) return Refuse(EINVAL);
  if (queue.processes.contains(change.ident)) return 0;  // one entry a process
  OwnedDescriptor fd(
      static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(change.ident), 0)));
  if (!fd.valid() || Enter(kq, fd.get(), change.ident, EPOLLIN | EPOLLONESHOT) != 0) return -1;
  queue.processes.emplace(change.ident, std::move(fd));
  return 0;
}

int ChangeUser(int kq, Queue& queue, const struct kevent& change) {
  if (change.flags & EV_ADD) {
    OwnedDescriptor fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!fd.valid() || Enter(kq, fd.get(), kUserMark | change.ident, EPOLLIN) != 0) return -1;
    queue.users.insert_or_assign(change.ident, std::move(fd));
  }
  const auto found = queue.users.find(change.ident);
  if (found == queue.users.end()) return Refuse(ENOENT);
  const uint64_t one = 1;
  if (change.fflags & NOTE_TRIGGER) return ::write(found->second.get(), &one, 8) == 8 ? 0 : -1;
  return 0;
}

int Change(int kq, Queue& queue, const struct kevent& change) {
  if (change.filter == EVFILT_USER) return ChangeUser(kq, queue, change);
  if (change.filter != EVFILT_PROC) return Refuse(EINVAL);
  if (change.flags & EV_ADD) return AddProcess(kq, queue, change);
  return queue.processes.erase(change.ident) == 1 ? 0 : Refuse(ENOENT);
}

// Takes what epoll tells of one entry out of the queue, as EV_ONESHOT and EV_CLEAR do.
struct kevent Deliver(Queue& queue, uint64_t mark) {
  struct kevent event {};
  event.ident = static_cast<uintptr_t>(mark & ~kUserMark);
  if (mark & kUserMark) {
    event.filter = EVFILT_USER;
    uint64_t rings = 0;
    (void)!::read(queue.users.at(event.ident).get(), &rings, sizeof(rings));
  } else {
    event.filter = EVFILT_PROC;
    event.fflags = NOTE_EXIT;
    queue.processes.erase(event.ident);
  }
  return event;
}

}  // namespace

int kqueue(void) {
  const int kq = ::epoll_create1(0);  // not closed on exec, as there
  const std::lock_guard lock(mutex);
  if (kq >= 0) Queues()[kq] = Queue();
  return kq;
}

int kevent(int kq, const struct kevent* changelist, int nchanges, struct kevent* eventlist,
           int nevents, const struct timespec* timeout) {
  {
    const std::lock_guard lock(mutex);
    const auto queue = Queues().find(kq);
    if (queue == Queues().end()) return Refuse(EBADF);
    for (int i = 0; i < nchanges; ++i) {
      if (Change(kq, queue->second, changelist[i]) != 0) return -1;
    }
  }
  if (nevents == 0) return 0;
  if (timeout != nullptr || nevents > 64) return Refuse(EINVAL);  // nobody here asks for it
  epoll_event ready[64];
  const int count = ::epoll_wait(kq, ready, nevents, -1);
  const std::lock_guard lock(mutex);
  for (int i = 0; i < count; ++i) eventlist[i] = Deliver(Queues()[kq], ready[i].data.u64);
  return count;
}
