// Small programs that show whether an engine does what it is told: which operand is which, which
// stride is whose, which weights belong to which program. All sizes and values differ, so that no
// mix-up gives the right answer by luck.
//
// Run at the start of a device for each way of loading and evaluating; the results are worked out
// here by plain loops, in double.
#ifndef ANEX_SERVER_DEVICE_APPLE_SELF_TEST_H_
#define ANEX_SERVER_DEVICE_APPLE_SELF_TEST_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#import "server/device/apple/engine_parts.h"

namespace anex::device::apple {

// The least that every chip so far asks for.
inline constexpr uint64_t kLeastRowAlignment = 64;

// What one way of evaluating did.
struct EvaluateTrial {
  EvaluateWay way = EvaluateWay::kModel;
  absl::Status status;    // UNIMPLEMENTED: the system does not have it
  int64_t median_ns = 0;  // of a small program, if OK
};

// What one way of loading did.
struct LoadTrial {
  LoadWay way = LoadWay::kInMemory;
  absl::Status status;
  std::vector<EvaluateTrial> evaluate;
};

// What the system's real-time task did to the way of evaluating that was chosen.
struct RealTimeTrial {
  absl::Status status = absl::UnimplementedError("not tried");  // of asking for it
  int64_t without_ns = 0, with_ns = 0;  // medians of a small program in turns, if OK
  bool kept = false;                    // it costs nothing: the device goes on with it
};

struct SelfTestResult {
  std::vector<LoadTrial> loads;  // all that were tried, in order
  // The first way of loading that was right, and the fastest of evaluating with it.
  LoadWay load_way = LoadWay::kInMemory;
  EvaluateWay evaluate_way = EvaluateWay::kModel;
  RealTimeTrial real_time;
  // Rows of surfaces begin at multiples of this many bytes.
  uint64_t row_alignment = kLeastRowAlignment;
};

// Tries them all with `parts`, whose ways it sets for each trial. UNAVAILABLE with each way's
// reason if none is right.
absl::StatusOr<SelfTestResult> RunSelfTest(const EngineParts& parts);

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_SELF_TEST_H_
