// The programs of the self-test with their inputs, and their results worked out in double by plain
// loops. Pure; any thread.
#ifndef ANEX_SERVER_DEVICE_APPLE_SELF_TEST_PROGRAMS_H_
#define ANEX_SERVER_DEVICE_APPLE_SELF_TEST_PROGRAMS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/mil/program.h"

namespace anex::device::apple {

// Of the largest value of a result: results are sums of at most 64 products in fp16.
inline constexpr double kSelfTestTolerance = 0x1p-7;

struct TestProgram {
  std::string name;                                  // for people
  std::shared_ptr<const mil::Program> program;       // all ports fp16, one output
  std::map<std::string, std::vector<float>> inputs;  // row-major; each value is exact in fp16
  std::vector<double> expected;                      // of the output, row-major
};

// * operands: a product of two inputs of different sizes, whose names, sizes and places in the
//   declaration are in three different orders;
// * order: a difference of two inputs of one size;
// * weights a, b: two programs of one text with different weights.
absl::StatusOr<std::vector<TestProgram>> SelfTestPrograms();

// y = x + `number` on a small tensor: as many different programs as one likes.
absl::StatusOr<TestProgram> AddingProgram(int number);

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_SELF_TEST_PROGRAMS_H_
