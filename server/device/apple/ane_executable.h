// A program that the engine has compiled, and its requests.
//
// It need not be loaded all the time: a run loads it again when others have pushed it out
// (residency.h). A request is the framework's own request object, built once for its surfaces and
// mapped once for each load.
//
// Threads: functions() and Prepare from any thread, also while requests run; a request one run at a
// time. No lock is held while the engine evaluates.
#ifndef ANEX_SERVER_DEVICE_APPLE_ANE_EXECUTABLE_H_
#define ANEX_SERVER_DEVICE_APPLE_ANE_EXECUTABLE_H_

#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "server/device/apple/engine_parts.h"
#import "server/device/apple/model.h"
#include "server/device/apple/residency.h"
#include "server/device/apple/state_lowering.h"
#include "server/device/executable.h"
#include "server/mil/program.h"

namespace anex::device::apple {

class AneExecutable final : public Executable, private Loadable {
 public:
  // Loads `model`, which has been compiled, and reads its ports. `program` is what it was made of.
  static absl::StatusOr<std::shared_ptr<AneExecutable>> Make(
      std::shared_ptr<const EngineParts> parts, std::shared_ptr<const mil::Program> program,
      std::unique_ptr<Model> model);

  std::span<const FunctionInfo> functions() const override { return infos_; }
  absl::StatusOr<std::unique_ptr<Request>> Prepare(size_t function,
                                                   std::span<const BoundPort> ports) override;
  // The engine's memory is Apple's to know: nothing of it is said.
  uint64_t resident_bytes() const override { return 0; }

  // For its requests.
  absl::StatusOr<Residency::Use> Acquire() { return parts_->residency->Acquire(*place_); }
  void Lost(Residency::Use use) { parts_->residency->Lost(*place_, std::move(use)); }
  // NOT_FOUND if it is not loaded now.
  absl::StatusOr<Residency::Use> AcquireIfLoaded() {
    return parts_->residency->AcquireIfLoaded(*place_);
  }
  Model& model() { return *model_; }
  // The same program on the device that first runs are checked against; null if they are not.
  Executable* reference() const { return reference_.get(); }
  const EngineParts& parts() const { return *parts_; }
  const LiveFunction& live(size_t function) const { return *live_[function]; }
  // The function as the engine has it: states are inputs, and outputs of their own where they are
  // written (links).
  const FunctionInfo& engine_info(size_t function) const { return engine_infos_[function]; }
  const std::vector<StateLink>& links(size_t function) const { return links_[function]; }

 private:
  AneExecutable(std::shared_ptr<const EngineParts> parts, std::unique_ptr<Model> model)
      : parts_(std::move(parts)), model_(std::move(model)) {}

  absl::Status Load() override;
  void Unload() override;
  // `engine_program` is what the engine has of `program`.
  absl::Status DescribeAll(const mil::Program& program, const mil::Program& engine_program);
  absl::Status DescribeForEngine(const mil::Function& function, const LiveFunction& live);
  // REQUIRES: the engine's function of that number has been described.
  absl::Status DescribeForClients(const mil::Function& function);

  const std::shared_ptr<const EngineParts> parts_;
  const std::unique_ptr<Model> model_;
  std::shared_ptr<Executable> reference_;
  ModelGeometry geometry_;
  std::vector<const LiveFunction*> live_;  // in geometry_, one for each function
  std::vector<FunctionInfo> infos_, engine_infos_;
  std::vector<std::vector<StateLink>> links_;
  std::unique_ptr<Residency::Place> place_;  // goes first: unloads the model
};

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_ANE_EXECUTABLE_H_
