#include "server/engine/run/round_robin.h"

namespace anex::engine {

void RoundRobin::Add(const ScheduledLane& lane) {
  const size_t qos = static_cast<size_t>(lane.qos);
  std::unique_ptr<Group>& group = classes_[qos].groups[lane.session];
  if (group == nullptr) {
    group = std::make_unique<Group>();
    group->session = lane.session;
    group->qos = qos;
    group->node = group->parked.insert(group->parked.end(), group.get());
  }
  ++group->lanes;
  auto entry = std::make_unique<Entry>();
  entry->lane = lane.lane;
  entry->group = group.get();
  entry->node = entry->parked.insert(entry->parked.end(), entry.get());
  entries_[lane.lane] = std::move(entry);
}

void RoundRobin::Remove(uint64_t lane) {
  auto it = entries_.find(lane);
  if (it == entries_.end()) return;
  SetReady(lane, false);
  Group* group = it->second->group;
  entries_.erase(it);
  if (--group->lanes == 0) classes_[group->qos].groups.erase(group->session);
}

void RoundRobin::SetReady(uint64_t lane, bool ready) {
  auto it = entries_.find(lane);
  if (it == entries_.end() || it->second->ready == ready) return;
  Entry& entry = *it->second;
  Group& group = *entry.group;
  Class& its_class = classes_[group.qos];
  entry.ready = ready;
  if (ready) {
    if (group.ready.empty()) {
      its_class.ready.splice(its_class.ready.end(), group.parked, group.node);
    }
    group.ready.splice(group.ready.end(), entry.parked, entry.node);
  } else {
    entry.parked.splice(entry.parked.end(), group.ready, entry.node);
    if (group.ready.empty()) group.parked.splice(group.parked.end(), its_class.ready, group.node);
    if (its_class.ready.empty()) its_class.passed_over = 0;
  }
}

const RoundRobin::Class* RoundRobin::Pick() const {
  for (size_t i = kQosClasses; i-- > 0;) {
    if (!classes_[i].ready.empty() && classes_[i].passed_over >= kStarvationCap) {
      return &classes_[i];
    }
  }
  for (const Class& candidate : classes_) {
    if (!candidate.ready.empty()) return &candidate;
  }
  return nullptr;
}

std::optional<uint64_t> RoundRobin::Next() const {
  const Class* its_class = Pick();
  if (its_class == nullptr) return std::nullopt;
  return its_class->ready.front()->ready.front()->lane;
}

void RoundRobin::Served(uint64_t lane, int64_t) {
  auto it = entries_.find(lane);
  if (it == entries_.end()) return;
  Group& group = *it->second->group;
  for (size_t i = 0; i < kQosClasses; ++i) {
    Class& other = classes_[i];
    if (i == group.qos) {
      other.passed_over = 0;
    } else if (i > group.qos && !other.ready.empty()) {
      ++other.passed_over;
    }
  }
  // To the end of the queue, though the lane itself is not ready now: its session had its turn.
  std::list<Group*>& turns = classes_[group.qos].ready;
  if (!group.ready.empty()) turns.splice(turns.end(), turns, group.node);
}

}  // namespace anex::engine
