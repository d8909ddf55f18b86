// One program at the framework, by one of the two ways that are known to work: as an in-memory
// model or as a model in a folder that the client is told of.
//
//   Compile -> Load -> Geometry, MakeRequest, Evaluate ... -> Unload
//
// Threads: Compile, Load and Unload one at a time (Residency sees to it); Evaluate from one thread
// at a time for each request, while nobody loads or unloads. Every method has an autorelease pool
// and turns exceptions into a Status.
#ifndef ANEX_SERVER_DEVICE_APPLE_MODEL_H_
#define ANEX_SERVER_DEVICE_APPLE_MODEL_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/values/kernel_values.h"
#import "server/device/apple/framework.h"
#include "server/device/apple/model_geometry.h"
#import "server/device/apple/objc_ptr.h"
#include "server/device/apple/work_folder.h"

namespace anex::device::apple {

// The calls that run a request. Which is fastest differs between machines: see evaluate_choice.h.
enum class EvaluateWay : uint8_t {
  kModel = 0,     // the model's or the client's own evaluate
  kDirect = 1,    // doEvaluateDirectWithModel
  kRealTime = 2,  // evaluateRealTimeWithModel
  kProcess = 3,   // processRequest of the loaded program; in-memory models only
};
inline constexpr int kEvaluateWays = 4;
std::string_view EvaluateWayName(EvaluateWay way);  // "model", "direct", "real-time", "process"

// Two ways to give a program to the framework.
enum class LoadWay : uint8_t { kInMemory = 0, kClient = 1 };
std::string_view LoadWayName(LoadWay way);  // "in-memory", "client"

// What a model is made of. `source` has been spelled for Apple's compiler (ane_source.h).
struct ModelSource {
  std::string digest;  // hex, of text and weights
  std::shared_ptr<const ProgramSource> source;
};

class Model {
 public:
  virtual ~Model() = default;

  // The system has a compiled copy: Compile is not needed.
  virtual bool IsCompiled() = 0;
  // Drops the system's compiled copy.
  virtual void Purge() = 0;
  virtual absl::Status Compile() = 0;
  virtual absl::Status Load() = 0;
  virtual absl::Status Unload() = 0;

  // REQUIRES of the rest: loaded.
  virtual absl::StatusOr<ModelGeometry> Geometry() = 0;
  // Maps the request's surfaces for the engine, once for all its runs. OK where the system has no
  // call for it.
  virtual absl::Status Map(id<ANERequest> request) = 0;
  virtual void Unmap(id<ANERequest> request) = 0;
  virtual bool Has(EvaluateWay way) = 0;
  // Returns when the outputs are written.
  virtual absl::Status Evaluate(EvaluateWay way, id<ANERequest> request) = 0;
};

// REQUIRES: the framework has what `way` needs (Framework::Has). Writes the program's files.
absl::StatusOr<std::unique_ptr<Model>> MakeModel(LoadWay way,
                                                 std::shared_ptr<const Framework> framework,
                                                 const ModelSource& source, WorkFolders& folders);

// The service class that all calls are made with: the driver's middle one. The calling thread's own
// matters more; it is the dispatcher's.
inline constexpr unsigned kQos = 21;

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_MODEL_H_
