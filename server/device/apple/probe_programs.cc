#include "server/device/apple/probe_programs.h"

#include <random>
#include <string>

#include "absl/strings/str_cat.h"

namespace anex::device::apple {

absl::StatusOr<TestProgram> ThreeInputs() {
  constexpr size_t kRows = 32, kInner = 64, kColumns = 96;
  TestProgram test{.name = "three inputs"};
  auto program = ReadTestProgram(
      test.name,
      "tensor<fp16, [1, 1, 64, 96]> b, tensor<fp16, [1, 1, 1, 96]> c, tensor<fp16, [1, 1, 32, 64]> "
      "a",
      "        tensor<fp16, [1, 1, 32, 96]> product = matmul(x = a, y = b, transpose_x = "
      "bool(false), transpose_y = bool(false));\n"
      "        tensor<fp16, [1, 1, 32, 96]> y = sub(x = product, y = c);\n");
  if (!program.ok()) return program.status();
  test.program = *std::move(program);
  const std::vector<float> a = TestValues(kRows * kInner, 11),
                           b = TestValues(kInner * kColumns, 12), c = TestValues(kColumns, 13);
  std::vector<double>& y = test.expected["y"];
  for (size_t row = 0; row < kRows; ++row) {
    for (size_t column = 0; column < kColumns; ++column) {
      double sum = -double{c[column]};
      for (size_t k = 0; k < kInner; ++k) {
        sum += double{a[row * kInner + k]} * double{b[k * kColumns + column]};
      }
      y.push_back(sum);
    }
  }
  test.inputs = {{"a", a}, {"b", b}, {"c", c}};
  return test;
}

absl::StatusOr<TestProgram> TwoOutputs() {
  constexpr size_t kLarge = 48 * 32, kSmall = 16 * 32;
  TestProgram test{.name = "two outputs"};
  auto program =
      ReadTestProgram(test.name, "tensor<fp16, [1, 48, 1, 32]> x, tensor<fp16, [1, 16, 1, 32]> a",
                      "        tensor<fp16, [1, 48, 1, 32]> y = add(x = x, y = fp16(0.5));\n"
                      "        tensor<fp16, [1, 16, 1, 32]> z = sub(x = a, y = fp16(0.25));\n",
                      "z, y");
  if (!program.ok()) return program.status();
  test.program = *std::move(program);
  test.inputs = {{"x", TestValues(kLarge, 14)}, {"a", TestValues(kSmall, 15)}};
  for (const float value : test.inputs["x"]) test.expected["y"].push_back(double{value} + 0.5);
  for (const float value : test.inputs["a"]) test.expected["z"].push_back(double{value} - 0.25);
  return test;
}

absl::StatusOr<TestProgram> Difference(int channels, int width) {
  const std::string type = absl::StrCat("tensor<fp16, [1, ", channels, ", 1, ", width, "]> ");
  const size_t elements = static_cast<size_t>(channels) * static_cast<size_t>(width);
  TestProgram test{.name = absl::StrCat("difference ", channels, "x", width)};
  auto program = ReadTestProgram(test.name, type + "x, " + type + "a",
                                 "        " + type + "y = sub(x = x, y = a);\n");
  if (!program.ok()) return program.status();
  test.program = *std::move(program);
  const std::vector<float> x = TestValues(elements, 16), a = TestValues(elements, 17);
  std::vector<double>& y = test.expected["y"];
  for (size_t i = 0; i < elements; ++i) y.push_back(double{x[i]} - double{a[i]});
  test.inputs = {{"x", x}, {"a", a}};
  return test;
}

absl::StatusOr<TestProgram> Joined() {
  constexpr size_t kFirst = 32 * 32, kSecond = 64 * 32;
  TestProgram test{.name = "joined"};
  auto program =
      ReadTestProgram(test.name, "tensor<fp16, [1, 64, 1, 32]> x, tensor<fp16, [1, 32, 1, 32]> a",
                      "        tensor<fp16, [1, 96, 1, 32]> y = concat(values = (a, x), axis = "
                      "int32(1), interleave "
                      "= bool(false));\n");
  if (!program.ok()) return program.status();
  test.program = *std::move(program);
  test.inputs = {{"x", TestValues(kSecond, 18)}, {"a", TestValues(kFirst, 19)}};
  std::vector<double>& y = test.expected["y"];
  for (const char* name : {"a", "x"}) {
    y.insert(y.end(), test.inputs[name].begin(), test.inputs[name].end());
  }
  return test;
}

uint32_t NewSeed() { return std::random_device()(); }

}  // namespace anex::device::apple
