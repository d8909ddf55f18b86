// What happened on one device, noted as it happens and added to the accounts of the device, the
// session and the kernel later, many notes at a time: an account costs a dozen atomic additions, a
// note some stores.
//
// Threads: Note and Rest from the device thread, which needs no lock for a note; the rest from any.
// The ring of notes has one writer, and whoever settles reads with the lock.
// Invariant: what was noted before Settle is in the accounts after it, so who settles before he
// reads sees all that has completed.
// Bound: kMostNotes; a note about another session or kernel than the last one settles first. Holds
// the accounts of the last pair until Rest.
#ifndef ANEX_SERVER_ENGINE_RUN_USAGE_LOG_H_
#define ANEX_SERVER_ENGINE_RUN_USAGE_LOG_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/engine/objects/usage.h"

namespace anex::engine {

class UsageLog {
 public:
  static constexpr uint64_t kMostNotes = UsageSum::kMostNotes;

  // `session` and `kernel` may be null.
  void Note(const std::shared_ptr<Usage>& session, const std::shared_ptr<Usage>& kernel,
            const UsageNote& note) {
    if (session != session_ || kernel != kernel_) SetPair(session, kernel);
    const uint64_t n = noted_.load(std::memory_order_relaxed);
    if (n - settled_.load(std::memory_order_acquire) == kMostNotes) Settle();
    notes_[n % kMostNotes] = note;
    noted_.store(n + 1, std::memory_order_release);
  }
  // The device thread will be idle: whoever's accounts it noted may go.
  void Rest() { SetPair(nullptr, nullptr); }

  // A note of another thread, into the accounts at once.
  void Add(Usage* session, Usage* kernel, const UsageNote& note) {
    AddTo(UsageSum({&note, 1}), session, kernel);
  }
  void Settle() {
    absl::MutexLock lock(&mutex_);
    SettleLocked();
  }

  Usage& device() { return device_; }

 private:
  void SetPair(const std::shared_ptr<Usage>& session, const std::shared_ptr<Usage>& kernel) {
    absl::MutexLock lock(&mutex_);
    SettleLocked();
    session_ = session;
    kernel_ = kernel;
  }
  void SettleLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const uint64_t noted = noted_.load(std::memory_order_acquire);
    uint64_t settled = settled_.load(std::memory_order_relaxed);
    while (settled != noted) {
      const uint64_t place = settled % kMostNotes;
      const uint64_t count = std::min(noted - settled, kMostNotes - place);
      AddTo(UsageSum({&notes_[place], count}), session_.get(), kernel_.get());
      settled += count;
    }
    settled_.store(settled, std::memory_order_release);
  }
  void AddTo(const UsageSum& sum, Usage* session, Usage* kernel) {
    device_.Add(sum);
    if (session != nullptr) session->Add(sum);
    if (kernel != nullptr) kernel->Add(sum);
  }

  Usage device_;
  std::array<UsageNote, kMostNotes> notes_;  // [settled, noted) are to be settled
  std::atomic<uint64_t> noted_{0}, settled_{0};
  absl::Mutex mutex_;
  // Written by the device thread with the lock, so it reads them without.
  std::shared_ptr<Usage> session_, kernel_;
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_RUN_USAGE_LOG_H_
