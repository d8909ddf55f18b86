#include "client/cli/bench/workload.h"

#include <cstring>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "proto/wire/half.h"

namespace anex::bench {
namespace {

// Of fewer there are too few permutations for twelve that can be told apart.
constexpr int kFewestChannels = 4;
constexpr int kLargestSide = 4096;
constexpr char kNullName[] = "null";

std::string Function(const std::string& parameters, const std::string& body) {
  return absl::StrCat("program(1.3)\n{\n  func main<ios18>(", parameters, ") {\n", body,
                      "  } -> (y);\n}\n");
}

void Put32(std::string& bytes, size_t at, uint32_t value) { std::memcpy(&bytes[at], &value, 4); }

// A weight file: head, one record, its data at byte 128.
std::shared_ptr<const std::string> WeightFile(const std::vector<float>& values) {
  std::string bytes(128 + 2 * values.size(), '\0');
  Put32(bytes, 0, 1);
  Put32(bytes, 4, 2);
  Put32(bytes, 64, 0xDEADBEEF);
  Put32(bytes, 68, 1);
  Put32(bytes, 72, static_cast<uint32_t>(2 * values.size()));
  Put32(bytes, 80, 128);
  for (size_t i = 0; i < values.size(); ++i) {
    const uint16_t half = FloatToHalf(values[i]);
    std::memcpy(&bytes[128 + 2 * i], &half, 2);
  }
  return std::make_shared<const std::string>(std::move(bytes));
}

std::string TensorType(std::initializer_list<int> shape) {
  std::string type = "tensor<fp16, [";
  for (const int dim : shape) absl::StrAppend(&type, type.back() == '[' ? "" : ", ", dim);
  return type + "]>";
}

ProgramSource ConvProgram(int c, int s, const std::vector<float>& dense) {
  const std::string act = TensorType({1, c, 1, s}), weight = TensorType({c, c, 1, 1});
  ProgramSource source{.name = absl::StrCat("ceiling-", c, "x", s, ".mil")};
  source.text = Function(
      absl::StrCat(act, " x"),
      absl::StrCat("    ", weight, " w = const()[name = string(\"w\"), val = ", weight,
                   "(BLOBFILE(path = string(\"@model_path/weights/w.bin\"), offset = "
                   "uint64(64)))];\n    ",
                   act,
                   " y = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1), pad = "
                   "tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string(\"valid\"), strides = "
                   "tensor<int32, [2]>([1, 1]), weight = w, x = x)[name = string(\"y\")];\n"));
  source.weights["weights/w.bin"] = WeightFile(dense);
  return source;
}

ProgramSource ParameterProgram(int c, int s) {
  const std::string flat = TensorType({1, c, s});
  ProgramSource source{.name = absl::StrCat("parameter-", c, "x", s, ".mil")};
  source.text = Function(
      absl::StrCat(TensorType({1, c, 1, s}), " x, ", TensorType({1, c, c}), " W"),
      absl::StrCat("    ", flat, " f = reshape(shape = tensor<int32, [3]>([1, ", c, ", ", s,
                   "]), x = x)[name = string(\"f\")];\n    ", flat,
                   " y = matmul(transpose_x = bool(false), transpose_y = bool(false), x = W, y = "
                   "f)[name = string(\"y\")];\n"));
  return source;
}

struct Sides {
  bool null = false;
  int channels = 1, columns = 1;
};

absl::StatusOr<Sides> ParseSides(std::string_view name_view) {
  const std::string name(name_view);
  if (name == kNullName) return Sides{.null = true};
  const std::vector<std::string> parts = absl::StrSplit(name, 'x');
  Sides sides;
  const bool numbers = parts.size() == 2 && absl::SimpleAtoi(parts[0], &sides.channels) &&
                       absl::SimpleAtoi(parts[1], &sides.columns);
  // Spelled as it will be printed: no sign, no leading zero.
  const bool plain = numbers && name == absl::StrCat(sides.channels, "x", sides.columns);
  if (plain && sides.channels >= kFewestChannels && sides.columns >= 1 &&
      sides.channels <= kLargestSide && sides.columns <= kLargestSide) {
    return sides;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("a kernel is \"null\" or CHANNELSxCOLUMNS such as 64x32, from ", kFewestChannels,
                   "x1 to ", kLargestSide, "x", kLargestSide, "; found \"", name, "\""));
}

}  // namespace

ProgramSource NullProgram() {
  const std::string one = TensorType({1, 1, 1, 1});
  return ProgramSource{
      .name = "null.mil",
      .text = Function(one + " x",
                       absl::StrCat("    ", one, " y = identity(x = x)[name = string(\"y\")];\n"))};
}

Workload::Workload(std::string name, bool null, int channels, int columns)
    : name_(std::move(name)),
      null_(null),
      channels_(channels),
      columns_(columns),
      inputs_(elements()) {
  for (uint32_t i = 0; i < kKernels; ++i) {
    weights_.push_back(null ? KernelWeights::Identity(channels) : KernelWeights::Make(channels, i));
    dense_.push_back(weights_.back().Dense());
    if (!null) programs_.push_back(ConvProgram(channels, columns, dense_.back()));
  }
  if (null) {
    programs_.push_back(NullProgram());
  } else {
    parameter_program_ = ParameterProgram(channels, columns);
  }
}

absl::Status CheckWorkloadName(std::string_view name) { return ParseSides(name).status(); }

absl::StatusOr<bool> IsNullWorkload(std::string_view name) {
  const absl::StatusOr<Sides> sides = ParseSides(name);
  if (!sides.ok()) return sides.status();
  return sides->null;
}

absl::StatusOr<std::shared_ptr<const Workload>> Workload::Make(std::string_view name) {
  const absl::StatusOr<Sides> sides = ParseSides(name);
  if (!sides.ok()) return sides.status();
  return std::shared_ptr<const Workload>(
      new Workload(std::string(name), sides->null, sides->channels, sides->columns));
}

}  // namespace anex::bench
