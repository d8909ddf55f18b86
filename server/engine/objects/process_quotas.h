// A quota for each process that has something out: what one process takes is not missed by others,
// whatever sessions and connections it has.
//
// Threads: any. Bound: one entry for each process that has a place out.
#ifndef ANEX_SERVER_ENGINE_OBJECTS_PROCESS_QUOTAS_H_
#define ANEX_SERVER_ENGINE_OBJECTS_PROCESS_QUOTAS_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "proto/values/hash_map.h"
#include "server/engine/limits.h"
#include "server/engine/objects/quota.h"

namespace anex::engine {

class ProcessQuotas {
 public:
  // Of each process; `advice` and `all`, of all processes together, as Quota's.
  ProcessQuotas(Bound bound, const char* advice, std::shared_ptr<Quota> all)
      : bound_(std::move(bound)), advice_(advice), all_(std::move(all)) {}

  // RESOURCE_EXHAUSTED naming the bound that is reached.
  absl::StatusOr<QuotaPlace> Take(int64_t pid);
  size_t processes() const;  // remembered

 private:
  const Bound bound_;
  const char* const advice_;
  const std::shared_ptr<Quota> all_;
  mutable absl::Mutex mutex_;
  HashMap<int64_t, std::shared_ptr<Quota>> quotas_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_OBJECTS_PROCESS_QUOTAS_H_
