// Tags of functions, and what each of them brought.
#include "server/mil/opset.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "server/mil/op_catalog.h"
#include "tests/mil/corpus.h"
#include "tests/mil/reading.h"

namespace anex::mil {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Warnings(const std::string& text) {
  const FrontEndResult result = ReadText(text);
  EXPECT_NE(result.program, nullptr) << RenderText(result.diagnostics) << text;
  std::vector<std::string> found;
  for (const Diagnostic& diagnostic : result.diagnostics) {
    if (diagnostic.severity != Severity::kWarning) continue;
    EXPECT_EQ(diagnostic.code, "MIL0909");
    found.push_back(diagnostic.message);
  }
  return found;
}

std::string Tagged(std::string_view tag, std::string_view inputs, std::string_view body,
                   std::string_view outputs) {
  return absl::StrReplaceAll(Around(inputs, body, outputs),
                             {{"<ios18>", absl::StrCat("<", std::string(tag), ">")}});
}

TEST(Opset, WhatIsNewerThanItsFunctionIsPointedOut) {
  constexpr std::string_view kAttention =
      "tensor<fp16, [1, 2, 4, 8]> y = scaled_dot_product_attention(query = x, key = x, value = x);";
  constexpr std::string_view kX = "tensor<fp16, [1, 2, 4, 8]> x";
  for (const char* old : {"ios15", "ios16", "ios17", "CoreML7"}) {
    EXPECT_THAT(Warnings(Tagged(old, kX, kAttention, "y")),
                ElementsAre(HasSubstr("`scaled_dot_product_attention` exists from ios18 on")))
        << old;
  }
  for (const char* enough : {"ios18", "CoreML8", "ios26"}) {
    EXPECT_THAT(Warnings(Tagged(enough, kX, kAttention, "y")), IsEmpty()) << enough;
  }
}

TEST(Opset, StatesAndArgumentsAreLookedAtOneByOne) {
  EXPECT_THAT(Warnings(Tagged("ios15", "state<tensor<fp16, [4]>> s",
                              "tensor<fp16, [4]> y = read_state(input = s);", "y")),
              ElementsAre(HasSubstr("a state exists from ios18 on, but the function is ios15"),
                          HasSubstr("`read_state`")));
  const std::string topk =
      "tensor<fp16, [2]> y = topk(x = x, k = int32(2), axis = int32(0), return_indices = "
      "bool(false))[output_indices_dtype = string(\"uint16\")];";
  EXPECT_THAT(
      Warnings(Tagged("ios15", "tensor<fp16, [4]> x", topk, "y")),
      ElementsAre(HasSubstr("argument `return_indices` of `topk` exists from ios16 on"),
                  HasSubstr("argument `output_indices_dtype` of `topk` exists from ios17")));
  EXPECT_THAT(Warnings(Tagged("ios16", "tensor<fp16, [4]> x", topk, "y")),
              ElementsAre(HasSubstr("`output_indices_dtype`")));
  EXPECT_THAT(Warnings(Tagged("ios17", "tensor<fp16, [4]> x", topk, "y")), IsEmpty());
}

TEST(Opset, TagsThatDoNotExistAreRefused) {
  for (const char* tag : {"banana", "ios99", "ios14", "IOS18", "ios018", "CoreML4"}) {
    const Diagnostic error = OnlyError(Tagged(tag, "fp16 x", "fp16 y = relu(x = x);", "y"));
    EXPECT_EQ(error.code, "MIL0107") << tag;
    EXPECT_THAT(error.message, HasSubstr(tag));
  }
  EXPECT_THAT(OnlyError(Tagged("ios1", "fp16 x", "", "x")).help, HasSubstr("did you mean"));
  EXPECT_THAT(OnlyError(Tagged("banana", "fp16 x", "", "x")).help, HasSubstr("ios15, ios16"));
  const std::pair<const char*, const char*> nearest[] = {
      {"ios14", "ios15"},  {"ios19", "ios18"},     {"ios25", "ios26"},     {"ios99", "ios26"},
      {"ios018", "ios18"}, {"CoreML4", "CoreML5"}, {"CoreML12", "CoreML9"}};
  for (const auto& [tag, meant] : nearest) {
    EXPECT_EQ(OnlyError(Tagged(tag, "fp16 x", "", "x")).help,
              absl::StrCat("did you mean `", meant, "`?"));
  }
}

// A row of the table that names what the catalog does not have would never speak.
TEST(Opset, EveryNameOfTheTableIsInTheCatalog) {
  int gated = 0;
  for (const std::string_view op : SupportedOps()) {
    if (OpsetSince(op) > 15) ++gated;
    for (const Parameter& parameter : FindOp(op)->parameters) {
      if (OpsetSince(op, parameter.name) > 15) ++gated;
    }
  }
  EXPECT_EQ(gated, 38);
}

// They were accepted by the compilers of their releases.
TEST(Opset, RealProgramsUseNothingNewerThanTheirTag) {
  for (const auto& path : AllPrograms()) {
    const FrontEndResult result = ReadText(ReadWhole(path));
    for (const Diagnostic& diagnostic : result.diagnostics) {
      EXPECT_NE(diagnostic.code, "MIL0909") << path << "\n" << RenderText(diagnostic);
      EXPECT_NE(diagnostic.code, "MIL0107") << path << "\n" << RenderText(diagnostic);
    }
  }
}

}  // namespace
}  // namespace anex::mil
