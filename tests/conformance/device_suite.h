// What every device must do, written once against device.h. A device joins with a line in
// device_suite_test.cc; what it cannot do it skips by name, with a reason that is printed.
#ifndef ANEX_TESTS_CONFORMANCE_DEVICE_SUITE_H_
#define ANEX_TESTS_CONFORMANCE_DEVICE_SUITE_H_

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "server/device/device.h"

namespace anex::device {

struct DeviceUnderTest {
  std::string label;  // of the tests: letters and digits
  DeviceFactory factory;
  DeviceOptions options;                     // given to every Compile
  double tolerance = 0.01;                   // relative to the largest value of a result
  std::map<std::string, std::string> skips;  // test -> why this device cannot pass it
};

inline void PrintTo(const DeviceUnderTest& device, std::ostream* out) { *out << device.label; }

class DeviceSuite : public ::testing::TestWithParam<DeviceUnderTest> {
 protected:
  void SetUp() override;

  std::unique_ptr<Device> device_;
};

}  // namespace anex::device

#endif  // ANEX_TESTS_CONFORMANCE_DEVICE_SUITE_H_
