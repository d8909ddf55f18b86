// What tests of the Apple device share: the device on the fake framework, whose faults are set and
// whose counts are read here.
#ifndef ANEX_TESTS_APPLE_DOUBLE_RIG_H_
#define ANEX_TESTS_APPLE_DOUBLE_RIG_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "server/device/apple/ane_device.h"
#include "tests/doubles/apple/double_control.h"

namespace anex::device::apple {

// Does not wait after failed compiles.
AneOptions OnDouble();

class AneDouble : public ::testing::Test {
 protected:
  AneDouble() { ane_double_reset(); }
  ~AneDouble() override { ane_double_reset(); }

  // Fails the test if there is none.
  std::unique_ptr<Device> Make(const AneOptions& options = OnDouble());
};

}  // namespace anex::device::apple

#endif  // ANEX_TESTS_APPLE_DOUBLE_RIG_H_
