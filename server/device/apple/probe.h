// What this system's engine can do, found out by trying. Each probe runs by itself: one that fails
// or raises is a finding too, and the rest goes on.
#ifndef ANEX_SERVER_DEVICE_APPLE_PROBE_H_
#define ANEX_SERVER_DEVICE_APPLE_PROBE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "proto/values/probe_values.h"
#import "server/device/apple/engine_parts.h"
#import "server/device/apple/self_test.h"
#include "server/device/call_control.h"

namespace anex::device::apple {

// `tested` is what the start of the device found. `thorough`: loads as many programs at once as the
// engine takes, which may leave none for others until they are unloaded. CANCELLED when told to
// stop.
absl::StatusOr<std::vector<ProbeFinding>> ProbeEngine(const EngineParts& parts,
                                                      const SelfTestResult& tested, bool thorough,
                                                      const CallControl& control);

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_PROBE_H_
