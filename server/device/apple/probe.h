// What this system's engine can do, found out by trying. Each question is asked by itself, with
// programs that nobody else uses: one that fails or raises is a finding too, and the rest goes on.
#ifndef ANEX_SERVER_DEVICE_APPLE_PROBE_H_
#define ANEX_SERVER_DEVICE_APPLE_PROBE_H_

#include "absl/status/status.h"
#import "server/device/apple/engine_parts.h"
#import "server/device/apple/self_test.h"
#include "server/device/call_control.h"
#include "server/device/probe_log.h"

namespace anex::device::apple {

// As Device::Probe. `tested` is what the start of the device found. `thorough`: also what has been
// seen to hang or to upset Apple's compiler, and as many programs at once as the engine takes,
// which may leave no room for others meanwhile.
absl::Status ProbeEngine(const EngineParts& parts, const SelfTestResult& tested, bool thorough,
                         CallControl& control, ProbeLog& log);

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_PROBE_H_
