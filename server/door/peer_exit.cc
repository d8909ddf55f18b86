#include "server/door/peer_exit.h"

#include <utility>

namespace anex::door {

absl::StatusOr<std::unique_ptr<PeerExit>> PeerExit::Start() {
  absl::StatusOr<std::unique_ptr<ExitPoller>> poller = ExitPoller::Create();
  if (!poller.ok()) return poller.status();
  return std::unique_ptr<PeerExit>(new PeerExit(*std::move(poller)));
}

PeerExit::PeerExit(std::unique_ptr<ExitPoller> poller)
    : poller_(std::move(poller)), thread_([this] { Loop(); }) {}

PeerExit::~PeerExit() {
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
    watches_.clear();
  }
  poller_->Interrupt();
  thread_.join();
}

absl::StatusOr<PeerExit::WatchId> PeerExit::Watch(int socket, const Peer& peer,
                                                  std::function<void()> gone) {
  WatchId id;
  {
    absl::MutexLock lock(&mutex_);
    id = ++last_id_;
    watches_.emplace(id, std::move(gone));  // before Add: the exit may come at once
  }
  absl::Status added = poller_->Add(id, socket, peer);
  if (added.ok()) return id;
  absl::MutexLock lock(&mutex_);
  watches_.erase(id);
  return added;
}

void PeerExit::Unwatch(WatchId id) {
  poller_->Remove(id);
  if (std::this_thread::get_id() == thread_.get_id()) {
    absl::MutexLock lock(&mutex_);
    watches_.erase(id);
    return;
  }
  const auto not_telling = [this, id]() {
    mutex_.AssertReaderHeld();
    return telling_ != id;
  };
  absl::MutexLock lock(&mutex_);
  watches_.erase(id);
  mutex_.Await(absl::Condition(&not_telling));
}

size_t PeerExit::watched() const {
  absl::MutexLock lock(&mutex_);
  return watches_.size();
}

void PeerExit::Tell(WatchId id) {
  std::function<void()> gone;
  {
    absl::MutexLock lock(&mutex_);
    auto it = watches_.find(id);
    if (it == watches_.end()) return;
    gone = std::move(it->second);
    watches_.erase(it);
    telling_ = id;
  }
  gone();
  gone = nullptr;  // what it captured goes before Unwatch returns
  absl::MutexLock lock(&mutex_);
  telling_ = 0;
}

void PeerExit::Loop() {
  for (;;) {
    for (const WatchId id : poller_->Wait()) Tell(id);
    absl::MutexLock lock(&mutex_);
    if (stop_) return;
  }
}

}  // namespace anex::door
