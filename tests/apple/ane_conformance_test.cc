// The Apple device in the suite that every device passes, over a fake engine that computes: with
// the engine's tensors in each order that was seen or claimed of real ones, and with padded rows.
#include "tests/apple/double_rig.h"
#include "tests/conformance/device_suite.h"

namespace anex::device {
namespace {

DeviceUnderTest OnEngine(const std::string& label, const std::string& faults) {
  DeviceFactory factory = apple::AneDeviceFactory(apple::OnDouble());
  const auto make = factory.make;
  factory.make = [make, faults] {
    ane_double_reset();
    ane_double_faults(faults.c_str());
    return make();
  };
  return {.label = label, .factory = std::move(factory)};
}

INSTANTIATE_TEST_SUITE_P(Apple, DeviceSuite,
                         ::testing::Values(OnEngine("Declared", "order=declared"),
                                           OnEngine("ByName", "order=name"),
                                           OnEngine("BySize", "order=size"),
                                           OnEngine("Reversed", "order=reverse"),
                                           OnEngine("WideRows", "row=256, order=size"),
                                           OnEngine("ByClient", "memory=off, order=name")),
                         [](const auto& info) { return info.param.label; });

}  // namespace
}  // namespace anex::device
