// A function with its surfaces, as the framework wants it: built once, mapped once for each load of
// its program, run many times. See executable.h for threads and promises.
//
// A state is in the memory that is bound to it, or in the request's own, between runs. The engine
// writes its next value beside it, and a run that was right ends with a copy: a run that fails has
// changed no state.
#ifndef ANEX_SERVER_DEVICE_APPLE_ANE_REQUEST_H_
#define ANEX_SERVER_DEVICE_APPLE_ANE_REQUEST_H_

#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#import "server/device/apple/ane_executable.h"
#include "server/device/apple/bound_surface.h"
#include "server/device/apple/first_run_check.h"
#import "server/device/apple/objc_ptr.h"

namespace anex::device::apple {

class AneRequest final : public Request {
 public:
  // REQUIRES: CheckBindings has passed.
  static absl::StatusOr<std::unique_ptr<Request>> Make(std::shared_ptr<AneExecutable> executable,
                                                       size_t function,
                                                       std::span<const BoundPort> ports);
  ~AneRequest() override;

  absl::StatusOr<RunStats> Run(CallControl& control) override;

 private:
  AneRequest(std::shared_ptr<AneExecutable> executable, size_t function)
      : executable_(std::move(executable)), function_(function) {}

  // The memory behind every port of the engine's function: what is bound, and our own for states
  // that are not and for what is written to states.
  absl::StatusOr<std::vector<BoundPort>> PortsForEngine(std::span<const BoundPort> ports);
  absl::Status Build();
  absl::Status MapFor(const Residency::Use& use);
  absl::Status Evaluate(CallControl& control);
  absl::Status FirstRun(CallControl& control);
  absl::Status KeepStates();

  // What a run has written of a state, and where it belongs.
  struct WrittenState {
    BoundPort next, state;
  };

  const std::shared_ptr<AneExecutable> executable_;
  const size_t function_;
  std::vector<BoundSurface> inputs_, outputs_;  // in the order of LiveFunction
  std::vector<WrittenState> written_states_;
  ObjcPtr<id<ANERequest>> request_;
  uint64_t mapped_load_ = 0;  // the load that it is mapped for; 0 = none
  int64_t device_ns_ = 0;     // of the last evaluation
  std::unique_ptr<FirstRunCheck> check_;
};

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_ANE_REQUEST_H_
