#include "server/rpc/idempotency.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace anex::rpc {
namespace {

std::string ScopeOf(const engine::Caller& caller, const std::string& method,
                    const std::string& key) {
  const std::string who = caller.session
                              ? absl::StrCat("s", caller.session.value())
                              : absl::StrCat("p", caller.identity.uid, ".", caller.identity.pid);
  return absl::StrCat(who, "/", method, "/", key);
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
                              const std::function<absl::Status(std::string& answer)>& create) {
  if (key.empty()) return create(answer);
  if (key.size() > kMaxKey) {
    return absl::InvalidArgumentError(
        absl::StrCat("an idempotency key of ", key.size(), " bytes; at most ", kMaxKey));
  }
  const std::string scope = ScopeOf(caller, method, key);
  {
    absl::MutexLock lock(&mutex_);
    while (true) {
      const auto [entry, fresh] = entries_.try_emplace(scope);
      if (fresh) {
        entry->second.request = request;
        break;
      }
      if (entry->second.request != request) {
        return absl::InvalidArgumentError(absl::StrCat("the idempotency key of this ", method,
                                                       " came with another request before"));
      }
      if (entry->second.done) {
        answer = entry->second.answer;
        return absl::OkStatus();
      }
      const auto settled = [this, &scope]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
        const auto found = entries_.find(scope);
        return found == entries_.end() || found->second.done;
      };
      mutex_.AwaitWithTimeout(absl::Condition(&settled), absl::Milliseconds(50));
      if (caller.cancelled && caller.cancelled())
        return absl::CancelledError("the call was cancelled");
    }
  }
  const absl::Status status = create(answer);
  absl::MutexLock lock(&mutex_);
  if (!status.ok()) {
    entries_.erase(scope);
    return status;
  }
  Entry& entry = entries_[scope];
  entry.answer = answer;
  entry.done = true;
  order_.push_back(scope);
  while (order_.size() > kEntries) {
    entries_.erase(order_.front());
    order_.pop_front();
  }
  return status;
}

}  // namespace anex::rpc
