// The devices that pass the suite.

#include "tests/conformance/device_suite.h"

#include "server/device/cpu/cpu_device.h"
#include "tests/doubles/fake_device.h"
#include "tests/doubles/fault_device.h"

namespace anex::device {
namespace {

std::vector<DeviceUnderTest> Devices() {
  return {
      {.label = "CpuDefault", .factory = cpu::CpuDeviceFactory({.threads = 2}), .options = {}},
      {.label = "CpuReference",
       .factory = cpu::CpuDeviceFactory({.threads = 1}),
       .options = {{"numerics", "reference"}}},
      {.label = "Fake", .factory = FakeDeviceFactory(), .options = {}},
      {.label = "FaultWithoutFaults",
       .factory = FaultDeviceFactory(FakeDeviceFactory(), std::make_shared<Faults>()),
       .options = {}},
  };
}

INSTANTIATE_TEST_SUITE_P(Devices, DeviceSuite, ::testing::ValuesIn(Devices()),
                         [](const auto& info) { return info.param.label; });

}  // namespace
}  // namespace anex::device
