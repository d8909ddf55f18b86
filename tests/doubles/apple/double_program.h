// What the fake engine runs: MIL text and weights, compiled for the cpu device, with the geometry
// of an engine around it - five dimensions, padded rows, live tensors in an order of its own. Plain
// C++; the Objective-C classes wrap it.
//
// Threads: immutable once compiled, but that one evaluation runs at a time.
#ifndef ANEX_TESTS_DOUBLES_APPLE_DOUBLE_PROGRAM_H_
#define ANEX_TESTS_DOUBLES_APPLE_DOUBLE_PROGRAM_H_

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "proto/values/kernel_values.h"
#include "server/device/device.h"

namespace anex::ane_double {

struct Tensor {
  std::string name;
  DType dtype = DType::kInvalid;
  Shape shape;                                 // as MIL has it
  std::array<int64_t, 5> dims{1, 1, 1, 1, 1};  // batch, channel, depth, height, width
  std::array<int64_t, 5> strides{};            // bytes
  uint32_t symbol = 0;
  uint32_t port = 0;  // of the cpu's executable

  int64_t bytes() const { return strides[0] * dims[0]; }
};

struct Procedure {
  std::string name;
  std::vector<Tensor> inputs, outputs;  // in live order
};

// The memory behind one symbol.
struct Memory {
  std::byte* data = nullptr;
  size_t size = 0;
};

class DoubleProgram {
 public:
  // Null if the text or the weights are bad; `why` says what.
  static std::shared_ptr<DoubleProgram> Compile(const ProgramSource& source, std::string& why);

  const ProgramSource& source() const { return source_; }
  const std::vector<Procedure>& procedures() const { return procedures_; }
  const std::vector<std::string>& input_symbols() const { return input_symbols_; }
  const std::vector<std::string>& output_symbols() const { return output_symbols_; }

  // By symbol. 0 = done; 0x1d a surface is too small or missing, 0x2 a symbol of another procedure.
  int Evaluate(uint32_t procedure, const std::map<uint32_t, Memory>& inputs,
               const std::map<uint32_t, Memory>& outputs);

 private:
  struct Runner {
    std::unique_ptr<device::Request> request;
    std::vector<device::BoundPort> ports;
  };
  DoubleProgram() = default;
  void Describe(const FunctionInfo& info);
  bool Prepare(size_t procedure, std::string& why);

  ProgramSource source_;
  std::shared_ptr<device::Device> cpu_;
  std::shared_ptr<device::Executable> executable_;
  std::vector<Procedure> procedures_;
  std::vector<std::string> input_symbols_, output_symbols_;
  std::mutex mutex_;  // one command is in the engine at a time
  std::vector<Runner> runners_;
};

}  // namespace anex::ane_double

#endif  // ANEX_TESTS_DOUBLES_APPLE_DOUBLE_PROGRAM_H_
