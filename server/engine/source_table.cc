#include "server/engine/source_table.h"

#include <algorithm>
#include <utility>

namespace anex::engine {

void SourceTable::Entry::Attach() const {
  if (settling == nullptr) return dispatcher->Attach(source);
  dispatcher->Attach(settling);
}

// Where it was asked first comes first: it moves while it is asked there, and not after that.
void SourceTable::Entry::Detach(bool last_look) const {
  if (settling == nullptr) return dispatcher->Detach(source, last_look);
  dispatcher->Detach(settling, last_look);
  if (Dispatcher* const moved_to = settling->moved_to()) moved_to->Detach(source, last_look);
}

void SourceTable::Entry::TakeFrom() const {
  if (settling == nullptr) return dispatcher->TakeFrom(source);
  dispatcher->TakeFrom(settling);
  if (Dispatcher* const moved_to = settling->moved_to()) moved_to->TakeFrom(source);
}

absl::Status SourceTable::Add(SessionId session, Entry entry) {
  absl::MutexLock lock(&mutex_);
  std::vector<Entry>& entries = by_session_[session];
  const auto same = [&](const Entry& other) { return other.lane == entry.lane; };
  if (std::any_of(entries.begin(), entries.end(), same)) {
    return absl::AlreadyExistsError("the lane has a ring already; close it, or use another lane");
  }
  entries.push_back(std::move(entry));
  return absl::OkStatus();
}

std::optional<SourceTable::Entry> SourceTable::Find(SessionId session, LaneId lane) const {
  absl::MutexLock lock(&mutex_);
  const auto found = by_session_.find(session);
  if (found == by_session_.end()) return std::nullopt;
  for (const Entry& entry : found->second) {
    if (entry.lane == lane) return entry;
  }
  return std::nullopt;
}

std::vector<SourceTable::Entry> SourceTable::Take(SessionId session, LaneId lane) {
  absl::MutexLock lock(&mutex_);
  std::vector<Entry> taken;
  const auto found = by_session_.find(session);
  if (found == by_session_.end()) return taken;
  std::erase_if(found->second, [&](Entry& entry) {
    if (entry.lane != lane) return false;
    taken.push_back(std::move(entry));
    return true;
  });
  if (found->second.empty()) by_session_.erase(found);
  return taken;
}

std::vector<SourceTable::Entry> SourceTable::TakeAll(SessionId session) {
  absl::MutexLock lock(&mutex_);
  const auto found = by_session_.find(session);
  if (found == by_session_.end()) return {};
  std::vector<Entry> taken = std::move(found->second);
  by_session_.erase(found);
  return taken;
}

}  // namespace anex::engine
