#include "tests/apple/double_rig.h"

#include <utility>

#include "server/device/cpu/cpu_device.h"

namespace anex::device::apple {

AneOptions OnDouble() {
  AneOptions options;
  options.framework_path = ANEX_ANE_DOUBLE_PATH;
  options.pace_after_failed_compile = absl::ZeroDuration();
  options.reference = cpu::CpuDeviceFactory({.threads = 1});
  return options;
}

std::unique_ptr<Device> AneDouble::Make(const AneOptions& options) {
  absl::StatusOr<std::unique_ptr<Device>> made = MakeAneDevice(options);
  EXPECT_TRUE(made.ok()) << made.status();
  return made.ok() ? *std::move(made) : nullptr;
}

}  // namespace anex::device::apple
