// Text to tree. Recursive descent over tokens; which dialect a token comes from is decided by the
// token, never by the header's version, so both may be mixed.
//
// Every error is reported at its token, then reading goes on behind the next `;`: one broken
// statement costs one error. Recursion is bounded by FrontEndLimits::nesting, time is linear.
#ifndef ANEX_SERVER_MIL_PARSER_H_
#define ANEX_SERVER_MIL_PARSER_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "server/mil/diagnostic.h"
#include "server/mil/front_end.h"
#include "server/mil/lexer.h"
#include "server/mil/syntax.h"

namespace anex::mil {

class Parser {
 public:
  Parser(const SourceText& source, const FrontEndLimits& limits, DiagnosticSink& sink);

  // Always returns; the tree is whole only if the sink has no errors. Call once.
  ProgramSyntax Parse();

 private:
  void ParseHeader();
  void ParseFunctions();
  bool ParseFunction();
  bool ParseParameters(FunctionSyntax& function);
  bool ParseBlock(FunctionSyntax& function);
  bool ParseBlockOutputs(FunctionSyntax& function);
  void ParseStatement(FunctionSyntax& function);
  bool ParseOperation(OperationSyntax& operation);
  bool ParseOutputs(OperationSyntax& operation);
  bool TooMany(const std::vector<ArgumentSyntax>& arguments);
  bool ParseArguments(std::vector<ArgumentSyntax>& arguments);
  bool ParseArgument(ArgumentSyntax& argument);
  bool ParseArgumentValue(ArgumentValue& value);
  bool ParseAttributes(std::vector<ArgumentSyntax>& attributes);
  bool ParseNamedType(NamedType& named);
  bool ParseType(TypeSyntax& type);
  bool ParseTensorType(TypeSyntax& type);
  bool ParseDims(std::vector<int64_t>& dims);
  bool ParseDim(std::vector<int64_t>& dims);
  bool ParseTypeChildren(TypeSyntax& type);
  bool ParseTensorBufferType(TypeSyntax& type);
  bool ParseValue(ValueSyntax& value);
  bool ParseLiteral();
  bool ParseTypedLiteral();
  bool ParseSequence(Literal::Kind kind, TokenKind close);
  bool ParseBlob();
  bool ParseBlobPart(std::string_view name);

  void Advance();
  TokenKind Peek();  // of the token after this one
  bool Is(TokenKind kind) const { return token_.kind == kind; }
  bool IsWord(std::string_view word) const;
  bool Accept(TokenKind kind);
  bool Expect(TokenKind kind, std::string_view after);
  bool ExpectName(Span& name, std::string_view what);
  bool ExpectWord(std::string_view word);
  bool Unexpected(std::string_view expected);
  bool AddLiteral(Literal::Kind kind, Span span);
  void SkipStatement();
  bool SkipControlFlow(Span op);

  // One level of nesting; false (and an error) beyond the bound.
  class Level {
   public:
    explicit Level(Parser& parser);
    ~Level() { --parser_.depth_; }
    bool ok() const { return ok_; }

   private:
    Parser& parser_;
    bool ok_;
  };

  std::string_view Text(Span span) const { return source_.Text(span); }
  Span From(uint32_t start) const { return {start, last_end_ - start}; }

  const SourceText& source_;
  const FrontEndLimits& limits_;
  DiagnosticSink& sink_;
  Lexer lexer_;
  Token token_;
  std::optional<Token> ahead_;
  uint32_t last_end_ = 0;  // past the last token taken
  uint32_t depth_ = 0, operations_ = 0;
  bool give_up_ = false;  // a bound was passed: read no further
  ProgramSyntax program_;
};

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_PARSER_H_
