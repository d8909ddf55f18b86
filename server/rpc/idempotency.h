// Remembers what creating calls answered, so that a client that lost the answer can ask again
// without creating twice (decision: idempotency keys on creating calls).
//
// Scope: (session or process, method, key). The newest kEntries answers are kept.
// Threads: any. Two calls with one key at the same time: the second waits for the first.
// Invariant: an answer is remembered only if its call succeeded; a failed one may be tried again.
#ifndef ANEX_SERVER_RPC_IDEMPOTENCY_H_
#define ANEX_SERVER_RPC_IDEMPOTENCY_H_

#include <google/protobuf/message.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "server/engine/caller.h"

namespace anex::rpc {

// Equal for equal requests, whatever the order of their maps on the wire.
std::string Fingerprint(const google::protobuf::Message& request);

class Idempotency {
 public:
  static constexpr size_t kEntries = 4096;
  static constexpr size_t kMaxKey = 64;

  // Runs `create` once per (scope, method, key); later calls get the `answer` of the first.
  // INVALID_ARGUMENT if the key came with another `request` before, or is too long. An empty key
  // always runs.
  absl::Status Run(const engine::Caller& caller, const std::string& method, const std::string& key,
                   const std::string& request, std::string& answer,
                   const std::function<absl::Status(std::string& answer)>& create);

 private:
  struct Entry {
    std::string request, answer;
    bool done = false;
  };
  absl::Mutex mutex_;
  std::unordered_map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::string> order_ ABSL_GUARDED_BY(mutex_);  // of finished entries, oldest first
};

}  // namespace anex::rpc

#endif  // ANEX_SERVER_RPC_IDEMPOTENCY_H_
