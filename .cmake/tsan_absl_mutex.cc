// Tells ThreadSanitizer about absl::Mutex, in builds with -DANEX_SANITIZE=thread only.
//
// The distribution's Abseil is not instrumented, so TSan sees none of its locking and reports every
// member that a Mutex guards. A lock says so itself through __tsan_mutex_*; Abseil does, if it is
// built for TSan. Here the same is done from outside: these definitions come before those of
// libabsl_synchronization.so in the order of symbols, tell TSan, and call the real ones.
//
// Between pre_* and post_* TSan looks away. So the conditions that the real Unlock evaluates for
// waiting threads are not taken for accesses without the lock.
#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

namespace {

// The next definition of the symbol that `mine` is: Abseil's own. Its name is taken from the symbol
// table, because it contains an inline namespace that differs from release to release.
template <typename Member>
Member Real(Member mine) {
  static_assert(sizeof(Member) == 2 * sizeof(void*));  // address and offset to this
  void* address;
  std::memcpy(&address, &mine, sizeof(address));
  Dl_info info;
  void* next = nullptr;
  if (::dladdr(address, &info) != 0 && info.dli_sname != nullptr) {
    next = ::dlsym(RTLD_NEXT, info.dli_sname);
  }
  if (next == nullptr || next == address) {
    std::fprintf(stderr, "tsan_absl_mutex: Abseil's own definition was not found\n");
    std::abort();
  }
  std::memcpy(&mine, &next, sizeof(next));
  return mine;
}

// Abseil's functions call one another through the same symbols: only the outermost call is told.
thread_local int depth = 0;

class Told {
 public:
  Told() { ++depth; }
  ~Told() { --depth; }
  bool outermost() const { return depth == 1; }
};

// Around a call that takes the lock.
template <typename Call>
auto WhileLocking(void* mutex, unsigned flags, Call call) {
  const Told told;
  if (told.outermost()) __tsan_mutex_pre_lock(mutex, flags);
  struct After {
    ~After() {
      if (outermost) __tsan_mutex_post_lock(mutex, flags, 0);
    }
    void* mutex;
    unsigned flags;
    bool outermost;
  } after{mutex, flags, told.outermost()};
  return call();
}

// Around a call that gives the lock up.
template <typename Call>
void WhileUnlocking(void* mutex, unsigned flags, Call call) {
  const Told told;
  if (told.outermost()) __tsan_mutex_pre_unlock(mutex, flags);
  call();
  if (told.outermost()) __tsan_mutex_post_unlock(mutex, flags);
}

// Around a call that gives the lock up and takes it again. Told as a writer's: nobody here waits
// under a reader's lock.
template <typename Call>
auto WhileWaiting(void* mutex, Call call) {
  WhileUnlocking(mutex, 0, [] {});
  return WhileLocking(mutex, 0, call);
}

}  // namespace

namespace absl {
ABSL_NAMESPACE_BEGIN

void Mutex::Lock() {
  static const auto real = Real(&Mutex::Lock);
  WhileLocking(this, 0, [&] { (this->*real)(); });
}

void Mutex::Unlock() {
  static const auto real = Real(&Mutex::Unlock);
  WhileUnlocking(this, 0, [&] { (this->*real)(); });
}

bool Mutex::TryLock() {
  static const auto real = Real(&Mutex::TryLock);
  const Told told;
  if (!told.outermost()) return (this->*real)();
  __tsan_mutex_pre_lock(this, __tsan_mutex_try_lock);
  const bool locked = (this->*real)();
  __tsan_mutex_post_lock(this, __tsan_mutex_try_lock | (locked ? 0 : __tsan_mutex_try_lock_failed),
                         0);
  return locked;
}

void Mutex::ReaderLock() {
  static const auto real = Real(&Mutex::ReaderLock);
  WhileLocking(this, __tsan_mutex_read_lock, [&] { (this->*real)(); });
}

void Mutex::ReaderUnlock() {
  static const auto real = Real(&Mutex::ReaderUnlock);
  WhileUnlocking(this, __tsan_mutex_read_lock, [&] { (this->*real)(); });
}

void Mutex::Await(const Condition& condition) {
  static const auto real = Real(&Mutex::Await);
  WhileWaiting(this, [&] { (this->*real)(condition); });
}

bool Mutex::AwaitWithTimeout(const Condition& condition, Duration timeout) {
  static const auto real = Real(&Mutex::AwaitWithTimeout);
  return WhileWaiting(this, [&] { return (this->*real)(condition, timeout); });
}

bool Mutex::AwaitWithDeadline(const Condition& condition, Time deadline) {
  static const auto real = Real(&Mutex::AwaitWithDeadline);
  return WhileWaiting(this, [&] { return (this->*real)(condition, deadline); });
}

void Mutex::LockWhen(const Condition& condition) {
  static const auto real = Real(&Mutex::LockWhen);
  WhileLocking(this, 0, [&] { (this->*real)(condition); });
}

bool Mutex::LockWhenWithTimeout(const Condition& condition, Duration timeout) {
  static const auto real = Real(&Mutex::LockWhenWithTimeout);
  return WhileLocking(this, 0, [&] { return (this->*real)(condition, timeout); });
}

bool Mutex::LockWhenWithDeadline(const Condition& condition, Time deadline) {
  static const auto real = Real(&Mutex::LockWhenWithDeadline);
  return WhileLocking(this, 0, [&] { return (this->*real)(condition, deadline); });
}

void CondVar::Wait(Mutex* mutex) {
  static const auto real = Real(&CondVar::Wait);
  WhileWaiting(mutex, [&] { (this->*real)(mutex); });
}

bool CondVar::WaitWithTimeout(Mutex* mutex, Duration timeout) {
  static const auto real = Real(&CondVar::WaitWithTimeout);
  return WhileWaiting(mutex, [&] { return (this->*real)(mutex, timeout); });
}

bool CondVar::WaitWithDeadline(Mutex* mutex, Time deadline) {
  static const auto real = Real(&CondVar::WaitWithDeadline);
  return WhileWaiting(mutex, [&] { return (this->*real)(mutex, deadline); });
}

// A notification that came already is seen without taking the lock.
void Notification::Notify() {
  static const auto real = Real(&Notification::Notify);
  __tsan_release(this);
  (this->*real)();
}

void Notification::WaitForNotification() const {
  static const auto real = Real(&Notification::WaitForNotification);
  (this->*real)();
  __tsan_acquire(const_cast<Notification*>(this));
}

bool Notification::WaitForNotificationWithTimeout(Duration timeout) const {
  static const auto real = Real(&Notification::WaitForNotificationWithTimeout);
  const bool notified = (this->*real)(timeout);
  if (notified) __tsan_acquire(const_cast<Notification*>(this));
  return notified;
}

bool Notification::WaitForNotificationWithDeadline(Time deadline) const {
  static const auto real = Real(&Notification::WaitForNotificationWithDeadline);
  const bool notified = (this->*real)(deadline);
  if (notified) __tsan_acquire(const_cast<Notification*>(this));
  return notified;
}

ABSL_NAMESPACE_END
}  // namespace absl
