// The Apple Neural Engine, through AppleNeuralEngine.framework. README.md has every call that is
// used, what is known of it, and what was run where.
//
// Making a device opens the framework, asks it for every selector that this code calls, runs a
// small program by each way of loading and each way of evaluating that the system has, checks the
// results, and keeps the fastest ways that were right. A machine whose engine gives a wrong answer
// has no device.
//
// Options of Compile: "check" = "first-run" | "off": whether the first run of every request is
// compared with what the cpu device computes. The default is AneOptions::check_first_runs.
//
// Threads: as device.h says. This header is plain C++.
#ifndef ANEX_SERVER_DEVICE_APPLE_ANE_DEVICE_H_
#define ANEX_SERVER_DEVICE_APPLE_ANE_DEVICE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/device/device.h"

namespace anex::device::apple {

// The library as macOS has it; not a file, but dlopen finds it.
inline constexpr char kFrameworkPath[] =
    "/System/Library/PrivateFrameworks/AppleNeuralEngine.framework/AppleNeuralEngine";

struct AneOptions {
  std::string framework_path = kFrameworkPath;
  // Programs that are loaded at once. The driver gives a connection about 127.
  uint32_t loaded_programs = 100;
  absl::Duration pace_after_failed_compile = absl::Seconds(15);
  bool check_first_runs = false;
  // Makes the device that first runs are checked against; without it they are not.
  DeviceFactory reference;
};

// UNAVAILABLE: no framework, no engine, or one whose answers are wrong. UNIMPLEMENTED: a framework
// that this code does not know.
absl::StatusOr<std::unique_ptr<Device>> MakeAneDevice(const AneOptions& options = {});
// Named "ane".
DeviceFactory AneDeviceFactory(const AneOptions& options = {});

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_ANE_DEVICE_H_
