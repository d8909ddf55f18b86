// One in-memory model with its surfaces, for probes: the framework's calls as they are, with any
// argument. Header for probe*.mm only.
#ifndef ANEX_SERVER_DEVICE_APPLE_PROBE_RIG_H_
#define ANEX_SERVER_DEVICE_APPLE_PROBE_RIG_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/shm/iosurface_region.h"
#include "server/device/apple/ane_source.h"
#import "server/device/apple/engine_parts.h"
#import "server/device/apple/objc_ptr.h"
#include "server/device/apple/self_test_programs.h"

namespace anex::device::apple {

// How a request differs from the ordinary one.
struct RequestVariant {
  unsigned procedure = 0;
  IOSurfaceRef weights = nullptr;  // weightsBuffer
  NSArray* stats = nil;            // perfStats
};

class ProbeRig {
 public:
  // Compiles and loads `test`, which must outlive the rig, and fills its inputs.
  static absl::StatusOr<std::unique_ptr<ProbeRig>> Make(const EngineParts& parts,
                                                        const TestProgram& test);
  ~ProbeRig();

  absl::Status Load();
  absl::Status Unload();
  absl::StatusOr<ObjcPtr<id<ANERequest>>> NewRequest(const RequestVariant& variant = {});
  absl::Status Evaluate(id<ANERequest> request, unsigned qos = kQos);
  // Of so many evaluations, in microseconds.
  absl::StatusOr<double> MedianUs(id<ANERequest> request, int runs, unsigned qos = kQos);
  // Whether the output is what `test` gives on the same inputs.
  bool OutputIs(const TestProgram& test) const;

  const AneSource& source() const { return source_; }
  const std::string& folder() const { return folder_->path(); }
  id<ANEInMemoryModel> model() const { return model_.get(); }

 private:
  explicit ProbeRig(const EngineParts& parts) : parts_(parts) {}
  absl::Status MakeSurfaces(const TestProgram& test);

  const EngineParts parts_;
  AneSource source_;
  std::shared_ptr<WorkFolder> folder_;
  ObjcPtr<id<ANEInMemoryModel>> model_;
  LiveFunction live_;
  std::vector<std::shared_ptr<shm::SharedRegion>> inputs_;  // in the order of live_
  std::shared_ptr<shm::SharedRegion> output_;
  TensorLayout output_layout_;
  bool loaded_ = false;
};

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_PROBE_RIG_H_
