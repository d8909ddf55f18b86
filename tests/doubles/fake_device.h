// A device for tests of everything above the seam: small, deterministic, records its calls.
//
// Programs run on the cpu device's reference, one thread; but ports have their rows padded to 64
// bytes, so that code which takes memory for packed is found out. With `compute` off, Run touches
// nothing and takes no time but busy_ns: what a run then costs is what the path to it costs.
//
// Threads: as device.h says. The record may be read at any time.
#ifndef ANEX_TESTS_DOUBLES_FAKE_DEVICE_H_
#define ANEX_TESTS_DOUBLES_FAKE_DEVICE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "server/device/device.h"

namespace anex::device {

// What happened to all devices of one config.
struct FakeRecord {
  std::atomic<int> devices{0}, compiles{0}, loads{0}, unloads{0}, prepares{0}, runs{0};
  std::atomic<int> running{0}, most_running{0};  // now, and at most at the same time
};

struct FakeConfig {
  std::string name = "fake";
  uint64_t row_alignment = 64;  // bytes; 1 = packed
  bool compute = true;
  int64_t device_ns = 1000;  // what Run says that it took
  int64_t busy_ns = 0;       // how long Run holds its thread when it does not compute
  std::shared_ptr<FakeRecord> record = std::make_shared<FakeRecord>();
};

std::unique_ptr<Device> MakeFakeDevice(FakeConfig config = {});
DeviceFactory FakeDeviceFactory(FakeConfig config = {});

}  // namespace anex::device

#endif  // ANEX_TESTS_DOUBLES_FAKE_DEVICE_H_
