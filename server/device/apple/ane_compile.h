// From a checked program to a model that the system has compiled.
#ifndef ANEX_SERVER_DEVICE_APPLE_ANE_COMPILE_H_
#define ANEX_SERVER_DEVICE_APPLE_ANE_COMPILE_H_

#include <memory>

#include "absl/status/statusor.h"
#import "server/device/apple/engine_parts.h"
#include "server/device/call_control.h"
#include "server/mil/program.h"

namespace anex::device::apple {

// UNIMPLEMENTED naming the port or value that the engine has no place for; otherwise what Apple's
// compiler says. A program that the system has compiled before costs milliseconds.
absl::StatusOr<std::unique_ptr<Model>> CompileModel(const EngineParts& parts,
                                                    const mil::Program& program,
                                                    const CallControl& control);

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_ANE_COMPILE_H_
