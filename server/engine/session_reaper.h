// Ends the sessions of clients that have gone, so that who notices a death need not wait for it:
// one thread ends them, which takes moments; others free what they held, which may take seconds. A
// session that held little never waits for one that held much.
//
//   Add -> [ending: lanes, handles, tokens] -> held little -> [freeing]
//                                           `> held much --> [freeing]
//
// Threads: Add and Free from any; three of its own. The destructor ends and frees what is left, and
// waits.
#ifndef ANEX_SERVER_ENGINE_SESSION_REAPER_H_
#define ANEX_SERVER_ENGINE_SESSION_REAPER_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "proto/values/within_memory.h"
#include "server/engine/objects/session.h"

namespace anex::engine {

// Does one thing with everything that is added to it, in order, on a thread of its own.
template <typename T>
class ReaperThread {
 public:
  explicit ReaperThread(std::function<void(T)> take)
      : take_(std::move(take)), thread_([this] { Loop(); }) {}
  ~ReaperThread() { Stop(); }

  void Add(T one) {
    absl::MutexLock lock(&mutex_);
    waiting_.push_back(std::move(one));
  }
  // Takes what is left and waits. Idempotent; nothing may be added afterwards.
  void Stop() {
    {
      absl::MutexLock lock(&mutex_);
      stop_ = true;
    }
    if (thread_.joinable()) thread_.join();
  }

 private:
  void Loop() {
    const auto work = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return stop_ || !waiting_.empty();
    };
    for (;;) {
      mutex_.LockWhen(absl::Condition(&work));
      if (waiting_.empty()) return mutex_.Unlock();
      T next = std::move(waiting_.front());
      waiting_.pop_front();
      mutex_.Unlock();
      take_(std::move(next));
    }
  }

  const std::function<void(T)> take_;
  absl::Mutex mutex_;
  std::deque<T> waiting_ ABSL_GUARDED_BY(mutex_);
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

class SessionReaper {
 public:
  // Ends a session; what it returns is what is to be freed.
  using End = std::function<Session::Remains(Session&, std::string_view reason)>;

  // Unmapping takes some 0.2 ms a MiB: what may take longer than a few ms waits apart.
  static constexpr uint64_t kMuchBytes = 32 << 20;

  explicit SessionReaper(End end) : end_(std::move(end)) {}
  ~SessionReaper() { Stop(); }

  // The session is in no table any more: without memory for it now, waits until there is some.
  void Add(const std::shared_ptr<Session>& session, std::string_view reason) {
    const auto add = [&] {
      ending_.Add({session, std::string(reason)});
      return absl::OkStatus();
    };
    while (!WithinMemory("end a session", add).ok()) absl::SleepFor(absl::Milliseconds(10));
  }
  // Of those that live on.
  void Free(Session::Remains remains) { much_.Add({nullptr, std::move(remains)}); }
  // Ends and frees what is left, and waits. Idempotent; nothing may be added afterwards.
  void Stop() {
    ending_.Stop();
    little_.Stop();
    much_.Stop();
  }

 private:
  struct Gone {
    std::shared_ptr<Session> session;
    std::string reason;
  };
  // What is left of one; the session goes after it.
  struct Ended {
    std::shared_ptr<Session> session;  // null if it is not over
    Session::Remains remains;
  };

  // Without memory to end it now, a moment later; without memory to free it apart, here.
  void Take(Gone gone) {
    Session::Remains remains;
    const auto end = [&] {
      remains = end_(*gone.session, gone.reason);
      return absl::OkStatus();
    };
    while (!WithinMemory("end a session", end).ok()) absl::SleepFor(absl::Milliseconds(10));
    const uint64_t held =
        gone.session->pool().budget().used() + gone.session->kernel_charges().budget()->used();
    (void)WithinMemory("free a session", [&] {
      (held >= kMuchBytes ? much_ : little_).Add({std::move(gone.session), std::move(remains)});
      return absl::OkStatus();
    });
  }

  const End end_;
  ReaperThread<Ended> little_{[](Ended) {}}, much_{[](Ended) {}};
  ReaperThread<Gone> ending_{[this](Gone gone) { Take(std::move(gone)); }};
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_SESSION_REAPER_H_
