#include "server/device/apple/self_test_programs.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"

namespace anex::device::apple {
namespace {

absl::StatusOr<TestProgram> Operands() {
  constexpr size_t kRows = 96, kInner = 64, kColumns = 32;
  TestProgram test{.name = "operands"};
  auto program =
      ReadTestProgram(test.name, "tensor<fp16, [1, 1, 64, 32]> x, tensor<fp16, [1, 1, 96, 64]> a",
                      "        tensor<fp16, [1, 1, 96, 32]> y = matmul(x = a, y = x, "
                      "transpose_x = bool(false), transpose_y = bool(false));\n");
  if (!program.ok()) return program.status();
  test.program = *std::move(program);
  const std::vector<float> x = TestValues(kInner * kColumns, 1), a = TestValues(kRows * kInner, 2);
  std::vector<double>& y = test.expected["y"];
  for (size_t row = 0; row < kRows; ++row) {
    for (size_t column = 0; column < kColumns; ++column) {
      double sum = 0;
      for (size_t k = 0; k < kInner; ++k) {
        sum += double{a[row * kInner + k]} * double{x[k * kColumns + column]};
      }
      y.push_back(sum);
    }
  }
  test.inputs = {{"x", x}, {"a", a}};
  return test;
}

// x - a, both of `dims`.
absl::StatusOr<TestProgram> Difference(std::string name, const Shape& dims, uint32_t seed) {
  TestProgram test{.name = std::move(name)};
  const std::string type = absl::StrCat("tensor<fp16, ", dims.ToString(), "> ");
  auto program = ReadTestProgram(test.name, absl::StrCat(type, "x, ", type, "a"),
                                 absl::StrCat("        ", type, "y = sub(x = x, y = a);\n"));
  if (!program.ok()) return program.status();
  test.program = *std::move(program);
  const auto elements = static_cast<size_t>(dims.ElementCount());
  const std::vector<float> x = TestValues(elements, seed), a = TestValues(elements, seed + 1);
  std::vector<double>& y = test.expected["y"];
  for (size_t i = 0; i < elements; ++i) y.push_back(double{x[i]} - double{a[i]});
  test.inputs = {{"x", x}, {"a", a}};
  return test;
}

}  // namespace

absl::StatusOr<TestProgram> NarrowProgram() { return Difference("narrow", {1, 32, 3, 5}, 8); }

absl::StatusOr<std::vector<TestProgram>> SelfTestPrograms() {
  std::vector<TestProgram> tests;
  for (absl::StatusOr<TestProgram>& test :
       std::array{Operands(), Difference("order", {1, 64, 1, 32}, 3), WeightProgram("weights a", 5),
                  WeightProgram("weights b", 7)}) {
    if (!test.ok()) return test.status();
    tests.push_back(*std::move(test));
  }
  return tests;
}

}  // namespace anex::device::apple
