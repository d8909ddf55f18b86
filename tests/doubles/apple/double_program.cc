#include "tests/doubles/apple/double_program.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

#include "server/device/cpu/cpu_device.h"
#include "server/mil/front_end.h"
#include "tests/doubles/apple/faults.h"

namespace anex::ane_double {
namespace {

constexpr int kSizeMismatch = 0x1d, kWrongSymbols = 0x2;

// MIL's dimensions at the engine's places: the last is the width, the one before the height, ...
// and a batch and channels in front.
void Place(Tensor& tensor) {
  const int rank = tensor.shape.rank();
  if (rank >= 5) {
    for (int i = 0; i < 5; ++i) tensor.dims[i] = tensor.shape[rank - 5 + i];
    return;
  }
  constexpr int kPlaces[4] = {0, 1, 3, 4};  // no depth
  for (int i = 0; i < rank; ++i) tensor.dims[kPlaces[4 - rank + i]] = tensor.shape[i];
}

// Rows start at multiples of `row` bytes.
void Stride(Tensor& tensor, int64_t row) {
  const auto element = static_cast<int64_t>(ElementSize(tensor.dtype));
  tensor.strides[4] = element;
  tensor.strides[3] = (tensor.dims[4] * element + row - 1) / row * row;
  tensor.strides[2] = tensor.strides[3] * tensor.dims[3];
  tensor.strides[1] = tensor.strides[2] * tensor.dims[2];
  tensor.strides[0] = tensor.strides[1] * tensor.dims[1];
}

void Order(std::vector<Tensor>& tensors, const std::string& order) {
  if (order == "name") std::ranges::sort(tensors, {}, &Tensor::name);
  if (order == "size") std::ranges::stable_sort(tensors, {}, &Tensor::bytes);
  if (order == "reverse") std::ranges::reverse(tensors);
}

// Calls `visit` with the packed and the strided offset of every row, and its bytes.
void ForEachRow(const Tensor& tensor,
                const std::function<void(int64_t packed, int64_t at, size_t bytes)>& visit) {
  const int64_t row = tensor.dims[4] * static_cast<int64_t>(ElementSize(tensor.dtype));
  std::array<int64_t, 4> at{};
  for (int64_t packed = 0;; packed += row) {
    int64_t offset = 0;
    for (int axis = 0; axis < 4; ++axis) offset += at[axis] * tensor.strides[axis];
    visit(packed, offset, static_cast<size_t>(row));
    int axis = 3;
    while (axis >= 0 && ++at[axis] == tensor.dims[axis]) at[axis--] = 0;
    if (axis < 0) return;
  }
}

// The memory of `tensor`, or null: none, or too little.
std::byte* Find(const std::map<uint32_t, Memory>& memory, const Tensor& tensor) {
  const auto found = memory.find(tensor.symbol);
  if (found == memory.end() || found->second.size < static_cast<size_t>(tensor.bytes())) {
    return nullptr;
  }
  return found->second.data;
}

std::shared_ptr<device::Device> Cpu() {
  static const auto& cpu =
      *new std::shared_ptr<device::Device>(device::cpu::MakeCpuDevice({.threads = 1}));
  return cpu;
}

}  // namespace

std::shared_ptr<DoubleProgram> DoubleProgram::Compile(const ProgramSource& source,
                                                      std::string& why) {
  mil::FrontEndResult read = mil::Read(source);
  if (read.program == nullptr) {
    why = read.diagnostics.empty() ? "not read" : read.diagnostics.front().message;
    return nullptr;
  }
  std::shared_ptr<DoubleProgram> made(new DoubleProgram);
  made->source_ = source;
  made->cpu_ = Cpu();
  const auto artifact = made->cpu_->Compile(read.program, {});
  if (!artifact.ok()) {
    why = std::string(artifact.status().message());
    return nullptr;
  }
  auto executable = made->cpu_->Load(*artifact);
  if (!executable.ok()) {
    why = std::string(executable.status().message());
    return nullptr;
  }
  made->executable_ = *std::move(executable);
  for (const FunctionInfo& info : made->executable_->functions()) made->Describe(info);
  for (size_t i = 0; i < made->procedures_.size(); ++i) {
    if (!made->Prepare(i, why)) return nullptr;
  }
  return made;
}

void DoubleProgram::Describe(const FunctionInfo& info) {
  Procedure procedure{.name = info.name};
  const int64_t row = Faults::Instance().Number("row", 64);
  for (uint32_t i = 0; i < info.ports.size(); ++i) {
    const PortInfo& port = info.ports[i];
    Tensor tensor{
        .name = port.name, .dtype = port.layout.dtype, .shape = port.layout.shape, .port = i};
    Place(tensor);
    Stride(tensor, row);
    (port.direction == PortDirection::kOutput ? procedure.outputs : procedure.inputs)
        .push_back(std::move(tensor));
  }
  const std::string order = Faults::Instance().Get("order");
  Order(procedure.inputs, order);
  Order(procedure.outputs, order);
  for (Tensor& tensor : procedure.inputs) {
    tensor.symbol = static_cast<uint32_t>(input_symbols_.size());
    input_symbols_.push_back(tensor.name);
  }
  for (Tensor& tensor : procedure.outputs) {
    tensor.symbol = static_cast<uint32_t>(output_symbols_.size());
    output_symbols_.push_back(tensor.name);
  }
  procedures_.push_back(std::move(procedure));
}

bool DoubleProgram::Prepare(size_t procedure, std::string& why) {
  const FunctionInfo& info = executable_->functions()[procedure];
  Runner runner;
  for (uint32_t i = 0; i < info.ports.size(); ++i) {
    auto region = shm::CreateHeapRegion(info.ports[i].layout.allocation_bytes);
    if (!region.ok()) {
      why = "no memory";
      return false;
    }
    runner.ports.push_back({i, *std::move(region), info.ports[i].layout});
  }
  auto request = executable_->Prepare(procedure, runner.ports);
  if (!request.ok()) {
    why = std::string(request.status().message());
    return false;
  }
  runner.request = *std::move(request);
  runners_.push_back(std::move(runner));
  return true;
}

int DoubleProgram::Evaluate(uint32_t number, const std::map<uint32_t, Memory>& inputs,
                            const std::map<uint32_t, Memory>& outputs) {
  if (number >= procedures_.size()) return kWrongSymbols;
  const Procedure& procedure = procedures_[number];
  const std::lock_guard lock(mutex_);
  Runner& runner = runners_[number];
  for (const Tensor& tensor : procedure.inputs) {
    if (!inputs.contains(tensor.symbol)) return kWrongSymbols;
    const std::byte* from = Find(inputs, tensor);
    if (from == nullptr) return kSizeMismatch;
    std::byte* to = runner.ports[tensor.port].region->data();
    ForEachRow(tensor, [&](int64_t packed, int64_t at, size_t bytes) {
      std::memcpy(to + packed, from + at, bytes);
    });
  }
  for (const Tensor& tensor : procedure.outputs) {
    if (!outputs.contains(tensor.symbol)) return kWrongSymbols;
    if (Find(outputs, tensor) == nullptr) return kSizeMismatch;
  }
  if (!runner.request->Run().ok()) return 0x16;
  for (const Tensor& tensor : procedure.outputs) {
    const std::byte* from = runner.ports[tensor.port].region->data();
    std::byte* to = Find(outputs, tensor);
    ForEachRow(tensor, [&](int64_t packed, int64_t at, size_t bytes) {
      std::memcpy(to + at, from + packed, bytes);
    });
  }
  return 0;
}

}  // namespace anex::ane_double
