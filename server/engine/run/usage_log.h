// What happened on one device, noted as it happens and added to the accounts of the device, the
// session and the kernel later, many notes at a time: an account costs a dozen atomic additions, a
// note some stores.
//
// Threads: any; one short lock. Invariant: what was noted before Settle is in the accounts after
// it, so who settles before he reads sees all that has completed. Bound: kMostNotes; a note about
// another session or kernel than the last one settles first. Holds the accounts of the last pair
// until then: settle before a rest.
#ifndef ANEX_SERVER_ENGINE_RUN_USAGE_LOG_H_
#define ANEX_SERVER_ENGINE_RUN_USAGE_LOG_H_

#include <array>
#include <cstddef>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/engine/objects/usage.h"

namespace anex::engine {

class UsageLog {
 public:
  static constexpr size_t kMostNotes = 64;

  // `session` and `kernel` may be null.
  void Note(const std::shared_ptr<Usage>& session, const std::shared_ptr<Usage>& kernel,
            const UsageNote& note) {
    absl::MutexLock lock(&mutex_);
    if (session != session_ || kernel != kernel_) {
      SettleLocked();
      session_ = session;
      kernel_ = kernel;
    }
    notes_[count_++] = note;
    if (count_ == kMostNotes) SettleLocked();
  }

  void Settle() {
    absl::MutexLock lock(&mutex_);
    SettleLocked();
    session_.reset();
    kernel_.reset();
  }

  Usage& device() { return device_; }
  const Usage& device() const { return device_; }

 private:
  void SettleLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const std::span<const UsageNote> notes(notes_.data(), count_);
    count_ = 0;
    if (notes.empty()) return;
    device_.Add(notes);
    if (session_ != nullptr) session_->Add(notes);
    if (kernel_ != nullptr) kernel_->Add(notes);
  }

  Usage device_;
  absl::Mutex mutex_;
  std::shared_ptr<Usage> session_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<Usage> kernel_ ABSL_GUARDED_BY(mutex_);
  std::array<UsageNote, kMostNotes> notes_ ABSL_GUARDED_BY(mutex_);
  size_t count_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_RUN_USAGE_LOG_H_
