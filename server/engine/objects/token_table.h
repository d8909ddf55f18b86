// One-use tokens: 32 random bytes that are exchanged once for a value. Carries surface hand-overs,
// offered regions, grants between sessions and side-channel hellos.
//
// Threads: any. Invariant: a token is taken at most once; it dies with its owner or its deadline.
// Bound: `bound` open tokens per owner; Add then fails RESOURCE_EXHAUSTED "name=N".
#ifndef ANEX_SERVER_ENGINE_OBJECTS_TOKEN_TABLE_H_
#define ANEX_SERVER_ENGINE_OBJECTS_TOKEN_TABLE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "proto/wire/handle.h"
#include "server/engine/limits.h"
#include "server/engine/objects/secrets.h"

namespace anex::engine {

template <typename T>
class TokenTable {
 public:
  // `noun` ("grant ticket") is for messages; a string literal.
  TokenTable(const char* noun, Bound bound) : noun_(noun), bound_(std::move(bound)) {}

  absl::StatusOr<std::string> Add(SessionId owner, T value, int64_t expires_ns = INT64_MAX) {
    std::string token = RandomSecret();
    absl::MutexLock lock(&mutex_);
    if (open_[owner] >= bound_.value()) {
      return bound_.Exceeded(
          absl::StrCat("use a ", noun_, " that was given out before asking for more"));
    }
    ++open_[owner];
    entries_.emplace(HashOfSecret(token), Entry{owner, expires_ns, std::move(value)});
    return token;
  }

  // Any session's token. NOT_FOUND for used, expired and guessed ones alike.
  absl::StatusOr<T> Take(std::string_view token, int64_t now_ns) {
    return TakeIf(token, [&](const Entry& entry) { return now_ns < entry.expires_ns; });
  }
  // Only a token of `owner`; that of another session stays untouched.
  absl::StatusOr<T> TakeOwn(SessionId owner, std::string_view token, int64_t now_ns) {
    return TakeIf(token, [&](const Entry& entry) {
      return entry.owner == owner && now_ns < entry.expires_ns;
    });
  }

  // Drops what has expired, and what `owner` left behind. Values die with what is returned: that of
  // a region's last owner unmaps memory.
  std::vector<T> Sweep(int64_t now_ns) {
    return Drop([&](const Entry& entry) { return now_ns >= entry.expires_ns; });
  }
  std::vector<T> DropOwner(SessionId owner) {
    return Drop([&](const Entry& entry) { return entry.owner == owner; });
  }

  size_t size() const {
    absl::MutexLock lock(&mutex_);
    return entries_.size();
  }

 private:
  struct Entry {
    SessionId owner;
    int64_t expires_ns;
    T value;
  };
  using Map = std::unordered_map<std::string, Entry>;

  // Keys are hashes of tokens, so the time that a look-up takes says nothing about a token.
  template <typename Accept>
  absl::StatusOr<T> TakeIf(std::string_view token, const Accept& accept) {
    const std::string key = HashOfSecret(token);
    absl::MutexLock lock(&mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end() || !accept(found->second)) {
      return absl::NotFoundError(absl::StrCat(
          "no such ", noun_, ": each is good for one use and a limited time; ask anew"));
    }
    T value = std::move(found->second.value);
    Erase(found);
    return value;
  }

  template <typename Matches>
  std::vector<T> Drop(const Matches& matches) {
    std::vector<T> dropped;
    absl::MutexLock lock(&mutex_);
    for (auto entry = entries_.begin(); entry != entries_.end();) {
      const auto next = std::next(entry);
      if (matches(entry->second)) {
        dropped.push_back(std::move(entry->second.value));
        Erase(entry);
      }
      entry = next;
    }
    return dropped;
  }

  void Erase(typename Map::iterator entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto count = open_.find(entry->second.owner);
    if (--count->second == 0) open_.erase(count);
    entries_.erase(entry);
  }

  const char* const noun_;
  const Bound bound_;
  mutable absl::Mutex mutex_;
  Map entries_ ABSL_GUARDED_BY(mutex_);
  std::unordered_map<SessionId, uint64_t> open_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_OBJECTS_TOKEN_TABLE_H_
