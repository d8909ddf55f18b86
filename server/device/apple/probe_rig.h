// One in-memory model with its surfaces, for probes: the framework's calls as they are, with any
// argument. Header for probe*.mm only.
//
// Threads: one. Whatever happens, the program is unloaded and its folder removed at the end.
#ifndef ANEX_SERVER_DEVICE_APPLE_PROBE_RIG_H_
#define ANEX_SERVER_DEVICE_APPLE_PROBE_RIG_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/shm/iosurface_region.h"
#include "server/device/apple/ane_source.h"
#import "server/device/apple/engine_parts.h"
#import "server/device/apple/objc_ptr.h"
#include "server/device/apple/test_program.h"
#include "server/device/call_control.h"

namespace anex::device::apple {

struct RigSetup {
  // The program is nobody else's (NewSeed): the system's compiled copy goes with the rig.
  bool fresh = false;
  unsigned stats_mask = 0;  // perfStatsMask, set before the program is loaded; 0 = not set
};

// How a request differs from the ordinary one.
struct RequestVariant {
  unsigned procedure = 0;
  IOSurfaceRef weights = nullptr;  // weightsBuffer
  NSArray* stats = nil;            // perfStats
  bool backwards = false;          // inputs and their symbols in reverse
};

class ProbeRig {
 public:
  // Compiles (in its turn) and loads `test`, and fills its inputs.
  static absl::StatusOr<std::unique_ptr<ProbeRig>> Make(const EngineParts& parts,
                                                        const TestProgram& test,
                                                        const CallControl& control,
                                                        const RigSetup& setup = {});
  ~ProbeRig();
  ProbeRig(const ProbeRig&) = delete;
  ProbeRig& operator=(const ProbeRig&) = delete;

  absl::Status Load(unsigned qos = kQos);
  absl::Status Unload();
  // Of the last of each, in microseconds.
  double compile_us() const { return compile_us_; }
  double load_us() const { return load_us_; }
  double unload_us() const { return unload_us_; }

  absl::StatusOr<ObjcPtr<id<ANERequest>>> NewRequest(const RequestVariant& variant = {});
  absl::Status Evaluate(id<ANERequest> request, unsigned qos = kQos);
  // Spoils the outputs and evaluates, so that nothing in them is from an earlier run.
  absl::Status EvaluateAnew(id<ANERequest> request, unsigned qos = kQos);
  // Whether the outputs are what `test` gives on the same inputs.
  bool OutputsAre(const TestProgram& test) const;
  // Makes a request, evaluates it anew and looks: OK if the outputs are `test`'s, else DATA_LOSS
  // "wrong results" or what failed.
  absl::Status TryRequest(const TestProgram& test, const RequestVariant& variant = {});

  const EngineParts& parts() const { return parts_; }
  const AneSource& source() const { return source_; }
  const std::string& folder() const { return folder_->path(); }
  const LiveFunction& live() const { return live_; }
  IOSurfaceRef input(size_t i) const { return SurfaceOf(inputs_[i]); }
  IOSurfaceRef output(size_t i) const { return SurfaceOf(outputs_[i].region); }
  id<ANEInMemoryModel> model() const { return model_.get(); }

 private:
  struct Output {
    std::string name;
    TensorLayout layout;
    std::shared_ptr<shm::SharedRegion> region;
  };

  explicit ProbeRig(const EngineParts& parts) : parts_(parts) {}
  static IOSurfaceRef SurfaceOf(const std::shared_ptr<shm::SharedRegion>& region) {
    return static_cast<const shm::IosurfaceRegion&>(*region).surface();
  }
  absl::Status MakeModel(const TestProgram& test, const RigSetup& setup);
  absl::Status Compile(const CallControl& control);
  absl::Status MakeSurfaces(const TestProgram& test);

  const EngineParts parts_;
  bool purge_ = false;
  AneSource source_;
  std::shared_ptr<WorkFolder> folder_;
  ObjcPtr<id<ANEInMemoryModel>> model_;
  LiveFunction live_;
  std::vector<std::shared_ptr<shm::SharedRegion>> inputs_;  // in the order of live_
  std::vector<Output> outputs_;                             // the same
  bool loaded_ = false;
  double compile_us_ = 0, load_us_ = 0, unload_us_ = 0;
};

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_PROBE_RIG_H_
