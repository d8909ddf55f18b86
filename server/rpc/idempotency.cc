#include "server/rpc/idempotency.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "proto/values/sha256.h"

namespace anex::rpc {
namespace {

constexpr absl::Duration kLook = absl::Milliseconds(50);  // between two looks at a cancellation

std::string OwnerOf(const engine::Caller& caller) {
  return caller.session ? absl::StrCat("s", caller.session.value())
                        : absl::StrCat("p", caller.identity.uid, ".", caller.identity.pid);
}

}  // namespace

std::string Fingerprint(const google::protobuf::Message& request) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  request.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

absl::Status Idempotency::Run(const engine::Caller& caller, const std::string& method,
                              const std::string& key, const std::string& request,
                              std::string& answer,
                              const std::function<absl::Status(std::string& answer)>& create,
                              const std::function<bool(const std::string& answer)>& still_good) {
  if (key.empty()) return create(answer);
  if (key.size() > kMaxKey) {
    return absl::InvalidArgumentError(
        absl::StrCat("an idempotency key of ", key.size(), " bytes; at most ", kMaxKey));
  }
  const std::string owner = OwnerOf(caller);
  const std::string scope = absl::StrCat(owner, "/", method, "/", key);
  const std::string digest = Sha256Of(request);
  while (true) {
    const absl::StatusOr<bool> ours = Claim(caller, method, scope, digest, answer);
    if (!ours.ok()) return ours.status();
    if (*ours) break;
    if (!still_good || still_good(answer)) return absl::OkStatus();
    ForgetAnswer(scope, answer);
  }
  bool created = false;
  // However `create` ends, by an exception too, the key is not left in flight.
  const absl::Cleanup settle = [&] {
    absl::MutexLock lock(&mutex_);
    if (created) {
      Keep(scope, owner, answer);
    } else {
      entries_.erase(scope);
    }
  };
  absl::Status status = create(answer);
  created = status.ok();
  return status;
}

absl::StatusOr<bool> Idempotency::Claim(const engine::Caller& caller, const std::string& method,
                                        const std::string& scope, const std::string& request,
                                        std::string& answer) {
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      ForgetOld(clock_.Now());
      const auto [entry, fresh] = entries_.try_emplace(scope);
      if (fresh) {
        entry->second.request = request;
        return true;
      }
      if (entry->second.request != request) {
        return absl::InvalidArgumentError(absl::StrCat("the idempotency key of this ", method,
                                                       " came with another request before"));
      }
      if (entry->second.done) {
        answer = entry->second.answer;
        return false;
      }
      const auto settled = [this, &scope]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
        const auto found = entries_.find(scope);
        return found == entries_.end() || found->second.done;
      };
      mutex_.AwaitWithTimeout(absl::Condition(&settled), kLook);
    }
    // Without the lock: it asks gRPC.
    if (caller.cancelled && caller.cancelled()) {
      return absl::CancelledError("the call was cancelled");
    }
  }
}

void Idempotency::Keep(const std::string& scope, const std::string& owner,
                       const std::string& answer) {
  Entry& entry = entries_[scope];
  entry.answer = answer;
  entry.done = true;
  bytes_ += answer.size();
  order_.push_back({scope, owner, clock_.Now()});
  if (++per_owner_[owner] > kPerOwner) {
    Forget(std::find_if(order_.begin(), order_.end(),
                        [&](const Finished& each) { return each.owner == owner; }));
  }
  while (order_.size() > kEntries || (bytes_ > kBytes && order_.size() > 1)) Forget(order_.begin());
}

void Idempotency::ForgetAnswer(const std::string& scope, const std::string& answer) {
  absl::MutexLock lock(&mutex_);
  const auto entry = entries_.find(scope);
  if (entry == entries_.end() || !entry->second.done || entry->second.answer != answer) return;
  Forget(std::find_if(order_.begin(), order_.end(),
                      [&](const Finished& each) { return each.scope == scope; }));
}

void Idempotency::Forget(std::list<Finished>::iterator which) {
  const auto entry = entries_.find(which->scope);
  bytes_ -= entry->second.answer.size();
  entries_.erase(entry);
  const auto count = per_owner_.find(which->owner);
  if (--count->second == 0) per_owner_.erase(count);
  order_.erase(which);
}

void Idempotency::ForgetOld(int64_t now_ns) {
  while (!order_.empty() && now_ns - order_.front().at_ns > kKeep) Forget(order_.begin());
}

}  // namespace anex::rpc
