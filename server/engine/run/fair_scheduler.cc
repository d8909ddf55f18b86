#include "server/engine/run/fair_scheduler.h"

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"

namespace anex::engine {
namespace {

constexpr size_t kRealTimeClass = static_cast<size_t>(QosClass::kRealTime);

// `nodes[child]`, with room made for it.
template <typename Node>
Node& At(std::vector<Node>& nodes, FairShare::Child child) {
  if (nodes.size() <= child) nodes.resize(child + 1);
  return nodes[child];
}

}  // namespace

// --- Coming and going ---

absl::Status FairScheduler::Add(const ScheduledLane& lane) {
  const bool real_time = lane.qos == QosClass::kRealTime;
  if (real_time && !lane.reserved) {
    return absl::FailedPreconditionError(
        "the real-time class is entered by reservation only, and this lane has none; use "
        "interactive");
  }
  // All or nothing, if memory is short; to leave takes none.
  const auto place = places_.try_emplace(lane.lane).first;
  absl::Cleanup forget = [&] { places_.erase(place); };
  place->second = real_time ? AddRealTime(lane) : AddFair(lane);
  std::move(forget).Cancel();
  return absl::OkStatus();
}

FairScheduler::Place FairScheduler::AddRealTime(const ScheduledLane& lane) {
  uint32_t slot = static_cast<uint32_t>(real_time_.lanes.size());
  if (!real_time_.free.empty()) {
    slot = real_time_.free.back();
    real_time_.free.pop_back();
  }
  At(real_time_.lanes, slot) = lane.lane;
  real_time_.by_deadline.Grow(real_time_.lanes.size());
  real_time_.free.reserve(real_time_.lanes.size());
  return {.qos = kRealTimeClass, .lane = slot};
}

FairScheduler::Place FairScheduler::AddFair(const ScheduledLane& lane) {
  Place place{.qos = static_cast<uint8_t>(lane.qos)};
  ClassNode& its_class = classes_[place.qos];
  place.user = UserOf(its_class, lane.user);
  UserNode& user = its_class.users[place.user];
  place.session = SessionOf(user, lane.session, lane.weight);
  SessionNode& session = user.sessions[place.session];
  bool added = false;
  absl::Cleanup leave = [&] {
    if (added) session.share.Remove(place.lane);
    if (session.share.size() == 0) ForgetSession(user, place.session);
  };
  place.lane = session.share.Add(1);
  added = true;
  At(session.lanes, place.lane) = lane.lane;
  std::move(leave).Cancel();
  return place;
}

FairScheduler::Child FairScheduler::UserOf(ClassNode& its_class, uint64_t user) {
  const auto known = its_class.by_id.find(user);
  if (known != its_class.by_id.end()) return known->second;
  // Users that left with a debt wait for it to be settled: an account is nobody else's to take
  // over.
  for (auto it = its_class.by_id.begin(); it != its_class.by_id.end();) {
    const Child child = it->second;
    if (its_class.users[child].by_id.empty() && its_class.share.settled(child)) {
      its_class.share.Remove(child);
      its_class.users[child] = UserNode();
      its_class.by_id.erase(it++);
    } else {
      ++it;
    }
  }
  const Child child = its_class.share.Add(WeightOf(user));
  absl::Cleanup leave = [&] { its_class.share.Remove(child); };
  At(its_class.users, child).id = user;
  its_class.by_id[user] = child;
  std::move(leave).Cancel();
  return child;
}

FairScheduler::Child FairScheduler::SessionOf(UserNode& user, SessionId session, uint32_t weight) {
  const auto known = user.by_id.find(session);
  if (known != user.by_id.end()) return known->second;
  const Child child = user.share.Add(weight);
  absl::Cleanup leave = [&] { user.share.Remove(child); };
  At(user.sessions, child).id = session;
  user.by_id[session] = child;
  std::move(leave).Cancel();
  return child;
}

void FairScheduler::Remove(uint64_t lane) {
  const auto it = places_.find(lane);
  if (it == places_.end()) return;
  SetReady(lane, false);
  const Place place = it->second;
  places_.erase(it);
  if (place.qos == kRealTimeClass) {
    real_time_.free.push_back(place.lane);
  } else {
    RemoveFair(place);
  }
}

void FairScheduler::RemoveFair(const Place& place) {
  UserNode& user = classes_[place.qos].users[place.user];
  SessionNode& session = user.sessions[place.session];
  session.share.Remove(place.lane);
  if (session.share.size() == 0) ForgetSession(user, place.session);
}

void FairScheduler::ForgetSession(UserNode& user, Child child) {
  user.share.Remove(child);
  user.by_id.erase(user.sessions[child].id);
  user.sessions[child] = SessionNode();
}

// --- Turns ---

void FairScheduler::SetReady(uint64_t lane, bool ready, int64_t deadline_ns) {
  const auto it = places_.find(lane);
  if (it == places_.end()) return;
  const Place& place = it->second;
  if (place.qos == kRealTimeClass) {
    IndexedHeap<int64_t>& queue = real_time_.by_deadline;
    if (queue.contains(place.lane)) queue.Erase(place.lane);
    if (ready) queue.Push(place.lane, deadline_ns);
    return turns_.SetReady(kRealTimeClass, !queue.empty());
  }
  ClassNode& its_class = classes_[place.qos];
  UserNode& user = its_class.users[place.user];
  SessionNode& session = user.sessions[place.session];
  session.share.SetReady(place.lane, ready);
  user.share.SetReady(place.session, session.share.any_ready());
  its_class.share.SetReady(place.user, user.share.any_ready());
  turns_.SetReady(place.qos, its_class.share.any_ready());
}

std::optional<uint64_t> FairScheduler::Next() {
  const std::optional<size_t> qos = turns_.Next();
  if (!qos) return std::nullopt;
  if (*qos == kRealTimeClass) return real_time_.lanes[real_time_.by_deadline.top()];
  ClassNode& its_class = classes_[*qos];
  UserNode& user = its_class.users[its_class.share.Next()];
  SessionNode& session = user.sessions[user.share.Next()];
  return session.lanes[session.share.Next()];
}

void FairScheduler::Served(uint64_t lane, int64_t device_ns) {
  const auto it = places_.find(lane);
  if (it == places_.end()) return;
  const Place& place = it->second;
  const int64_t ns = std::max(device_ns, kLeastNs);
  turns_.Charge(place.qos, ns);
  if (place.qos == kRealTimeClass) return;
  ClassNode& its_class = classes_[place.qos];
  UserNode& user = its_class.users[place.user];
  its_class.share.Charge(place.user, ns);
  user.share.Charge(place.session, ns);
  user.sessions[place.session].share.Charge(place.lane, ns);
}

// --- Weights ---

uint32_t FairScheduler::WeightOf(uint64_t user) const {
  const auto it = user_weights_.find(user);
  return it == user_weights_.end() ? 1 : it->second;
}

void FairScheduler::SetUserWeight(uint64_t user, uint32_t weight) {
  if (weight == 1) {
    user_weights_.erase(user);
  } else {
    user_weights_[user] = weight;
  }
  for (ClassNode& its_class : classes_) {
    const auto it = its_class.by_id.find(user);
    if (it != its_class.by_id.end()) its_class.share.SetWeight(it->second, weight);
  }
}

void FairScheduler::SetSessionWeight(SessionId session, uint32_t weight) {
  for (ClassNode& its_class : classes_) {
    for (const auto& [id, child] : its_class.by_id) {
      UserNode& user = its_class.users[child];
      const auto it = user.by_id.find(session);
      if (it != user.by_id.end()) user.share.SetWeight(it->second, weight);
    }
  }
}

std::unique_ptr<Scheduler> FairScheduler::Clone() const {
  return std::make_unique<FairScheduler>(*this);
}

}  // namespace anex::engine
