// What tests of devices share: tensors as plain bytes, and a program run from start to end.
#ifndef ANEX_TESTS_DEVICE_HARNESS_H_
#define ANEX_TESTS_DEVICE_HARNESS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/device/device.h"

namespace anex::device {

// Elements in row-major order without gaps.
struct Tensor {
  DType dtype = DType::kInvalid;
  Shape shape;
  std::vector<std::byte> bytes;

  int64_t elements() const { return shape.ElementCount(); }
  double at(int64_t i) const;  // widened
};

// Each value rounded once.
Tensor MakeTensor(DType dtype, const Shape& shape, const std::vector<double>& values);
// Values that differ from one another and from any of their sums: a swap or a shift shows. About
// +-`scale`; the same for the same seed.
Tensor NoiseTensor(DType dtype, const Shape& shape, uint32_t seed, double scale = 1.0);
std::vector<double> ValuesOf(const Tensor& tensor);

// A program of one function `main` (opset ios18), checked; a failed test and null if it is wrong.
// `inputs`: "tensor<fp16, [2, 3]> x, ..."; `outputs`: "y, z".
std::string MainText(std::string_view inputs, std::string_view body, std::string_view outputs);
std::shared_ptr<const mil::Program> ReadProgram(
    std::string text, std::map<std::string, std::shared_ptr<const std::string>> weights = {});

using Tensors = std::map<std::string, Tensor>;

// A function of a loaded program with memory of its own behind every port.
class Bound {
 public:
  // Compiles, loads and prepares. Statuses that are not OK fail the test and leave ok() false.
  Bound(Device& device, std::shared_ptr<const mil::Program> program,
        const DeviceOptions& options = {}, std::string_view function = "");
  Bound(std::shared_ptr<Executable> executable, std::string_view function);

  bool ok() const { return request_ != nullptr; }
  void Set(const std::string& port, const Tensor& tensor);  // through the layout's strides
  Tensor Get(const std::string& port) const;
  // Runs; the outputs by name.
  Tensors Run();
  Tensors Run(const Tensors& inputs);
  Request& request() { return *request_; }
  Executable& executable() { return *executable_; }
  const FunctionInfo& info() const { return *info_; }

 private:
  void Load(Device& device, std::shared_ptr<const mil::Program> program,
            const DeviceOptions& options, std::string_view function);
  void Prepare(std::string_view function);
  const BoundPort& Find(const std::string& port) const;

  std::shared_ptr<Executable> executable_;
  const FunctionInfo* info_ = nullptr;
  std::vector<BoundPort> ports_;
  std::unique_ptr<Request> request_;
};

// Memory for every port of `info`, laid out as the device wants it.
std::vector<BoundPort> MemoryFor(const FunctionInfo& info);

}  // namespace anex::device

#endif  // ANEX_TESTS_DEVICE_HARNESS_H_
