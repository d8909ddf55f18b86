// Which programs are loaded: no more than the engine takes at once. One that is wanted and not
// loaded is loaded again, and the one that was used longest ago makes room, unless it runs.
//
// The engine gives a connection room for about 127 programs; what loads beyond that fails, or
// worse.
//
// Threads: any. Loads and unloads one at a time, without the lock of those that only use: a run of
// a loaded program never waits for the load of another. Invariant: a program is unloaded only while
// nobody uses it.
#ifndef ANEX_SERVER_DEVICE_APPLE_RESIDENCY_H_
#define ANEX_SERVER_DEVICE_APPLE_RESIDENCY_H_

#include <cstdint>
#include <list>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

namespace anex::device::apple {

// What can be loaded and unloaded. The calls come one at a time.
class Loadable {
 public:
  virtual ~Loadable() = default;
  virtual absl::Status Load() = 0;
  virtual void Unload() = 0;
};

class Residency : public std::enable_shared_from_this<Residency> {
 public:
  explicit Residency(uint32_t budget) : budget_(budget) {}

  // A program's place among the loaded ones.
  class Place;
  // One that uses it now: it stays loaded as long as this lives.
  class Use {
   public:
    Use() = default;
    Use(Use&& other) noexcept : place_(std::exchange(other.place_, nullptr)), load_(other.load_) {}
    Use& operator=(Use&& other) noexcept {
      std::swap(place_, other.place_);
      std::swap(load_, other.load_);
      return *this;
    }
    ~Use();
    // Another number for every load: what was made for an earlier one is of no use.
    uint64_t load() const { return load_; }

   private:
    friend class Residency;
    Use(Place* place, uint64_t load) : place_(place), load_(load) {}

    Place* place_ = nullptr;
    uint64_t load_ = 0;
  };

  // `loadable` must outlive the place.
  std::unique_ptr<Place> Add(Loadable& loadable);
  // Loads it if it is not; the use must not outlive the place. RESOURCE_EXHAUSTED if all that are
  // loaded are in use; the load's own error else.
  absl::StatusOr<Use> Acquire(Place& place);
  // NOT_FOUND instead of a load.
  absl::StatusOr<Use> AcquireIfLoaded(Place& place);
  // The engine has lost the program: the next Acquire loads it. REQUIRES: the caller's is its only
  // use; takes it.
  void Lost(Place& place, Use use);

  uint32_t budget() const { return budget_; }
  uint32_t loaded() const;
  uint64_t loads() const;      // so far
  uint64_t evictions() const;  // so far: unloads to make room

 private:
  absl::StatusOr<Use> LoadIn(Place& place) ABSL_EXCLUSIVE_LOCKS_REQUIRED(load_mutex_);
  absl::Status MakeRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(load_mutex_);
  void Remove(Place& place);
  void Release(Place& place);

  const uint32_t budget_;
  absl::Mutex load_mutex_;  // held while something loads or unloads; before mutex_
  mutable absl::Mutex mutex_;
  std::list<Place*> loaded_ ABSL_GUARDED_BY(mutex_);  // the longest unused in front
  uint64_t loads_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t evictions_ ABSL_GUARDED_BY(mutex_) = 0;
};

class Residency::Place {
 public:
  ~Place() { owner_->Remove(*this); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  friend class Residency;
  Place(std::shared_ptr<Residency> owner, Loadable& loadable)
      : owner_(std::move(owner)), loadable_(loadable) {}

  const std::shared_ptr<Residency> owner_;
  Loadable& loadable_;
  // Guarded by the owner's mutex_.
  bool is_loaded_ = false;
  uint32_t uses_ = 0;
  uint64_t load_ = 0;
  std::list<Place*>::iterator at_;
};

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_RESIDENCY_H_
