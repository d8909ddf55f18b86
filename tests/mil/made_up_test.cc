// Programs that are checked without their weights: nothing is concluded from what stands in for
// them, and everything else is still checked.
#include "gmock/gmock.h"
#include "server/mil/ane/ane_rules.h"
#include "tests/mil/reading.h"

namespace anex::mil {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A const of a type out of a file that is not there.
std::string Missing(const std::string& type, const std::string& name) {
  return type + " " + name + " = const()[val = " + type +
         "(BLOBFILE(path = string(\"@model_path/w.bin\"), offset = uint64(64)))];\n";
}

constexpr char kX[] = "tensor<fp16, [2, 3, 4]> x";

TEST(MadeUp, ValuesThatAreNotKnownAreBelieved) {
  const std::string ints = Missing("tensor<int32, [3]>", "n");
  const std::string axis = Missing("int32", "n");
  for (const std::string& body : {
           Missing("fp16", "low") + Missing("fp16", "high") +
               "tensor<fp16, [2, 3, 4]> y = clip(x = x, alpha = low, beta = high);",
           ints + "tensor<fp16, [4, 2, 3]> y = transpose(x = x, perm = n);",
           ints + "tensor<fp16, [6, 2, 2]> y = reshape(x = x, shape = n);",
           ints + "tensor<fp16, [4, 6, 4]> y = tile(x = x, reps = n);",
           ints + "tensor<fp16, [1, 1, 4]> y = slice_by_size(x = x, begin = tensor<int32, [3]>([0, "
                  "0, 0]), size = n);",
           ints + "tensor<fp16, [5, 5, 5]> y = fill(shape = n, value = fp16(2));",
           Missing("tensor<int32, [6]>", "n") +
               "tensor<fp16, [3, 3, 9]> y = pad(x = x, pad = n, mode = string(\"constant\"));",
           axis +
               "tensor<fp16, [2, 3, 1]> y = reduce_sum(x = x, axes = n, keep_dims = bool(true));",
           axis + "tensor<fp16, [2, 3, 8]> y = concat(values = (x, x), axis = n, interleave = "
                  "bool(false));",
           // What is computed from them is not known either.
           Missing("tensor<int32, [2]>", "n") +
               "tensor<int32, [3]> s = concat(values = (n, tensor<int32, [1]>([2])), axis = "
               "int32(0), interleave = bool(false));\n"
               "tensor<int32, [3]> t = mul(x = s, y = s);\n"
               "tensor<fp16, [3, 4, 2]> y = reshape(x = x, shape = t);",
           Missing("tensor<int32, [1]>", "n") + "tensor<int32, [1]> q = floor_div(x = "
                                                "tensor<int32, [1]>([24]), y = n);\n tensor<fp16, "
                                                "[24]> y = reshape(x = x, shape = q);",
       }) {
    const FrontEndResult result = ReadText(Around(kX, body, "y"));
    EXPECT_NE(result.program, nullptr) << RenderText(result.diagnostics) << body;
  }
}

TEST(MadeUp, WhatDoesNotDependOnThemIsChecked) {
  EXPECT_EQ(OnlyError(Around("tensor<fp16, [1, 4, 1, 6]> x",
                             Missing("tensor<fp16, [5, 4, 1, 1]>", "w") +
                                 "tensor<fp16, [1, 4, 1, 6]> y = conv(x = x, weight = w);",
                             "y"))
                .code,
            "MIL0402");
  EXPECT_EQ(OnlyError(Around("tensor<fp16, [1, 4, 1, 6]> x",
                             Missing("tensor<fp16, [5, 3, 1, 1]>", "w") +
                                 "tensor<fp16, [1, 5, 1, 6]> y = conv(x = x, weight = w);",
                             "y"))
                .code,
            "MIL0401");
  // Behind what is believed, too.
  EXPECT_EQ(OnlyError(Around(kX,
                             Missing("tensor<int32, [3]>", "n") +
                                 "tensor<fp16, [4, 2, 3]> t = transpose(x = x, perm = n);\n"
                                 "tensor<fp16, [4, 3, 2]> y = relu(x = t);",
                             "y"))
                .code,
            "MIL0402");
}

// What is not even declared is unknown, and so is all that is made of it.
TEST(MadeUp, UndeclaredDimensionsAreNotGuessed) {
  const std::string text = Around(
      kX,
      Missing("tensor<int32, [3]>", "n") +
          "tensor<fp16, [?, ?, ?]> t = tile(x = x, reps = n);\n"
          "tensor<fp16, [?, ?]> m = reduce_max(x = t, axes = tensor<int32, [1]>([-1]), keep_dims = "
          "bool(false));\n"
          "tensor<fp16, [?, ?]> y = relu(x = m);\n"
          "tensor<fp16, [2, 3, 4]> z = relu(x = x);",
      "y, z");
  const FrontEndResult result = ReadText(text);
  ASSERT_NE(result.program, nullptr) << RenderText(result.diagnostics);
  ASSERT_EQ(result.program->functions[0].operations.size(), 1u);
  EXPECT_EQ(result.program->functions[0].operations[0].op, "relu");
  CheckAneRules({.name = "t.mil", .text = text}, *result.program, *AneTarget::Parse("ane"));
}

TEST(MadeUp, RulesOfTheAneConcludeNothing) {
  const auto findings = [](const std::string& epsilon) {
    const ProgramSource source{
        .name = "t.mil",
        .text = Around("tensor<fp16, [1, 64, 1, 64]> x",
                       epsilon + "tensor<fp16, [1, 64, 1, 64]> y = layer_norm(x = x, axes = "
                                 "tensor<int32, [1]>([1]), epsilon = e);",
                       "y")};
    const FrontEndResult read = Read(source, MissingWeights::kNote);
    EXPECT_NE(read.program, nullptr) << RenderText(read.diagnostics);
    if (read.program == nullptr) return std::string();
    return RenderText(CheckAneRules(source, *read.program, *AneTarget::Parse("ane")));
  };
  EXPECT_THAT(findings("fp16 e = const()[val = fp16(0)];\n"), HasSubstr("ANE0908"));
  EXPECT_THAT(findings(Missing("fp16", "e")), Not(HasSubstr("ANE0908")));
}

// With a file that says what it holds, the same text is looked at in full.
TEST(MadeUp, ValuesThatAreKnownAreNotBelieved) {
  std::string file(64, '\0');
  file += std::string("\xef\xbe\xad\xde", 4) + std::string("\x0e\0\0\0", 4) +
          std::string("\x0c\0\0\0\0\0\0\0", 8) + std::string("\x80\0\0\0\0\0\0\0", 8);
  file.resize(128, '\0');
  file += std::string(12, '\0');  // three times axis 0
  ProgramSource source{.name = "t.mil",
                       .text = Around(kX,
                                      Missing("tensor<int32, [3]>", "n") +
                                          "tensor<fp16, [4, 2, 3]> y = transpose(x = x, perm = n);",
                                      "y")};
  source.weights["w.bin"] = std::make_shared<const std::string>(file);
  const FrontEndResult result = Read(source, MissingWeights::kNote);
  EXPECT_EQ(result.program, nullptr);
  EXPECT_THAT(RenderText(result.diagnostics), HasSubstr("MIL0309"));
}

// Those of a split may be as many as it has results.
TEST(MadeUp, ListsThatAreTooLongAreLeftOut) {
  const std::string n = Missing("tensor<int32, [65536]>", "n");
  const FrontEndResult result =
      ReadText(Around(kX,
                      n + "tensor<fp16, [24]> y = reshape(x = x, shape = n);\n"
                          "tensor<fp16, [2, 3, 4]> z = relu(x = x);",
                      "z"));
  ASSERT_NE(result.program, nullptr) << RenderText(result.diagnostics);
  ASSERT_EQ(result.program->functions[0].operations.size(), 1u);
  EXPECT_EQ(result.program->functions[0].operations[0].op, "relu");
  EXPECT_THAT(RenderText(result.diagnostics),
              HasSubstr("was not sent; what depends on its numbers is not checked"));
}

// No numbers give another element type or more results.
TEST(MadeUp, WhatNoNumbersMendIsReported) {
  EXPECT_EQ(OnlyError(Around(kX,
                             Missing("tensor<int32, [1]>", "n") +
                                 "tensor<fp32, [2, 3, 1]> y = reduce_sum(x = x, axes = n, "
                                 "keep_dims = bool(true));",
                             "y"))
                .code,
            "MIL0402");
  EXPECT_EQ(OnlyError(Around(kX,
                             Missing("int32", "a") +
                                 "tensor<fp16, [2, 3, 4]> y, tensor<fp16, [2, 3, 4]> z = "
                                 "softmax(x = x, axis = a);",
                             "y"))
                .code,
            "MIL0310");
  // How many these have is in their numbers.
  for (const char* body : {"tensor<fp16, [2, 3, 4]> y = topk(x = x, return_indices = n);",
                           "tensor<fp16, [2, 3, 4]> y, tensor<int32, [2, 3, 4]> i = topk(x = x, "
                           "return_indices = n);"}) {
    const FrontEndResult result = ReadText(Around(kX, Missing("bool", "n") + body, "y"));
    EXPECT_NE(result.program, nullptr) << RenderText(result.diagnostics) << body;
  }
}

}  // namespace
}  // namespace anex::mil
