// Whether the engine computed what the program means: the first run of a request is done again by a
// device that is known to be right, and the results are compared. The engine is known to compute
// some programs wrongly without a word; this makes it a loud error.
//
// Tolerances follow the hardware: it keeps fp16 between operations and adds in fp16 or wider, so
// results differ from the reference by a part of the largest value, not of each.
//
// Threads: one request's, one at a time.
#ifndef ANEX_SERVER_DEVICE_APPLE_FIRST_RUN_CHECK_H_
#define ANEX_SERVER_DEVICE_APPLE_FIRST_RUN_CHECK_H_

#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/device/call_control.h"
#include "server/device/executable.h"

namespace anex::device::apple {

// Of the largest magnitude of an output. 2^-5: eight times what a chain of some hundred roundings
// to fp16's 11 bits can add up to, and far below a swapped operand or a skipped mask.
inline constexpr double kFirstRunTolerance = 0x1p-5;

// OK if `found` agrees with `expected`, two tensors of these layouts: DATA_LOSS naming `port`, the
// first element that differs and both values otherwise. Infinities and NaN must stand at the same
// places.
absl::Status CompareOutputs(const std::string& port, const TensorLayout& expected_layout,
                            const std::byte* expected, const TensorLayout& found_layout,
                            const std::byte* found);

class FirstRunCheck {
 public:
  // `ports` are bound to the engine, `info` has their layouts there.
  static absl::StatusOr<std::unique_ptr<FirstRunCheck>> Make(Executable& reference, size_t function,
                                                             const FunctionInfo& info,
                                                             std::span<const BoundPort> ports);

  // Keeps the inputs: a client may write to them while the engine runs.
  absl::Status Before();
  // Runs the reference on them and compares. DATA_LOSS: the engine's results are wrong. ABORTED:
  // the inputs are not what they were, so nothing can be said. The reference makes progress with
  // `control` and stops with it: it may take much longer than the engine.
  absl::Status After(CallControl& control);

 private:
  struct Pair {
    std::string name;
    BoundPort engine, reference;
    TensorLayout engine_layout, reference_layout;
  };
  FirstRunCheck() = default;

  std::vector<Pair> inputs_, outputs_;
  std::unique_ptr<Request> request_;
};

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_FIRST_RUN_CHECK_H_
