#include "server/device/apple/test_program.h"

#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/wire/half.h"
#include "server/mil/blob_file.h"
#include "server/mil/front_end.h"

namespace anex::device::apple {
namespace {

constexpr size_t kOut = 32, kIn = 64, kWidth = 32;  // of WeightProgram

std::vector<uint16_t> HalvesOf(const std::vector<float>& values) {
  std::vector<uint16_t> halves;
  for (const float value : values) halves.push_back(FloatToHalf(value));
  return halves;
}

}  // namespace

std::vector<float> TestValues(size_t count, uint32_t seed) {
  std::vector<float> values(count);
  uint32_t state = seed * 2654435761u + 12345u;
  for (float& value : values) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(static_cast<int>(state >> 25) - 64) / 64.0f;
  }
  return values;
}

absl::StatusOr<std::shared_ptr<const mil::Program>> ReadTestProgram(
    const std::string& name, std::string_view inputs, std::string_view body,
    std::string_view outputs, std::map<std::string, std::shared_ptr<const std::string>> weights) {
  const ProgramSource source{
      .name = name,
      .text = absl::StrCat("program(1.3)\n{\n    func main<ios18>(", std::string(inputs), ") {\n",
                           std::string(body), "    } -> (", std::string(outputs), ");\n}\n"),
      .weights = std::move(weights)};
  mil::FrontEndResult read = mil::Read(source);
  if (read.program == nullptr) {
    return absl::InternalError(
        absl::StrCat("test program ", name, ": ",
                     read.diagnostics.empty() ? "not read" : read.diagnostics.front().message));
  }
  return std::move(read.program);
}

std::string BareWeights(uint32_t seed) {
  const std::vector<uint16_t> halves = HalvesOf(TestValues(kOut * kIn, seed));
  return std::string(reinterpret_cast<const char*>(halves.data()),
                     halves.size() * sizeof halves[0]);
}

absl::StatusOr<TestProgram> WeightProgram(std::string name, uint32_t seed) {
  TestProgram test{.name = std::move(name)};
  const std::vector<float> weight = TestValues(kOut * kIn, seed), x = TestValues(kIn * kWidth, 6);
  const std::vector<uint16_t> halves = HalvesOf(weight);
  mil::BlobFileWriter file;
  const uint64_t offset = file.Add(*mil::FindScalarType("fp16"), std::as_bytes(std::span(halves)));
  auto program = ReadTestProgram(
      "weights", "tensor<fp16, [1, 64, 1, 32]> x",
      absl::StrCat(
          "        tensor<fp16, [1, 32, 1, 32]> y = conv(x = x, weight = tensor<fp16, [32, "
          "64, 1, 1]>(BLOBFILE(path = string(\"@model_path/weights/weight.bin\"), offset = "
          "uint64(",
          offset,
          "))), pad_type = string(\"valid\"), strides = tensor<int32, [2]>([1, 1]), "
          "dilations = tensor<int32, [2]>([1, 1]), groups = int32(1));\n"),
      "y", {{"weights/weight.bin", std::make_shared<const std::string>(file.Take())}});
  if (!program.ok()) return program.status();
  test.program = *std::move(program);
  std::vector<double>& y = test.expected["y"];
  for (size_t out = 0; out < kOut; ++out) {
    for (size_t at = 0; at < kWidth; ++at) {
      double sum = 0;
      for (size_t in = 0; in < kIn; ++in) {
        sum += double{weight[out * kIn + in]} * double{x[in * kWidth + at]};
      }
      y.push_back(sum);
    }
  }
  test.inputs = {{"x", x}};
  return test;
}

}  // namespace anex::device::apple
