#include "server/engine/objects/session_table.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace anex::engine {
namespace {

bool SameOwner(const Identity& a, const Identity& b) {
  return a.kind == b.kind && a.uid == b.uid && a.subject == b.subject;
}

absl::Status UnknownSecret() {
  return absl::UnauthenticatedError(
      "no session of yours has this secret; it may have ended: open a new one");
}

}  // namespace

SessionTable::SessionTable(const LiveLimits& limits)
    : sessions_(limits.Of(&Limits::sessions)),
      sessions_per_uid_(limits.Of(&Limits::sessions_per_uid)),
      sessions_per_process_(limits.Of(&Limits::sessions_per_process)),
      attach_deadline_ns_(limits.Of(&Limits::attach_deadline_ns)),
      hellos_("side-channel token", sessions_),
      generation_(RandomWord() | 1) {}

absl::Status SessionTable::CheckQuota(const Identity& identity) const {
  if (entries_.size() >= sessions_.value()) {
    return sessions_.Exceeded("close one, or have an operator evict one");
  }
  uint64_t own = 0, of_process = 0;
  for (const auto& [id, entry] : entries_) {
    const Identity& other = entry.session->identity();
    if (!SameOwner(other, identity)) continue;
    ++own;
    of_process += other.kind == Identity::Kind::kLocalUser && other.pid == identity.pid;
  }
  if (of_process >= sessions_per_process_.value()) {
    return sessions_per_process_.Exceeded("this process has that many; close one first");
  }
  if (own < sessions_per_uid_.value()) return absl::OkStatus();
  return sessions_per_uid_.Exceeded("close a session first");
}

absl::StatusOr<SessionTable::Opened> SessionTable::Open(const Identity& identity, int64_t now_ns,
                                                        const MakeSession& make) {
  Opened opened;
  opened.secret = RandomSecret();
  const bool attaches = identity.kind == Identity::Kind::kLocalUser;
  const int64_t attach_by =
      attaches ? now_ns + static_cast<int64_t>(attach_deadline_ns_.value()) : INT64_MAX;
  absl::MutexLock lock(&mutex_);
  if (absl::Status quota = CheckQuota(identity); !quota.ok()) return quota;
  const SessionId id = SessionId::Make(next_slot_++, generation_);
  if (attaches) {
    absl::StatusOr<std::string> token = hellos_.Add(id, id, attach_by);
    if (!token.ok()) return token.status();
    opened.side_channel_token = *std::move(token);
  }
  opened.session = make(id);
  std::string hash = HashOfSecret(opened.secret);
  by_secret_.emplace(hash, id);
  entries_.emplace(id, Entry{opened.session, std::move(hash), attach_by});
  return opened;
}

absl::StatusOr<SessionId> SessionTable::FindBySecret(std::string_view secret,
                                                     const Identity& identity) const {
  const std::string hash = HashOfSecret(secret);
  absl::MutexLock lock(&mutex_);
  const auto found = by_secret_.find(hash);
  if (found == by_secret_.end()) return UnknownSecret();
  const Entry& entry = entries_.at(found->second);
  if (!EqualSecrets(entry.secret_hash, hash)) return UnknownSecret();
  if (!SameOwner(entry.session->identity(), identity)) return UnknownSecret();
  return found->second;
}

absl::StatusOr<std::shared_ptr<Session>> SessionTable::Find(SessionId id) const {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(id);
  if (found != entries_.end()) return found->second.session;
  return absl::UnauthenticatedError("this call needs a session; open one first");
}

absl::StatusOr<SessionId> SessionTable::Attach(std::string_view token, const Identity& identity,
                                               int64_t now_ns) {
  const absl::StatusOr<SessionId> id = hellos_.Take(token, now_ns);
  if (!id.ok()) return absl::UnauthenticatedError(id.status().message());
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(*id);
  if (found == entries_.end()) return absl::UnauthenticatedError("the session has ended");
  if (!SameOwner(found->second.session->identity(), identity)) {
    return absl::UnauthenticatedError("the side-channel token belongs to another user");
  }
  found->second.attach_by_ns = INT64_MAX;
  return *id;
}

std::shared_ptr<Session> SessionTable::Remove(SessionId id) {
  hellos_.DropOwner(id);
  absl::MutexLock lock(&mutex_);
  return RemoveLocked(id);
}

std::shared_ptr<Session> SessionTable::RemoveLocked(SessionId id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return nullptr;
  std::shared_ptr<Session> session = std::move(found->second.session);
  by_secret_.erase(found->second.secret_hash);
  entries_.erase(found);
  return session;
}

std::vector<std::shared_ptr<Session>> SessionTable::RemoveUnattached(int64_t now_ns) {
  hellos_.Sweep(now_ns);
  absl::MutexLock lock(&mutex_);
  std::vector<SessionId> overdue;
  for (const auto& [id, entry] : entries_) {
    if (now_ns >= entry.attach_by_ns) overdue.push_back(id);
  }
  std::vector<std::shared_ptr<Session>> removed;
  removed.reserve(overdue.size());  // before any is removed: without memory all stay
  for (const SessionId id : overdue) removed.push_back(RemoveLocked(id));
  return removed;
}

std::vector<std::shared_ptr<Session>> SessionTable::List() const {
  absl::MutexLock lock(&mutex_);
  std::vector<std::shared_ptr<Session>> sessions;
  for (const auto& [id, entry] : entries_) sessions.push_back(entry.session);
  return sessions;
}

}  // namespace anex::engine
