// Short ways to read a program in a test.
#ifndef ANEX_TESTS_MIL_READING_H_
#define ANEX_TESTS_MIL_READING_H_

#include <string>
#include <string_view>
#include <utility>

#include "gtest/gtest.h"
#include "server/mil/front_end.h"
#include "server/mil/render_text.h"

namespace anex::mil {

inline FrontEndResult ReadText(std::string text, const FrontEndLimits& limits = {}) {
  return Read({.name = "t.mil", .text = std::move(text)}, MissingWeights::kNote, limits);
}

// A function around statements: "inputs | statements | outputs".
inline std::string Around(std::string_view inputs, std::string_view body,
                          std::string_view outputs) {
  return "program(1.3)\n{\n  func main<ios18>(" + std::string(inputs) + ") {\n" +
         std::string(body) + "\n  } -> (" + std::string(outputs) + ");\n}\n";
}

// The program, which must be free of errors.
inline std::shared_ptr<const Program> Good(std::string text) {
  const FrontEndResult result = ReadText(text);
  EXPECT_NE(result.program, nullptr) << RenderText(result.diagnostics) << text;
  return result.program;
}

// The only error of a text; an empty one (and a failure) if there is not exactly one.
inline Diagnostic OnlyError(std::string text, const FrontEndLimits& limits = {}) {
  const FrontEndResult result = ReadText(text, limits);
  EXPECT_EQ(result.program, nullptr);
  Diagnostic only;
  int errors = 0;
  for (const Diagnostic& diagnostic : result.diagnostics) {
    if (diagnostic.severity != Severity::kError) continue;
    only = diagnostic;
    ++errors;
  }
  EXPECT_EQ(errors, 1) << RenderText(result.diagnostics) << text;
  return errors == 1 ? only : Diagnostic{};
}

// The inferred type of the result `y` of "? y = <operation>;" over `inputs`, or the code of the
// only error. Inference is asked through a declaration that cannot be right.
inline std::string Infer(std::string_view inputs, std::string_view operation) {
  const std::string text = Around(
      inputs, "    tensor<fp64, [7, 7, 7, 7, 7, 7]> y = " + std::string(operation) + ";", "y");
  const Diagnostic error = OnlyError(text);
  constexpr std::string_view kPrefix = "declare it as ";
  return error.help.starts_with(kPrefix) ? error.help.substr(kPrefix.size())
                                         : error.code + " " + error.message;
}

}  // namespace anex::mil

#endif  // ANEX_TESTS_MIL_READING_H_
