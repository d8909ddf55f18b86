// Text to tree. Recursive descent over tokens; which dialect a token comes from is decided by the
// token, never by the header's version, so both may be mixed.
//
// Every error is reported at its token, then reading goes on at the next statement: behind the next
// `;`, or where a line begins as only a statement does, so that a forgotten `;` or bracket costs
// one error and no other statement. The names that a broken statement was to define stay known.
// Recursion is bounded by FrontEndLimits::nesting, time is linear. Memory is too, or, where
// somebody reads along, hardly more than the text.
#ifndef ANEX_SERVER_MIL_PARSER_H_
#define ANEX_SERVER_MIL_PARSER_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "server/mil/diagnostic.h"
#include "server/mil/front_end.h"
#include "server/mil/lexer.h"
#include "server/mil/syntax.h"

namespace anex::mil {

// Reads along with the parser: each statement is seen while it is fresh in the processor's caches,
// and no tree of the whole text is ever in memory.
//
// What a call is shown, and the program's literals, live until it returns; `head` and what belongs
// to it until EndFunction does. Errors that the parser found are in the sink by then.
class StatementReader {
 public:
  virtual ~StatementReader() = default;
  // The attributes of `program` have been read, its functions have not.
  virtual void BeginProgram(const ProgramSyntax& program) = 0;
  // All of `head` is there but its operations, outputs and spans.
  virtual void BeginFunction(const FunctionSyntax& head) = 0;
  // Those of the function begun, in the order of the text, some at a time.
  virtual void ReadOperations(std::span<const OperationSyntax> operations) = 0;
  // `function` is the one begun, now with its outputs; its operations have been shown.
  virtual void EndFunction(const FunctionSyntax& function) = 0;
};

class Parser {
 public:
  // Puts the places of all comments into `comments` unless it is null. All must outlive the parser.
  Parser(const SourceText& source, const FrontEndLimits& limits, DiagnosticSink& sink,
         std::vector<Span>* comments = nullptr);

  // Always returns; the tree is whole only if the sink has no errors. Call once.
  ProgramSyntax Parse();
  // The same text, shown to `reader` in pieces. Call once, instead of Parse.
  void ReadAlong(StatementReader& reader);
  // What there is of the tree now.
  const ProgramSyntax& program() const { return program_; }

 private:
  // On their way into the tree. Few operations have more.
  using Arguments = absl::InlinedVector<ArgumentSyntax, 8>;
  using Outputs = absl::InlinedVector<NamedType, 2>;
  using Dims = absl::InlinedVector<int64_t, 8>;

  bool ParseHeader();
  void ParseFunctions(bool whole);
  bool ParseFunction();
  bool ParseParameters(std::vector<NamedType>& parameters);
  bool RecoverParameters(std::vector<NamedType>& parameters);
  bool ParseBlock(FunctionSyntax& function);
  bool ParseBlockOutputs(FunctionSyntax& function);
  void ParseStatement(FunctionSyntax& function);
  void Show(FunctionSyntax& function);
  bool ParseOperation(OperationSyntax& operation);
  bool ParseCall(OperationSyntax& operation);
  bool ParseOutputs(Outputs& outputs);
  bool BareOutputs();
  bool RecoverOutputs(Outputs& outputs);
  bool ParseEndOfStatement();
  bool TooMany(const Arguments& arguments);
  bool CountOperand();
  bool CountPort();
  bool ParseArguments(Arguments& arguments);
  bool ParseArgument(ArgumentSyntax& argument);
  bool ParseArgumentValues(ArgumentSyntax& argument);
  bool ParseArgumentValue(ArgumentValue& value);
  bool AtReference();
  bool ParseAttributes(Arguments& attributes);
  bool ParseNamedType(NamedType& named);
  bool ParseType(TypeSyntax& type);
  bool ParseTensorType(TypeSyntax& type);
  bool ParseDims(Dims& dims);
  bool ParseDim(Dims& dims);
  bool ParseTypeChildren(TypeSyntax& type);
  bool ParseTensorBufferType(TypeSyntax& type);
  bool ParseValue(ValueSyntax& value);
  bool ParseLiterals();
  bool ParseLiteral();
  bool ParseTypedLiteral();
  bool UnknownWord(std::string_view word);
  bool ParseSequence(Literal::Kind kind, TokenKind close);
  bool ParseBlob();
  bool ParseBlobPart(std::string_view name);

  void Advance();
  Token NextToken();
  TokenKind Peek();  // of the token after this one
  bool Is(TokenKind kind) const { return token_.kind == kind; }
  bool IsWord(std::string_view word) const;
  bool Accept(TokenKind kind);
  bool Expect(TokenKind kind, std::string_view after);
  bool ExpectName(Span& name, std::string_view what);
  bool ExpectWord(std::string_view word);
  bool Unexpected(std::string_view expected, std::string help = "");
  bool UnexpectedAfterLast(TokenKind kind, std::string_view after);
  bool OnNewLine() const;  // is this token the first of its line?
  bool AtStatement();      // ... and does it begin a statement?
  bool AtEndOfBlock();
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
  TokenKind last_ = TokenKind::kEnd;  // the last token taken
  uint32_t last_end_ = 0;             // past it
  uint32_t depth_ = 0, functions_ = 0, operations_ = 0, operands_ = 0, ports_ = 0;
  bool give_up_ = false;  // a bound was passed: read no further
  uint32_t stray_ = 0;    // runs of stray characters passed over
  // Errors and strays in front of this token; what they were where the statement at hand began.
  uint32_t errors_before_ = 0, stray_before_ = 0;
  uint32_t errors_at_start_ = 0, stray_at_start_ = 0;
  bool clean_ = false;       // the statement just read has no error but perhaps a missing `;`
  bool positional_ = false;  // it has an argument without its name
  ProgramSyntax program_;
  StatementReader* reader_ = nullptr;
  // The tree without the operations that have been shown.
  Arena::Mark nodes_shown_;
  size_t literals_shown_ = 0;
  uint64_t literals_gone_ = 0;  // that were in the tree
};

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_PARSER_H_
