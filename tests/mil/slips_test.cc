// The commonest slips, and what the reader is told: the right place, the right words, once.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "server/mil/render_sarif.h"
#include "tests/mil/reading.h"

namespace anex::mil {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// The only error of statements that begin on line 4.
Diagnostic SlipIn(std::string_view body, std::string_view outputs = "z") {
  return OnlyError(Around("tensor<fp16, [2, 3]> x", body, outputs));
}

// Errors only: "line:column message".
std::vector<std::string> Errors(const std::string& text) {
  std::vector<std::string> errors;
  for (const Diagnostic& d : ReadText(text).diagnostics) {
    if (d.severity != Severity::kError) continue;
    errors.push_back(absl::StrCat(d.line, ":", d.column, " ", d.message));
  }
  return errors;
}

TEST(Slips, WhatIsMissingAtTheEndOfALineIsMarkedThereAndNotInTheNext) {
  const std::string texts[] = {
      Around("fp16 x", "fp16 y = exp(x = x)\nfp16 z = exp(x = y);", "z"),
      Around("fp16 x", "fp16 y = exp(x = x\nfp16 z = exp(x = y);", "z"),
      "program(1.3)\n{\n  func main<ios18>(fp16 x) {\nfp16 z = exp(x = x);\n  -> (z);\n}\n",
      "program(1.3)\n{\n  func main<ios18>(fp16 x) {\nfp16 z = exp(x = x);\n}\n}\n"};
  for (const std::string& text : texts) {
    const Diagnostic error = OnlyError(text);
    EXPECT_EQ(error.end_line, 0) << text;
    EXPECT_EQ(error.length, 1) << text;
    EXPECT_EQ(error.column, static_cast<int>(error.source_line.size()) + 1) << text;
    EXPECT_THAT(RenderText(error), AllOf(HasSubstr("^\n"), Not(HasSubstr("to line")))) << text;
    const auto log = nlohmann::json::parse(RenderSarif({{error}}, {}, "1"));
    const auto& region = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"];
    EXPECT_FALSE(region.contains("endLine")) << region;
    EXPECT_EQ(region["endColumn"], error.column + 1) << region;
  }
}

TEST(Slips, AForgottenBracketBehindANameIsMissedAndNoType) {
  Diagnostic error = SlipIn("tensor<fp16, [2, 3]> z = relu(x = x;");
  EXPECT_EQ(error.message, "expected `)` or `,` after the argument, found `;`");
  EXPECT_EQ(error.column, 36);
  error = SlipIn("tensor<fp16, [2, 3]> z = add(x = x y = x);");
  EXPECT_EQ(error.message, "expected `)` or `,` after the argument, found `y`");
  error = SlipIn("tensor<fp16, [2, 3]> z = concat(values = (x x), axis = int32(0));");
  EXPECT_EQ(error.message, "expected `)` or `,` in the list, found `x`");
  // A word that is a type still wants its value.
  error = SlipIn("tensor<fp16, [2, 3]> z = add(x = x, y = fp16;");
  EXPECT_THAT(error.message, HasSubstr("and a value after the type"));
}

TEST(Slips, AResultWithoutItsTypeIsToldTheForm) {
  Diagnostic error = SlipIn("z = relu(x = x);");
  EXPECT_EQ(error.message, "the result `z` needs its type in front");
  EXPECT_THAT(error.help, HasSubstr("tensor<fp16, [1, 64]> y = relu(x = x);"));
  error = SlipIn("a, z = split(x = x, num_splits = int32(3), axis = int32(1));");
  EXPECT_EQ(error.message, "the result `a` needs its type in front");
  for (const char* results : {"(a, z)", "(tensor<fp16, [2, 1]> a, tensor<fp16, [2, 2]> z)"}) {
    error = SlipIn(absl::StrCat(results,
                                " = split(x = x, num_splits = int32(3), axis = int32(1));\n"
                                "tensor<fp16, [2, 1]> b = relu(x = a);"));
    EXPECT_EQ(error.message, "the results of an operation stand without parentheses");
    EXPECT_EQ(error.column, 1);
  }
}

TEST(Slips, SeveralInARowAreEachFound) {
  EXPECT_EQ(Errors(Around("tensor<fp16, [2, 3]> x",
                          "tensor<fp16, [2, 3]> t = relu(x = x)\nz = relu(x = t;", "z")),
            (std::vector<std::string>{"4:37 expected `;` after the operation",
                                      "5:1 the result `z` needs its type in front",
                                      "5:15 expected `)` or `,` after the argument, found `;`"}));
}

TEST(Slips, ALabelInTheParenthesesIsToldItsPlace) {
  const Diagnostic error = SlipIn("tensor<fp16, [2, 3]> z = relu(x = x, name = string(\"n\"));");
  EXPECT_EQ(error.message, "`relu` has no argument `name`");
  EXPECT_THAT(error.help, AllOf(HasSubstr("goes in brackets"), HasSubstr("[name = ")));
}

TEST(Slips, ANameDefinedTwiceIsOneError) {
  // Neither definition is held against the users: one parameter has two rows, the other three.
  const std::string text =
      "program(1.3)\n{\nfunc main<ios18>(tensor<fp16, [2, 3]> x, tensor<fp16, [3, 3]> x) {\n"
      "tensor<fp16, [2, 3]> y = relu(x = x);\ntensor<fp16, [2, 3]> z = add(x = y, y = x);\n"
      "} -> (z);\n}\n";
  EXPECT_EQ(Errors(text), std::vector<std::string>{"3:63 `x` is defined a second time"});
  EXPECT_EQ(Errors(Around("tensor<fp16, [2, 3]> x",
                          "tensor<fp16, [3, 2]> x = transpose(x = x, perm = tensor<int32, [2]>([1, "
                          "0]));\ntensor<fp16, [2, 3]> z = relu(x = x);",
                          "z"))
                .size(),
            1u);
  EXPECT_EQ(Errors(Around("tensor<fp16, [2, 3]> x",
                          "tensor<fp16, [2, 3]> t = relu(x = x);\n"
                          "tensor<fp16, [3, 2]> t = transpose(x = x, perm = tensor<int32, [2]>([1, "
                          "0]));\ntensor<fp16, [3, 2]> z = relu(x = t);",
                          "z")),
            std::vector<std::string>{"5:22 `t` is defined a second time"});
}

TEST(Slips, OneOutsideTheStatementsIsOneErrorToo) {
  const std::string function = "func main<ios18>(fp16 x) {\nfp16 z = exp(x = x);\n} -> (z);\n";
  const std::string slips[] = {
      "",
      "\n// nothing\n",
      function,                                           // no header
      absl::StrCat("program(1.3)\n", function, "}\n"),    // no `{`
      absl::StrCat("program 1.3\n{\n", function, "}\n"),  //
      "program(1.3)\n{\nfunc main(fp16 x) {\nfp16 z = exp(x = x);\n} -> (z);\n}\n",
      "program(1.3)\n{\nfunc <ios18>(fp16 x) {\nfp16 z = exp(x = x);\n} -> (z);\n}\n",
      "program(1.3)\n{\nfunc main<ios18>(fp16 x) {\nfp16 z = exp(x = x);\n-> (z);\n}\n",
      absl::StrCat("program(1.3)\n{\n", function),  // no `}` at the end
      Around("fp16 x", "list<tensor<fp16, [1]>, 4> l = make_list();", "x"),
  };
  for (const std::string& text : slips) {
    EXPECT_EQ(Errors(text).size(), 1u) << text << ::testing::PrintToString(Errors(text));
  }
  // What is wrong in the functions is found behind a broken header.
  EXPECT_EQ(
      Errors("program\n{\nfunc main<ios18>(fp16 x) {\nfp16 z = ex(x = q);\n} -> (z);\n}").size(),
      3u);
}

TEST(Slips, NanAndInfAreNamesIfTheyAreDefinedAndNumbersOtherwise) {
  const auto constant = [](std::string_view word) {
    const auto program = Good(
        Around("fp16 x", absl::StrCat("fp16 z = add(x = x, y = ", std::string(word), ");"), "z"));
    const Function& function = program->functions[0];
    return function.values[function.operations[0].Find("y")->values[0]].constant;
  };
  for (const char* word : {"nan", "inf", "-inf"}) {
    ASSERT_NE(constant(word), nullptr) << word;
    EXPECT_EQ(constant(word)->type().tensor.dtype, DType::kFp16) << word;
  }
  EXPECT_EQ(constant("inf")->AsDoubles()->at(0), std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(constant("nan")->AsDoubles()->at(0)));
  const auto program = Good(Around("fp16 x, fp16 inf", "fp16 z = add(x = x, y = inf);", "z"));
  const Function& function = program->functions[0];
  EXPECT_EQ(function.operations[0].Find("y")->values[0], function.inputs[1]);
  Good(Around("fp16 x", "fp16 c = const()[val = nan];\nfp16 z = add(x = c, y = x);", "z"));
}

TEST(Slips, NamesFromElsewhereAreTranslated) {
  const std::pair<const char*, const char*> cases[] = {
      {"div", "here it is `real_div`"},
      {"sdpa", "here it is `scaled_dot_product_attention`"},
      {"mm", "here it is `matmul`"},
      {"dot", "here it is `matmul`"},
      {"concatenate", "here it is `concat`"},
      {"rms_norm", "write it out: x * rsqrt(mean(x^2) + epsilon) * gain"},
  };
  for (const auto& [op, help] : cases) {
    const Diagnostic error = SlipIn(absl::StrCat("tensor<fp16, [2, 3]> z = ", op, "(x = x);"));
    EXPECT_EQ(error.code, "MIL0301");
    EXPECT_THAT(error.help, HasSubstr(help)) << op;
  }
  EXPECT_EQ(SlipIn("tensor<fp16, [2, 3]> z = cast(x = x, dtype = string(\"fp61\"));").help,
            "did you mean `fp16`?");
}

TEST(Slips, WhatIsReadAllTheSameIsSaid) {
  const auto notes = [](const std::string& text) {
    const FrontEndResult result = ReadText(text);
    EXPECT_NE(result.program, nullptr);
    std::vector<std::string> codes;
    for (const Diagnostic& d : result.diagnostics) {
      EXPECT_EQ(d.severity, Severity::kNote);
      codes.push_back(absl::StrCat(d.line, ":", d.column, " ", d.code));
    }
    return codes;
  };
  EXPECT_EQ(notes("program(1.3)\n{\nfunc main<ios18>(fp16 x) {\nfp16 z = exp(x = x);\n} -> (z)\n}"),
            std::vector<std::string>{"5:8 MIL0907"});
  EXPECT_EQ(notes("program(1.3)\n{\nfunc main<ios18>(fp16 x) {\n} -> ();\n}"),
            std::vector<std::string>{"3:6 MIL0908"});
}

TEST(Slips, ANumberThatIsTooLongIsToldSo) {
  const auto with = [](size_t digits) {
    return Around("fp16 x",
                  absl::StrCat("fp16 c = const()[val = fp16(0.", std::string(digits, '1'),
                               ")];\nfp16 z = add(x = x, y = c);"),
                  "z");
  };
  Good(with(100000));
  const Diagnostic error = OnlyError(with((1 << 20) + 1));
  EXPECT_EQ(error.code, "MIL0004");
  EXPECT_EQ(error.message, "a number of 1048579 characters; at most 1048576 are read");
}

TEST(Slips, AWeightPathThatNamesAFolderIsMarked) {
  for (const char* path : {"@model_path/", "@model_path/weights/", ""}) {
    const Diagnostic error =
        SlipIn(absl::StrCat("fp16 z = const()[val = fp16(BLOBFILE(path = "
                            "string(\"",
                            path, "\"), offset = uint64(64)))];"));
    EXPECT_EQ(error.code, "MIL0502") << path;
    EXPECT_THAT(error.message, HasSubstr("names a folder"));
  }
}

TEST(Slips, NotesPushNoWarningsOut) {
  std::string body;
  for (int i = 0; i < 300; ++i) absl::StrAppend(&body, "fp32 n", i, " = add(x = 1.0, y = 2.0);\n");
  const FrontEndResult result =
      ReadText(Around("fp16 x", body + "fp16 c = const()[val = fp16(1e9)];", "x"));
  EXPECT_TRUE(std::ranges::any_of(result.diagnostics, [](const Diagnostic& one) {
    return one.code == "MIL0902";
  })) << RenderText(result.diagnostics);
  EXPECT_LE(result.diagnostics.size(), 200u);
}

}  // namespace
}  // namespace anex::mil
