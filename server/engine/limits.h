// Every bound of the engine, by name, with its default. A refusal says RESOURCE_EXHAUSTED and
// "name=value". Value, any thread; the engine takes a copy at start.
#ifndef ANEX_SERVER_ENGINE_LIMITS_H_
#define ANEX_SERVER_ENGINE_LIMITS_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "proto/values/status_values.h"

namespace anex::engine {

struct Limits {
  uint64_t sessions = 256;
  uint64_t sessions_per_uid = 64;
  uint64_t surfaces_per_session = 16384;
  uint64_t surface_bytes_per_session = 8ull << 30;
  uint64_t surface_bytes = 16ull << 30;  // all sessions
  uint64_t kernels_per_session = 1024;
  uint64_t parameter_sets_per_session = 256;
  uint64_t parameters_per_set = 4096;
  uint64_t invocations_per_session = 16384;
  uint64_t sets_per_invocation = 3;  // 2^n prepared requests
  uint64_t chains_per_session = 1024;
  uint64_t chain_steps = 4096;
  uint64_t chain_repeat = 1u << 20;
  uint64_t lanes_per_session = 64;
  uint64_t fences_per_session = 1024;
  uint64_t lane_depth = 256;              // queued submissions
  uint64_t completions_per_queue = 4096;  // a front's bounded hand-back
  uint64_t handovers_per_session = 4096;  // prepared, not yet claimed
  uint64_t concurrent_compiles = 2;
  uint64_t compile_text_bytes = 64ull << 20;
  uint64_t compile_weight_bytes = 4ull << 30;
  uint64_t compile_deadline_ns = 60'000'000'000;
  uint64_t write_lease_ns = 30'000'000'000;     // longest
  uint64_t attach_deadline_ns = 5'000'000'000;  // Open to hello on the side channel
  uint64_t default_submission_deadline_ns = 60'000'000'000;
  uint64_t device_hang_ns = 10'000'000'000;  // one kernel run longer than this is a hung device
  uint64_t cache_bytes = 2ull << 30;
  uint64_t unpublished_import_ns =
      10'000'000'000;  // an offered region or a hand-over that nobody takes

  // All of the above, for people and for admin calls.
  std::vector<LimitInfo> List() const;
  // NOT_FOUND for an unknown name, OUT_OF_RANGE with the legal range for a bad value.
  absl::Status Set(std::string_view name, uint64_t value);
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_LIMITS_H_
