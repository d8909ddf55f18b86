#include "server/mil/lexer.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace anex::mil {
namespace {

std::vector<std::string> Tokens(std::string_view text, int* errors = nullptr) {
  const SourceText source("t.mil", text);
  DiagnosticSink sink(source, 100);
  Lexer lexer(source, sink);
  std::vector<std::string> tokens;
  for (Token token = lexer.Next(); token.kind != TokenKind::kEnd; token = lexer.Next()) {
    tokens.emplace_back(source.Text(token.span));
  }
  if (errors != nullptr) *errors = static_cast<int>(sink.Take().size());
  return tokens;
}

using Strings = std::vector<std::string>;

TEST(Lexer, CutsWithoutNeedingBlanks) {
  EXPECT_EQ(Tokens("tensor<fp16,[1,?]>x=a;}->(y)"),
            (Strings{"tensor", "<", "fp16", ",", "[", "1", ",", "?", "]", ">", "x", "=", "a", ";",
                     "}", "->", "(", "y", ")"}));
}

TEST(Lexer, NumbersKeepTheirSignAndExponent) {
  EXPECT_EQ(Tokens("-0x1.5p-17 1e-05 -inf +3 0x1p+1 -.5 1.0)"),
            (Strings{"-0x1.5p-17", "1e-05", "-inf", "+3", "0x1p+1", "-.5", "1.0", ")"}));
  EXPECT_EQ(Tokens("0x1e-5"), (Strings{"0x1e", "-5"}));  // e is a digit there
}

TEST(Lexer, CommentsEndWithTheirLine) {
  EXPECT_EQ(Tokens("a // b\n#c\nd # e"), (Strings{"a", "d"}));
  EXPECT_EQ(Tokens("\"http://x#y\""), (Strings{"\"http://x#y\""}));
}

TEST(Lexer, StringsMayHoldQuotesButNoLineBreak) {
  EXPECT_EQ(Tokens(R"("a \"b\" \\" c)"), (Strings{R"("a \"b\" \\")", "c"}));
  int errors = 0;
  EXPECT_EQ(Tokens("\"open\n b", &errors), (Strings{"\"open", "b"}));
  EXPECT_EQ(errors, 1);
  Tokens("\"open\\", &errors);
  EXPECT_EQ(errors, 1);
}

TEST(Lexer, ARunOfStrayCharactersIsOneFinding) {
  int errors = 0;
  EXPECT_EQ(Tokens("a @$%! b", &errors).size(), 3u);
  EXPECT_EQ(errors, 1);
}

TEST(Quote, IsUndoneByUnquote) {
  const std::string text = "a\"b\\c\nd\te\r /";
  EXPECT_EQ(Unquote(Quote(text)), text);
  EXPECT_EQ(Unquote("\"\\q\""), "\\q");
  EXPECT_EQ(Unquote("\"\""), "");
}

TEST(SourceText, FindsPositionsAcrossBlocks) {
  std::string text;
  for (int i = 0; i < 700; ++i) text += i % 3 ? "ab\n" : std::string(500, 'x') + "\r\n";
  const SourceText source("t", text);
  uint32_t line = 1, column = 1;
  for (uint32_t i = 0; i <= text.size(); ++i) {
    if (i % 97 == 0 || i == text.size()) {
      const Position position = source.PositionOf(i);
      ASSERT_EQ(position.line, line);
      ASSERT_EQ(position.column, column);
    }
    if (i < text.size() && text[i] == '\n') {
      ++line;
      column = 1;
    } else {
      ++column;
    }
  }
  EXPECT_EQ(source.LineAt(0, 9999), std::string(500, 'x'));
  EXPECT_EQ(source.LineAt(503, 1), "a");
  EXPECT_EQ(source.PositionOf(~0u).line, 701u);
}

}  // namespace
}  // namespace anex::mil
