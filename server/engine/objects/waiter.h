// Who waits for an object to change, and how it is told. Nothing in objects/ ever calls up: a fence
// or a parameter set knows only the list of those who wait for it.
//
//   a lane's Waiter <--weak-- WaitList of a fence or a set: added as the wait begins, with the
//        |                    object's lock; told and forgotten when the object has got there
//        `--> WakeList of its dispatcher: the lanes to look at again, and a wake-up of its thread
//
// So a change costs those who wait for that very change, however many others wait for something
// else. Who was told looks again: it may have to wait anew.
//
// Threads: WakeList any; Waiter any, but for Begin (the one who waits); WaitList has its object's
// lock. No wake-up is lost: an entry is there before the wait is, and a lane that is told while it
// is on its way to wait is looked at after that.
// Bound: a waiter has at most one entry that counts; those that are over (it waits for something
// else, or is gone) are dropped when the list has doubled.
#ifndef ANEX_SERVER_ENGINE_OBJECTS_WAITER_H_
#define ANEX_SERVER_ENGINE_OBJECTS_WAITER_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/engine/objects/sleeper.h"

namespace anex::engine {

class WakeList;

class Waiter : public std::enable_shared_from_this<Waiter> {
 public:
  Waiter(uint64_t lane, std::shared_ptr<WakeList> wakes) : lane_(lane), wakes_(std::move(wakes)) {}

  // A new wait; earlier ones are over.
  uint64_t Begin() { return wait_.fetch_add(1, std::memory_order_relaxed) + 1; }
  bool in(uint64_t wait) const { return wait_.load(std::memory_order_relaxed) == wait; }
  void Wake();

 private:
  friend class WakeList;
  const uint64_t lane_;
  const std::shared_ptr<WakeList> wakes_;
  std::atomic<uint64_t> wait_{0};
  // In the wake list, with its lock: who comes behind, and itself as long as it is in it.
  Waiter* next_ = nullptr;
  std::shared_ptr<Waiter> listed_;
};

// A list through the waiters themselves, each in it once at most: to be told takes no memory.
class WakeList {
 public:
  explicit WakeList(Sleeper& sleeper) : sleeper_(&sleeper) {}
  ~WakeList() { Close(); }

  void Add(std::shared_ptr<Waiter> waiter) {
    absl::MutexLock lock(&mutex_);
    if (sleeper_ == nullptr || waiter->listed_ != nullptr) return;
    waiter->next_ = nullptr;
    (last_ == nullptr ? first_ : last_->next_) = waiter.get();
    last_ = waiter.get();
    last_->listed_ = std::move(waiter);
    any_.store(true, std::memory_order_release);  // before the news of it
    sleeper_->Wake();
  }
  bool any() const { return any_.load(std::memory_order_acquire); }
  // Tells `each` the number of every lane in it, with the lock, and empties it.
  template <typename Each>
  void TakeEach(const Each& each) {
    absl::MutexLock lock(&mutex_);
    any_.store(false, std::memory_order_relaxed);
    while (first_ != nullptr) each(PopLocked()->lane_);
  }
  // Nobody is woken any more; the sleeper may go.
  void Close() {
    absl::MutexLock lock(&mutex_);
    sleeper_ = nullptr;
    while (first_ != nullptr) PopLocked();
  }

 private:
  std::shared_ptr<Waiter> PopLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    std::shared_ptr<Waiter> popped = std::move(first_->listed_);
    first_ = popped->next_;
    if (first_ == nullptr) last_ = nullptr;
    return popped;
  }

  std::atomic<bool> any_{false};
  absl::Mutex mutex_;
  Sleeper* sleeper_ ABSL_GUARDED_BY(mutex_);
  Waiter* first_ ABSL_GUARDED_BY(mutex_) = nullptr;
  Waiter* last_ ABSL_GUARDED_BY(mutex_) = nullptr;
};

inline void Waiter::Wake() { wakes_->Add(shared_from_this()); }

class WaitList {
 public:
  // Until Tell says `value` or more. `waiter` may be null: then nobody is told.
  void Add(Waiter* waiter, uint64_t value = 0) {
    if (waiter == nullptr) return;
    if (entries_.size() >= prune_at_) Prune();
    entries_.emplace(value, Entry{waiter->weak_from_this(), waiter->Begin()});
  }
  void Tell(uint64_t value = UINT64_MAX) {
    const auto end = entries_.upper_bound(value);
    for (auto it = entries_.begin(); it != end; it = entries_.erase(it)) {
      const std::shared_ptr<Waiter> waiter = it->second.waiter.lock();
      if (waiter != nullptr && waiter->in(it->second.wait)) waiter->Wake();
    }
  }
  size_t size() const { return entries_.size(); }

 private:
  static constexpr size_t kLeastPrune = 16;
  struct Entry {
    std::weak_ptr<Waiter> waiter;
    uint64_t wait = 0;
  };
  void Prune() {
    std::erase_if(entries_, [](const auto& entry) {
      const std::shared_ptr<Waiter> waiter = entry.second.waiter.lock();
      return waiter == nullptr || !waiter->in(entry.second.wait);
    });
    prune_at_ = std::max(kLeastPrune, 2 * entries_.size());
  }

  std::multimap<uint64_t, Entry> entries_;  // by the value that is waited for
  size_t prune_at_ = kLeastPrune;
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_OBJECTS_WAITER_H_
