// The way to Apple's compiler: one program at a time, none soon after one that failed, and never
// again one that failed.
//
// A failed compile may restart the system's compiler service, and what comes while it restarts
// fails too, or poisons the process: after a failure new texts wait at least 15 s.
//
// Threads: any; no lock is held while a program compiles. A compile cannot be stopped: the caller
// that is told to stop leaves only while it waits.
#ifndef ANEX_SERVER_DEVICE_APPLE_COMPILE_GATE_H_
#define ANEX_SERVER_DEVICE_APPLE_COMPILE_GATE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/device/call_control.h"

namespace anex::device::apple {

struct CompileGateOptions {
  absl::Duration pace_after_failure = absl::Seconds(15);
  // A compile that takes longer is taken for stuck: others are turned away instead of waiting.
  absl::Duration deadline = absl::Seconds(120);
  size_t most_remembered = 1024;  // failing programs
};

class CompileGate {
 public:
  explicit CompileGate(const CompileGateOptions& options = {}) : options_(options) {}

  // Runs `compile` for the program `digest`, in its turn. A program that has failed gets the same
  // answer again; CANCELLED when told to stop while it waits; UNAVAILABLE behind one that is stuck.
  absl::Status Run(const std::string& digest, const CallControl& control,
                   const std::function<absl::Status()>& compile);

  uint64_t compiles() const;  // tried so far
  uint64_t failures() const;  // of them

 private:
  absl::Status Enter(const std::string& digest, const CallControl& control)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Leave(const std::string& digest, const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const CompileGateOptions options_;
  mutable absl::Mutex mutex_;
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time began_ ABSL_GUARDED_BY(mutex_);
  absl::Time open_again_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  std::map<std::string, absl::Status> failed_ ABSL_GUARDED_BY(mutex_);
  uint64_t compiles_ ABSL_GUARDED_BY(mutex_) = 0, failures_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_COMPILE_GATE_H_
