// Remembers what creating calls answered, so that a client that lost the answer can ask again
// without creating twice (decision: idempotency keys on creating calls).
//
// Scope: (session or process, method, key). An answer is kept for kKeep at most, which is more than
// any client's retry takes, and then forgotten: it may hold a secret, and its session may have
// ended. Threads: any. Two calls with one key at the same time: the second waits for the first.
// Bounds: kPerOwner answers of one session or process, the oldest go first; kEntries and kBytes of
// all, the oldest go first. Invariant: an answer is remembered only if its call succeeded; a failed
// one may be tried again.
#ifndef ANEX_SERVER_RPC_IDEMPOTENCY_H_
#define ANEX_SERVER_RPC_IDEMPOTENCY_H_

#include <google/protobuf/message.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <unordered_map>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/engine/caller.h"
#include "server/engine/clock.h"

namespace anex::rpc {

// Equal for equal requests, whatever the order of their maps on the wire.
std::string Fingerprint(const google::protobuf::Message& request);

class Idempotency {
 public:
  static constexpr size_t kEntries = 4096, kPerOwner = 256;
  static constexpr size_t kBytes = 16 << 20;  // of answers
  static constexpr size_t kMaxKey = 64;
  static constexpr int64_t kKeep = 120'000'000'000;  // ns

  // `clock` must outlive it.
  explicit Idempotency(const engine::Clock& clock) : clock_(clock) {}

  // Runs `create` once per (scope, method, key); later calls get the `answer` of the first.
  // INVALID_ARGUMENT if the key came with another `request` before, or is too long. An empty key
  // always runs. An answer of the first that is not `still_good` (what it made has ended) is
  // forgotten, and `create` runs again.
  absl::Status Run(const engine::Caller& caller, const std::string& method, const std::string& key,
                   const std::string& request, std::string& answer,
                   const std::function<absl::Status(std::string& answer)>& create,
                   const std::function<bool(const std::string& answer)>& still_good = nullptr);

 private:
  struct Entry {
    std::string request;  // SHA-256 of it
    std::string answer;
    bool done = false;
  };
  struct Finished {
    std::string scope, owner;
    int64_t at_ns = 0;
  };
  // Waits until nobody runs the call; true if this caller is to run it, false if `answer` is there.
  absl::StatusOr<bool> Claim(const engine::Caller& caller, const std::string& method,
                             const std::string& scope, const std::string& request,
                             std::string& answer) ABSL_LOCKS_EXCLUDED(mutex_);
  void Keep(const std::string& scope, const std::string& owner, const std::string& answer)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Unless the key has another answer by now.
  void ForgetAnswer(const std::string& scope, const std::string& answer)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void Forget(std::list<Finished>::iterator which) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ForgetOld(int64_t now_ns) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const engine::Clock& clock_;
  absl::Mutex mutex_;
  std::unordered_map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  std::list<Finished> order_ ABSL_GUARDED_BY(mutex_);  // oldest first
  std::unordered_map<std::string, size_t> per_owner_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace anex::rpc

#endif  // ANEX_SERVER_RPC_IDEMPOTENCY_H_
