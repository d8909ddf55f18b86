#include "server/device/apple/compile_gate.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace anex::device::apple {
namespace {

// How late a caller that was told to stop may leave the queue.
constexpr absl::Duration kLook = absl::Milliseconds(20);

// Whether the failure is the program's own: another try would end the same.
bool IsOfProgram(const absl::Status& status) { return absl::IsInvalidArgument(status); }

}  // namespace

absl::Status CompileGate::Run(const std::string& digest, const CallControl& control,
                              const std::function<absl::Status()>& compile) {
  {
    absl::MutexLock lock(&mutex_);
    if (absl::Status entered = Enter(digest, control); !entered.ok()) return entered;
  }
  absl::Status status = compile();
  absl::MutexLock lock(&mutex_);
  Leave(digest, status);
  return status;
}

absl::Status CompileGate::Enter(const std::string& digest, const CallControl& control) {
  for (;;) {
    if (const auto failed = failed_.find(digest); failed != failed_.end()) return failed->second;
    if (absl::Status going = control.Check(); !going.ok()) return going;
    const absl::Time now = absl::Now();
    if (busy_ && now - began_ > options_.deadline) {
      return absl::UnavailableError(absl::StrCat("Apple's compiler has been at one program for ",
                                                 absl::ToInt64Seconds(now - began_),
                                                 " s and takes no other; restart anexd"));
    }
    if (!busy_ && now >= open_again_) break;
    const absl::Time until = busy_ ? now + kLook : std::min(open_again_, now + kLook);
    const auto free = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !busy_; };
    if (busy_) {
      mutex_.AwaitWithDeadline(absl::Condition(&free), until);
    } else {
      mutex_.Unlock();
      absl::SleepFor(until - now);
      mutex_.Lock();
    }
  }
  busy_ = true;
  began_ = absl::Now();
  ++compiles_;
  return absl::OkStatus();
}

void CompileGate::Leave(const std::string& digest, const absl::Status& status) {
  busy_ = false;
  if (status.ok()) return;
  ++failures_;
  open_again_ = absl::Now() + options_.pace_after_failure;
  if (!IsOfProgram(status)) return;
  if (failed_.size() >= options_.most_remembered) failed_.erase(failed_.begin());
  failed_.emplace(digest, status);
}

uint64_t CompileGate::compiles() const {
  absl::MutexLock lock(&mutex_);
  return compiles_;
}

uint64_t CompileGate::failures() const {
  absl::MutexLock lock(&mutex_);
  return failures_;
}

}  // namespace anex::device::apple
