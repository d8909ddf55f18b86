// Every bound of the engine, by name, with its default: as plain values (Limits), and as they are
// in force and can be changed meanwhile (LiveLimits). A refusal says RESOURCE_EXHAUSTED,
// "name=value", what to do, and how the bound is changed.
//
// Names: X is for the whole daemon, X_per_session for one session.
#ifndef ANEX_SERVER_ENGINE_LIMITS_H_
#define ANEX_SERVER_ENGINE_LIMITS_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "proto/values/status_values.h"

namespace anex::engine {

// Value, any thread. The bytes are those of a machine with 32 GiB; see ForMemory.
struct Limits {
  uint64_t sessions = 256;
  uint64_t sessions_per_uid = 192;  // usually there is one uid: the rest is for others
  uint64_t sessions_per_process = 32;
  uint64_t surfaces = 65536;  // each is a descriptor of the daemon
  uint64_t surfaces_per_session = 16384;
  uint64_t surface_bytes = 16ull << 30;
  uint64_t surface_bytes_per_session = 8ull << 30;
  uint64_t kernels = 8192;
  uint64_t kernels_per_session = 1024;
  uint64_t kernel_bytes = 8ull << 30;
  uint64_t kernel_bytes_per_session = 4ull << 30;
  uint64_t parameter_sets_per_session = 256;
  uint64_t parameters_per_set = 4096;
  uint64_t invocations_per_session = 16384;
  uint64_t sets_per_invocation = 3;  // 2^n prepared requests
  uint64_t chains_per_session = 1024;
  uint64_t chain_steps = 4096;
  uint64_t chain_repeat = 1u << 20;
  uint64_t lanes_per_session = 64;
  uint64_t fences_per_session = 1024;
  uint64_t queued = 65536;  // submissions that are queued or run
  uint64_t queued_per_session = 16384;
  uint64_t lane_depth = 256;
  uint64_t calls = 448;  // under way; each takes one of gRPC's 512 threads
  uint64_t calls_per_process = 64;
  uint64_t streams = 1024;
  uint64_t streams_per_session = 64;
  uint64_t completions_per_queue = 4096;  // a front's bounded hand-back
  uint64_t handovers_per_session = 4096;  // prepared, not yet claimed
  uint64_t concurrent_compiles = 2;
  uint64_t compiles_per_minute = 1200;
  uint64_t compiles_per_minute_per_session = 600;
  uint64_t compile_text_bytes = 64ull << 20;
  uint64_t compile_weight_bytes = 4ull << 30;
  uint64_t upload_bytes = 8ull << 30;
  uint64_t upload_bytes_per_session = 4ull << 30;
  uint64_t compile_deadline_ns = 60'000'000'000;
  uint64_t write_lease_ns = 30'000'000'000;     // longest
  uint64_t attach_deadline_ns = 5'000'000'000;  // Open to hello on the side channel
  uint64_t default_submission_deadline_ns = 60'000'000'000;
  uint64_t device_hang_ns =
      10'000'000'000;  // a kernel run without progress for so long is a hung device
  uint64_t cache_bytes = 2ull << 30;
  uint64_t unpublished_import_ns =
      10'000'000'000;         // an offered region or a hand-over that nobody takes
  uint64_t asked_weight = 4;  // largest that a client may ask for itself; weights.h gives more
  // What a scheduling class keeps of the device's time while higher ones have work; see
  // run/qos_class.h. At most 200 each, so that some is left.
  uint64_t interactive_kept_permille = 100;
  uint64_t default_kept_permille = 150;
  uint64_t utility_kept_permille = 50;
  uint64_t background_kept_permille = 20;

  // Those whose default is a part of the machine's memory, for one with `memory_bytes` of it (0 =
  // unknown: as above). All accounts of the daemon together stay within it:
  //
  //   surfaces 1/2, kernels 1/4, programs on their way 1/4; half of each for one session
  static Limits ForMemory(uint64_t memory_bytes);

  // All of the above, for people and for admin calls.
  std::vector<LimitInfo> List() const;
  // NOT_FOUND for an unknown name, OUT_OF_RANGE with the legal range for a bad value.
  absl::Status Set(std::string_view name, uint64_t value);
};

// One bound as it is in force. Cheap to copy; any thread. What is over a bound that was lowered
// stays; nothing is added until it is below.
class Bound {
 public:
  // One that never changes, for parts that are used by themselves. `name` is a string literal.
  Bound(const char* name, uint64_t value)
      : Bound(name, true, std::make_shared<const std::atomic<uint64_t>>(value)) {}

  const char* name() const { return name_; }
  uint64_t value() const { return value_->load(std::memory_order_relaxed); }
  // RESOURCE_EXHAUSTED "name=value: `found`; its setting ...". `found` says what was asked for or
  // what to do about it.
  absl::Status Exceeded(std::string_view found) const;

 private:
  friend class LiveLimits;
  Bound(const char* name, bool live, std::shared_ptr<const std::atomic<uint64_t>> value)
      : name_(name), live_(live), value_(std::move(value)) {}

  const char* name_;
  bool live_;
  std::shared_ptr<const std::atomic<uint64_t>> value_;
};

// The bounds in force. Threads: any. A Bound of it may outlive it.
class LiveLimits {
 public:
  LiveLimits(const Limits& limits);  // NOLINT(google-explicit-constructor): a value of them will do

  Bound Of(uint64_t Limits::*field) const;
  uint64_t Get(uint64_t Limits::*field) const { return Of(field).value(); }
  Limits Now() const;

  // All or nothing. NOT_FOUND, OUT_OF_RANGE as Limits::Set; FAILED_PRECONDITION for one that is
  // taken at start only.
  absl::Status Set(const std::map<std::string, uint64_t>& values);
  // All but those that are taken at start only; the names of those that would have changed.
  std::vector<std::string> Replace(const Limits& limits);

 private:
  struct Values;
  void Store(const Limits& limits) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;  // one writer at a time
  const std::shared_ptr<Values> values_;
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_LIMITS_H_
