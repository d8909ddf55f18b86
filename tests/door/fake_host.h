// A SideChannelHost with sessions and hand-overs that the test puts in, and verbs that wait for
// what the door does to it. Threads: any.
#ifndef ANEX_TESTS_DOOR_FAKE_HOST_H_
#define ANEX_TESTS_DOOR_FAKE_HOST_H_

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/door/side_channel_host.h"

namespace anex::door {

inline SideChannelToken TestToken(uint8_t number) {
  SideChannelToken token;
  token.fill(number);
  return token;
}

class FakeHost final : public SideChannelHost {
 public:
  struct Ended {
    SessionId session;
    SessionEnd end;
    std::chrono::steady_clock::time_point when;
  };

  // `token` opens `session` once.
  void Admit(const SideChannelToken& token, SessionId session) {
    absl::MutexLock lock(&mutex_);
    hellos_[token] = session;
  }
  // `token` gives `delivery` to `session` once.
  void Prepare(const SideChannelToken& token, SessionId session, Delivery delivery) {
    absl::MutexLock lock(&mutex_);
    handovers_[{session, token}] = std::move(delivery);
  }

  absl::StatusOr<SessionId> Attach(const SideChannelToken& token, const Peer& peer) override {
    absl::MutexLock lock(&mutex_);
    auto it = hellos_.find(token);
    if (it == hellos_.end()) return absl::UnauthenticatedError("no such token");
    const SessionId session = it->second;
    hellos_.erase(it);
    attached_[session] = peer;
    return session;
  }
  absl::StatusOr<Delivery> TakeHandover(SessionId session, const SideChannelToken& token) override {
    absl::MutexLock lock(&mutex_);
    auto it = handovers_.find({session, token});
    if (it == handovers_.end()) return absl::NotFoundError("no such hand-over");
    Delivery delivery = std::move(it->second);
    handovers_.erase(it);
    return delivery;
  }
  absl::StatusOr<SideChannelToken> OfferRegion(SessionId session,
                                               std::shared_ptr<shm::SharedRegion> region) override {
    absl::MutexLock lock(&mutex_);
    offered_.emplace_back(session, std::move(region));
    return TestToken(static_cast<uint8_t>(200 + offered_.size()));
  }
  void SessionGone(SessionId session, SessionEnd end) override {
    absl::MutexLock lock(&mutex_);
    ended_.push_back({session, end, std::chrono::steady_clock::now()});
  }
  void Woken(SessionId) override {
    absl::MutexLock lock(&mutex_);
    ++wakes_;
  }

  // All sessions that ended, once there are `count` of them; fewer after 20 s.
  std::vector<Ended> WaitForEnded(size_t count) {
    const auto enough = [&] {
      mutex_.AssertReaderHeld();
      return ended_.size() >= count;
    };
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(20));
    return ended_;
  }
  std::vector<Ended> ended() { return WaitForEnded(0); }
  Peer PeerOfSession(SessionId session) {
    absl::MutexLock lock(&mutex_);
    return attached_[session];
  }
  std::vector<std::pair<SessionId, std::shared_ptr<shm::SharedRegion>>> offered() {
    absl::MutexLock lock(&mutex_);
    return offered_;
  }
  void ForgetOffers() {
    absl::MutexLock lock(&mutex_);
    offered_.clear();
    handovers_.clear();
  }
  int wakes() {
    absl::MutexLock lock(&mutex_);
    return wakes_;
  }

 private:
  absl::Mutex mutex_;
  std::map<SideChannelToken, SessionId> hellos_ ABSL_GUARDED_BY(mutex_);
  std::map<std::pair<SessionId, SideChannelToken>, Delivery> handovers_ ABSL_GUARDED_BY(mutex_);
  std::map<SessionId, Peer> attached_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::pair<SessionId, std::shared_ptr<shm::SharedRegion>>> offered_
      ABSL_GUARDED_BY(mutex_);
  std::vector<Ended> ended_ ABSL_GUARDED_BY(mutex_);
  int wakes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace anex::door

#endif  // ANEX_TESTS_DOOR_FAKE_HOST_H_
