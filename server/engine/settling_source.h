// A source whose lane has no device yet. The default device's thread asks it; as soon as something
// in it has settled the lane on another device it is handed on to that one's thread, so that nobody
// waits for a device that is not meant.
//
// Threads: as WorkSource; moved_to from any. Invariant: once it has moved it is over and calls its
// source no more.
// Moving on attaches to another dispatcher while the default one's sources are locked: the one
// place where two are, and always in this order, so neither waits for the other in a circle.
#ifndef ANEX_SERVER_ENGINE_SETTLING_SOURCE_H_
#define ANEX_SERVER_ENGINE_SETTLING_SOURCE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "proto/values/within_memory.h"
#include "server/engine/run/dispatcher.h"
#include "server/engine/run/work_source.h"

namespace anex::engine {

class SettlingSource final : public WorkSource {
 public:
  // Null as long as the lane has no device; the dispatcher lives as long as the engine.
  using FindHome = std::function<Dispatcher*()>;

  // To be attached to `first`.
  SettlingSource(std::shared_ptr<WorkSource> source, const Dispatcher& first, FindHome find_home)
      : source_(std::move(source)), first_(first), find_home_(std::move(find_home)) {}

  // Where the source is asked now, if that is not `first` any more.
  Dispatcher* moved_to() const { return moved_to_.load(std::memory_order_acquire); }

  Taken Poll(size_t most) override {
    if (over()) return {};
    const Taken taken = source_->Poll(most);
    if (!settled_ && taken.entries > 0) Follow();
    return taken;
  }
  void Charge(int64_t ns) override { source_->Charge(ns); }
  bool HasWork() const override { return !over() && source_->HasWork(); }
  bool PrepareToSleep() override { return over() || source_->PrepareToSleep(); }
  void Awake(bool rang) override {
    if (!over()) source_->Awake(rang);
  }
  bool finished() const override { return over() || source_->finished(); }
  int poll_descriptor() const override { return source_->poll_descriptor(); }

 private:
  bool over() const { return moved_to() != nullptr; }
  void Follow() {
    Dispatcher* const home = find_home_();
    if (home == nullptr) return;
    if (home != &first_) {
      const absl::Status attached = WithinMemory("ask a ring for work", [&] {
        home->Attach(source_);
        return absl::OkStatus();
      });
      if (!attached.ok()) return;  // the next time it is asked
      moved_to_.store(home, std::memory_order_release);
    }
    settled_ = true;
  }

  const std::shared_ptr<WorkSource> source_;
  const Dispatcher& first_;
  const FindHome find_home_;
  bool settled_ = false;
  std::atomic<Dispatcher*> moved_to_{nullptr};
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_SETTLING_SOURCE_H_
