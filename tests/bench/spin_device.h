// A device whose kernels do nothing but take their time: a program on `n` elements spins for n
// times the unit. It keeps a log of its own, so that what an engine accounts can be held against
// it.
//
// Threads: as device.h says; the log may be read at any time.
#ifndef ANEX_TESTS_BENCH_SPIN_DEVICE_H_
#define ANEX_TESTS_BENCH_SPIN_DEVICE_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "server/device/device.h"

namespace anex::bench {

inline constexpr int kMostElements = 64;

// Time on the device by the number of elements of the program that ran.
struct SpinLog {
  std::array<std::atomic<int64_t>, kMostElements + 1> busy_ns{};
  std::array<std::atomic<int64_t>, kMostElements + 1> runs{};
};

// Spins `unit_ns` for each element of the first port. 0 = takes no time at all.
device::DeviceFactory SpinDeviceFactory(int64_t unit_ns, std::shared_ptr<SpinLog> log);

// MIL of a program on `elements` elements, which is another program for each number.
ProgramSource SpinProgram(int elements);

}  // namespace anex::bench

#endif  // ANEX_TESTS_BENCH_SPIN_DEVICE_H_
