#include "server/engine/objects/process_quotas.h"

namespace anex::engine {

absl::StatusOr<QuotaPlace> ProcessQuotas::Take(int64_t pid) {
  absl::MutexLock lock(&mutex_);
  std::shared_ptr<Quota>& quota = quotas_[pid];
  if (quota == nullptr) {
    // A new process: the time to forget those that have nothing out. Places are only taken under
    // the lock, so that none of them can come back to life.
    std::shared_ptr<Quota> fresh = std::make_shared<Quota>(bound_, advice_, all_);
    std::erase_if(quotas_, [](const auto& entry) {
      return entry.second == nullptr || entry.second->used() == 0;
    });
    return (quotas_[pid] = std::move(fresh))->Take();
  }
  return quota->Take();
}

size_t ProcessQuotas::processes() const {
  absl::MutexLock lock(&mutex_);
  return quotas_.size();
}

}  // namespace anex::engine
