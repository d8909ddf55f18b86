// A program with inputs and what comes out of it, worked out in double by plain loops: what the
// self-test and the probes give an engine. Pure; any thread.
#ifndef ANEX_SERVER_DEVICE_APPLE_TEST_PROGRAM_H_
#define ANEX_SERVER_DEVICE_APPLE_TEST_PROGRAM_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/values/kernel_values.h"
#include "server/mil/program.h"

namespace anex::device::apple {

// Of the largest value of a result: results are sums of at most 64 products in fp16.
inline constexpr double kSelfTestTolerance = 0x1p-7;

// All ports fp16, values row-major by port.
struct TestProgram {
  std::string name;                                     // for people
  std::shared_ptr<const mil::Program> program;          // one function
  std::map<std::string, std::vector<float>> inputs;     // each value is exact in fp16
  std::map<std::string, std::vector<double>> expected;  // outputs
};

// Multiples of 1/64 in [-1, 1), all different for a while and never symmetric: exact in fp16, and
// so are short sums of them in fp32.
std::vector<float> TestValues(size_t count, uint32_t seed);

// `inputs` as a function declares them, `body` as text, `outputs` by name: "y".
absl::StatusOr<std::shared_ptr<const mil::Program>> ReadTestProgram(
    const std::string& name, std::string_view inputs, std::string_view body,
    std::string_view outputs = "y",
    std::map<std::string, std::shared_ptr<const std::string>> weights = {});

// A product of x with weights in a file: another seed, other weights, the same text.
absl::StatusOr<TestProgram> WeightProgram(std::string name, uint32_t seed);
// Those weights alone, as fp16.
std::string BareWeights(uint32_t seed);

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_TEST_PROGRAM_H_
