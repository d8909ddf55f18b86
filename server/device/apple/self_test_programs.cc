#include "server/device/apple/self_test_programs.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/wire/half.h"
#include "server/mil/blob_file.h"
#include "server/mil/front_end.h"

namespace anex::device::apple {
namespace {

// Multiples of 1/64 in [-1, 1), all different for a while and never symmetric: exact in fp16, and
// so are short sums of them in fp32.
std::vector<float> Values(size_t count, uint32_t seed) {
  std::vector<float> values(count);
  uint32_t state = seed * 2654435761u + 12345u;
  for (float& value : values) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(static_cast<int>(state >> 25) - 64) / 64.0f;
  }
  return values;
}

absl::StatusOr<std::shared_ptr<const mil::Program>> Read(const ProgramSource& source) {
  mil::FrontEndResult read = mil::Read(source);
  if (read.program == nullptr) {
    return absl::InternalError(
        absl::StrCat("self-test program ", source.name, ": ",
                     read.diagnostics.empty() ? "not read" : read.diagnostics.front().message));
  }
  return std::move(read.program);
}

std::string Text(std::string_view inputs, std::string_view body) {
  return absl::StrCat("program(1.3)\n{\n    func main<ios18>(", std::string(inputs), ") {\n",
                      std::string(body), "    } -> (y);\n}\n");
}

absl::StatusOr<TestProgram> Operands() {
  constexpr size_t kRows = 96, kInner = 64, kColumns = 32;
  TestProgram test{.name = "operands"};
  auto program = Read({.name = test.name,
                       .text = Text("tensor<fp16, [1, 1, 64, 32]> x, "
                                    "tensor<fp16, [1, 1, 96, 64]> a",
                                    "        tensor<fp16, [1, 1, 96, 32]> y = matmul(x = a, y = x, "
                                    "transpose_x = bool(false), transpose_y = bool(false));\n")});
  if (!program.ok()) return program.status();
  test.program = *std::move(program);
  const std::vector<float> x = Values(kInner * kColumns, 1), a = Values(kRows * kInner, 2);
  for (size_t row = 0; row < kRows; ++row) {
    for (size_t column = 0; column < kColumns; ++column) {
      double sum = 0;
      for (size_t k = 0; k < kInner; ++k) {
        sum += double{a[row * kInner + k]} * double{x[k * kColumns + column]};
      }
      test.expected.push_back(sum);
    }
  }
  test.inputs = {{"x", x}, {"a", a}};
  return test;
}

absl::StatusOr<TestProgram> Order() {
  constexpr size_t kElements = 64 * 32;
  TestProgram test{.name = "order"};
  auto program =
      Read({.name = test.name,
            .text = Text("tensor<fp16, [1, 64, 1, 32]> x, tensor<fp16, [1, 64, 1, 32]> a",
                         "        tensor<fp16, [1, 64, 1, 32]> y = sub(x = x, y = a);\n")});
  if (!program.ok()) return program.status();
  test.program = *std::move(program);
  const std::vector<float> x = Values(kElements, 3), a = Values(kElements, 4);
  for (size_t i = 0; i < kElements; ++i) test.expected.push_back(double{x[i]} - double{a[i]});
  test.inputs = {{"x", x}, {"a", a}};
  return test;
}

absl::StatusOr<TestProgram> Weights(std::string name, uint32_t seed) {
  constexpr size_t kOut = 32, kIn = 64, kWidth = 32;
  TestProgram test{.name = std::move(name)};
  const std::vector<float> weight = Values(kOut * kIn, seed), x = Values(kIn * kWidth, 6);
  std::vector<uint16_t> halves;
  for (const float value : weight) halves.push_back(FloatToHalf(value));
  mil::BlobFileWriter file;
  const uint64_t offset = file.Add(*mil::FindScalarType("fp16"), std::as_bytes(std::span(halves)));
  auto program = Read(
      {.name = "weights",
       .text = Text("tensor<fp16, [1, 64, 1, 32]> x",
                    absl::StrCat("        tensor<fp16, [1, 32, 1, 32]> y = conv(x = x, weight = "
                                 "tensor<fp16, [32, 64, 1, 1]>(BLOBFILE(path = "
                                 "string(\"@model_path/weights/weight.bin\"), offset = uint64(",
                                 offset,
                                 "))), pad_type = string(\"valid\"), strides = tensor<int32, "
                                 "[2]>([1, 1]), dilations = tensor<int32, [2]>([1, 1]), groups = "
                                 "int32(1));\n")),
       .weights = {{"weights/weight.bin", std::make_shared<const std::string>(file.Take())}}});
  if (!program.ok()) return program.status();
  test.program = *std::move(program);
  for (size_t out = 0; out < kOut; ++out) {
    for (size_t at = 0; at < kWidth; ++at) {
      double sum = 0;
      for (size_t in = 0; in < kIn; ++in) {
        sum += double{weight[out * kIn + in]} * double{x[in * kWidth + at]};
      }
      test.expected.push_back(sum);
    }
  }
  test.inputs = {{"x", x}};
  return test;
}

}  // namespace

absl::StatusOr<std::vector<TestProgram>> SelfTestPrograms() {
  std::vector<TestProgram> tests;
  for (absl::StatusOr<TestProgram>& test :
       std::array{Operands(), Order(), Weights("weights a", 5), Weights("weights b", 7)}) {
    if (!test.ok()) return test.status();
    tests.push_back(*std::move(test));
  }
  return tests;
}

absl::StatusOr<TestProgram> AddingProgram(int number) {
  TestProgram test{.name = absl::StrCat("add ", number)};
  auto program = Read({.name = test.name,
                       .text = Text("tensor<fp16, [1, 64, 1, 32]> x",
                                    absl::StrCat("        tensor<fp16, [1, 64, 1, 32]> y = add(x = "
                                                 "x, y = fp16(",
                                                 number, "));\n"))});
  if (!program.ok()) return program.status();
  test.program = *std::move(program);
  const std::vector<float> x = Values(64 * 32, 8);
  for (const float value : x) test.expected.push_back(double{value} + number);
  test.inputs = {{"x", x}};
  return test;
}

}  // namespace anex::device::apple
