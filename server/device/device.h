// The seam behind which programs are compiled and run. A device knows programs (mil/program.h) and
// memory (shm/shared_region.h); it knows no session, no queue and no client.
//
//   Compile(program) -> Artifact -> Load -> Executable -> Prepare(bindings) -> Request -> Run
//
// Threads. Compile and Load may be called from several threads at once. Prepare may be called while
// another thread is in Run of the same executable. Run is synchronous, called from one dispatcher
// thread at a time per device, and must not allocate after the first run of a request.
//
// Ownership. An Executable keeps what it needs of the artifact; a Request keeps its Executable and
// its regions alive (both by shared_ptr). Destroying the last reference unloads. A Device outlives
// its executables.
//
// Stopping. Compile, Load and Run are given a CallControl. A device that computes looks at it now
// and then, and returns CANCELLED once it is told to stop; it also counts its progress there, which
// tells a slow call from a stuck one.
//
// Hung hardware. An evaluate cannot be cancelled there. The engine may abandon the thread that is
// inside Run for good when it makes no progress, and make a fresh Device from the factory; the
// abandoned Request and all it holds stay alive until that Run returns, if ever. A device must
// therefore keep no lock across Run that Compile, Load, Prepare or a fresh device instance would
// need.
//
// Honesty. What a device cannot do or measure is UNIMPLEMENTED or absent, never a made-up success.
// Unsupported programs are refused by Compile with UNIMPLEMENTED naming the operation.
#ifndef ANEX_SERVER_DEVICE_DEVICE_H_
#define ANEX_SERVER_DEVICE_DEVICE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/device/artifact.h"
#include "server/device/call_control.h"
#include "server/device/capabilities.h"
#include "server/device/executable.h"
#include "server/device/memory_account.h"
#include "server/device/probe_log.h"
#include "server/mil/program.h"

namespace anex::device {

// Something of a program that a device does not have: an operation, or one of its types or
// parameters.
struct Lacking {
  mil::SourceRange where;  // of the operation
  std::string what;        // a sentence: "the cpu device has no operation `x`"
};

// What a device is given besides the program when it makes something of it. `control` lives as long
// as the call; `memory` is asked before memory is taken, and kept by what keeps the memory. Null:
// nobody counts.
struct BuildContext {
  CallControl& control;
  std::shared_ptr<MemoryAccount> memory;
};

class Device {
 public:
  virtual ~Device() = default;

  // Constant for the device's life.
  virtual const Capabilities& capabilities() const = 0;

  // Compiles every function of `program`. INVALID_ARGUMENT for an unknown option or value,
  // UNIMPLEMENTED for an operation or type it does not support, RESOURCE_EXHAUSTED for its limits,
  // CANCELLED when told to stop.
  virtual absl::StatusOr<Artifact> Compile(std::shared_ptr<const mil::Program> program,
                                           const DeviceOptions& options,
                                           const BuildContext& context) = 0;
  // For callers who never stop it.
  absl::StatusOr<Artifact> Compile(std::shared_ptr<const mil::Program> program,
                                   const DeviceOptions& options) {
    CallControl control;
    return Compile(std::move(program), options, {control, nullptr});
  }

  // What of `program` Compile would refuse with UNIMPLEMENTED, all of it, in the order of the text,
  // so that a check can show where it stands. Quick: compiles nothing, reads no weights, and costs
  // the hardware nothing. Empty where only compiling tells.
  virtual std::vector<Lacking> FindLacking(const mil::Program&) const { return {}; }

  // Makes a compiled program runnable. `artifact` may come from another process of the same
  // capabilities().compiler_version through the cache: FAILED_PRECONDITION if it does not fit.
  virtual absl::StatusOr<std::shared_ptr<Executable>> Load(const Artifact& artifact,
                                                           const BuildContext& context) = 0;
  absl::StatusOr<std::shared_ptr<Executable>> Load(const Artifact& artifact) {
    CallControl control;
    return Load(artifact, {control, nullptr});
  }

  // Tells `log` what it can do, found out by trying, question by question. Seconds; the caller sees
  // to it that nothing else runs on this instance. `thorough`: also what may use up something of
  // the machine's until a restart, or hang. `control` counts progress, with every answer at least.
  // OK once every question has an answer, "failed: ..." among them; CANCELLED when told to stop;
  // else why nothing could be asked. Whatever it compiled and loaded has gone when it returns.
  virtual absl::Status Probe(bool thorough, CallControl& control, ProbeLog& log) {
    static_cast<void>(thorough), static_cast<void>(control), static_cast<void>(log);
    return absl::UnimplementedError("this device has nothing to tell about itself");
  }

  // The layout that a new surface of this dtype and shape should have when nothing more is known.
  virtual absl::StatusOr<TensorLayout> PreferredLayout(DType dtype, const Shape& shape) const = 0;
};

// Makes a device or says why this machine has none (UNAVAILABLE). Called again after a hang.
struct DeviceFactory {
  std::string name;
  std::function<absl::StatusOr<std::unique_ptr<Device>>()> make;
};

}  // namespace anex::device

#endif  // ANEX_SERVER_DEVICE_DEVICE_H_
