#include "server/mil/parser.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace anex::mil {
namespace {

bool IsControlFlow(std::string_view op) { return op == "cond" || op == "while_loop"; }

}  // namespace

Parser::Level::Level(Parser& parser)
    : parser_(parser), ok_(++parser.depth_ <= parser.limits_.nesting) {
  if (ok_ || parser_.give_up_) return;
  parser_.sink_.Error(Code::kTooDeep, parser_.token_.span,
                      absl::StrCat("nested more than ", parser_.limits_.nesting, " levels deep"));
  parser_.give_up_ = true;
}

Parser::Parser(const SourceText& source, const FrontEndLimits& limits, DiagnosticSink& sink)
    : source_(source), limits_(limits), sink_(sink), lexer_(source, sink) {
  token_ = lexer_.Next();
}

void Parser::Advance() {
  last_end_ = token_.span.offset + token_.span.length;
  token_ = ahead_.has_value() ? *ahead_ : lexer_.Next();
  ahead_.reset();
}

TokenKind Parser::Peek() {
  if (!ahead_.has_value()) ahead_ = lexer_.Next();
  return ahead_->kind;
}

bool Parser::IsWord(std::string_view word) const {
  return Is(TokenKind::kIdentifier) && Text(token_.span) == word;
}

bool Parser::Accept(TokenKind kind) {
  if (!Is(kind)) return false;
  Advance();
  return true;
}

bool Parser::Unexpected(std::string_view expected) {
  if (Is(TokenKind::kInvalid)) return false;  // the lexer has reported it
  const std::string found =
      Is(TokenKind::kEnd) ? std::string(Describe(TokenKind::kEnd)) : Shown(Text(token_.span));
  sink_.Error(Code::kUnexpectedToken, token_.span,
              absl::StrCat("expected ", std::string(expected), ", found ", found));
  return false;
}

bool Parser::Expect(TokenKind kind, std::string_view after) {
  if (Accept(kind)) return true;
  return Unexpected(
      absl::StrCat(std::string(Describe(kind)), after.empty() ? "" : " ", std::string(after)));
}

bool Parser::ExpectName(Span& name, std::string_view what) {
  if (!Is(TokenKind::kIdentifier)) return Unexpected(what);
  name = token_.span;
  Advance();
  return true;
}

bool Parser::ExpectWord(std::string_view word) {
  if (!IsWord(word)) return Unexpected(absl::StrCat("`", std::string(word), "`"));
  Advance();
  return true;
}

ProgramSyntax Parser::Parse() {
  ParseHeader();
  ParseFunctions();
  return std::move(program_);
}

// program(1.3) [attributes] {
void Parser::ParseHeader() {
  const bool ok = ExpectWord("program") && Expect(TokenKind::kLeftParen, "after `program`") &&
                  Expect(TokenKind::kNumber, "(the version, such as 1.0)") &&
                  Expect(TokenKind::kRightParen, "after the version");
  bool good = ok;
  while (good && Is(TokenKind::kLeftBracket)) good = ParseAttributes(program_.attributes);
  if (good && Expect(TokenKind::kLeftBrace, "before the functions")) return;
  // Go on where the first function begins: its errors are worth as much as this one.
  while (!Is(TokenKind::kEnd) && !IsWord("func")) Advance();
}

void Parser::ParseFunctions() {
  while (!give_up_ && !sink_.full() && !Is(TokenKind::kRightBrace) && !Is(TokenKind::kEnd)) {
    if (ParseFunction()) continue;
    while (!give_up_ && !Is(TokenKind::kEnd) && !IsWord("func")) Advance();
  }
  if (give_up_ || sink_.full()) return;
  if (!Expect(TokenKind::kRightBrace, "at the end of the program")) return;
  if (!Is(TokenKind::kEnd)) Unexpected("the end of the text");
}

bool Parser::ParseFunction() {
  FunctionSyntax function;
  const bool ok = ExpectWord("func") && ExpectName(function.name, "the function's name") &&
                  Expect(TokenKind::kLess, "before the opset") &&
                  ExpectName(function.opset, "an opset such as ios18") &&
                  Expect(TokenKind::kGreater, "after the opset") && ParseParameters(function);
  if (!ok) return false;
  while (Is(TokenKind::kLeftBracket)) {
    if (!ParseAttributes(function.attributes)) return false;
  }
  const bool whole = ParseBlock(function);
  program_.functions.push_back(std::move(function));
  return whole;
}

bool Parser::ParseParameters(FunctionSyntax& function) {
  if (!Expect(TokenKind::kLeftParen, "before the parameters")) return false;
  if (Accept(TokenKind::kRightParen)) return true;
  do {
    if (!ParseNamedType(function.parameters.emplace_back())) return false;
  } while (Accept(TokenKind::kComma));
  return Expect(TokenKind::kRightParen, "after the parameters");
}

// { operation... } -> (outputs);
bool Parser::ParseBlock(FunctionSyntax& function) {
  if (!Expect(TokenKind::kLeftBrace, "before the operations")) return false;
  while (!Is(TokenKind::kRightBrace)) {
    if (Is(TokenKind::kEnd)) return Unexpected("an operation or `}`");
    if (give_up_ || sink_.full()) return false;
    ParseStatement(function);
  }
  Advance();
  return ParseBlockOutputs(function);
}

bool Parser::ParseBlockOutputs(FunctionSyntax& function) {
  if (!Expect(TokenKind::kArrow, "and the outputs after `}`") ||
      !Expect(TokenKind::kLeftParen, "before the outputs")) {
    return false;
  }
  if (!Is(TokenKind::kRightParen)) {
    do {
      if (!ExpectName(function.outputs.emplace_back(), "the name of an output")) return false;
    } while (Accept(TokenKind::kComma));
  }
  if (!Expect(TokenKind::kRightParen, "after the outputs")) return false;
  Accept(TokenKind::kSemicolon);  // always there in what tools write, yet nothing hangs on it
  return true;
}

void Parser::ParseStatement(FunctionSyntax& function) {
  if (++operations_ > limits_.operations) {
    sink_.Error(Code::kTooManyOperations, token_.span,
                absl::StrCat("more than ", limits_.operations, " operations"));
    give_up_ = true;
    return;
  }
  OperationSyntax operation;
  if (ParseOperation(operation)) {
    function.operations.push_back(std::move(operation));
    return;
  }
  // The names that a broken statement was to define are known all the same: nobody gains from a
  // second error at each use.
  operation.arguments.clear();
  operation.attributes.clear();
  operation.op = {};
  if (!operation.outputs.empty()) function.operations.push_back(std::move(operation));
  SkipStatement();
}

// To behind the next `;`, or in front of the `}` that ends the block.
void Parser::SkipStatement() {
  while (!give_up_ && !Is(TokenKind::kEnd)) {
    if (Accept(TokenKind::kSemicolon)) return;
    if (IsWord("func")) return;
    if (!Is(TokenKind::kRightBrace)) {
      Advance();
      continue;
    }
    if (Peek() == TokenKind::kArrow) return;
    Advance();  // a brace of a dictionary
  }
}

bool Parser::ParseOutputs(OperationSyntax& operation) {
  do {
    NamedType output;
    const bool ok = ParseNamedType(output);
    if (output.name.length > 0) operation.outputs.push_back(std::move(output));
    if (!ok) return false;
  } while (Accept(TokenKind::kComma));
  return Expect(TokenKind::kEqual, "after the result");
}

bool Parser::ParseOperation(OperationSyntax& operation) {
  // "write_state(...)": the only form without a result. A type may be one word too ("fp16 x = "),
  // so look one token ahead.
  if (!Is(TokenKind::kIdentifier)) return Unexpected("an operation");
  const bool bare = Peek() == TokenKind::kLeftParen;
  if (!bare && !ParseOutputs(operation)) return false;
  if (!ExpectName(operation.op, "an operation")) return false;
  if (IsControlFlow(Text(operation.op))) return SkipControlFlow(operation.op);
  if (Accept(TokenKind::kLess)) {  // an opset tag, which some tools add; it changes nothing
    Span tag;
    if (!ExpectName(tag, "an opset") || !Expect(TokenKind::kGreater, "")) return false;
  }
  if (!ParseArguments(operation.arguments)) return false;
  while (Is(TokenKind::kLeftBracket)) {
    if (!ParseAttributes(operation.attributes)) return false;
  }
  return Expect(TokenKind::kSemicolon, "after the operation");
}

// The blocks of control flow hold whole statements, so skip to the `;` outside all brackets.
bool Parser::SkipControlFlow(Span op) {
  sink_.Error(Code::kControlFlow, op,
              absl::StrCat("control flow (", Shown(Text(op)),
                           ") is not supported: the ANE runs straight-line programs only"),
              "unroll the loop, or compute both sides and use `select`");
  int64_t open = 0;
  for (; !Is(TokenKind::kEnd); Advance()) {
    const bool opens =
        Is(TokenKind::kLeftParen) || Is(TokenKind::kLeftBrace) || Is(TokenKind::kLeftBracket);
    const bool closes =
        Is(TokenKind::kRightParen) || Is(TokenKind::kRightBrace) || Is(TokenKind::kRightBracket);
    if (closes && open == 0) break;
    open += opens ? 1 : closes ? -1 : 0;
    if (open == 0 && Is(TokenKind::kSemicolon)) break;
  }
  return false;
}

bool Parser::TooMany(const std::vector<ArgumentSyntax>& arguments) {
  constexpr size_t kMostArguments = 64;  // no operation has a third of that
  if (arguments.size() < kMostArguments) return false;
  sink_.Error(Code::kTooManyArguments, token_.span,
              absl::StrCat("more than ", kMostArguments, " arguments or attributes"));
  return true;
}

bool Parser::ParseArguments(std::vector<ArgumentSyntax>& arguments) {
  if (!Expect(TokenKind::kLeftParen, "after the operation's name")) return false;
  if (Accept(TokenKind::kRightParen)) return true;
  do {
    if (TooMany(arguments)) return false;
    if (!ParseArgument(arguments.emplace_back())) return false;
  } while (Accept(TokenKind::kComma));
  return Expect(TokenKind::kRightParen, "or `,` after the argument");
}

bool Parser::ParseArgument(ArgumentSyntax& argument) {
  if (!Is(TokenKind::kIdentifier)) return Unexpected("an argument `name = value`");
  const Token name = token_;
  Advance();
  if (!Is(TokenKind::kEqual)) {
    if (Is(TokenKind::kComma) || Is(TokenKind::kRightParen) || Is(TokenKind::kLeftParen)) {
      sink_.Error(Code::kPositionalArgument, name.span, "an argument without its name",
                  absl::StrCat("write it as `x = ", std::string(Text(name.span)), "`"));
      return false;
    }
    return Unexpected("`=` after the argument's name");
  }
  Advance();
  argument.name = name.span;
  if (!Accept(TokenKind::kLeftParen)) return ParseArgumentValue(argument.values.emplace_back());
  argument.variadic = true;
  if (Accept(TokenKind::kRightParen)) return true;
  do {
    if (!ParseArgumentValue(argument.values.emplace_back())) return false;
  } while (Accept(TokenKind::kComma));
  return Expect(TokenKind::kRightParen, "or `,` in the list");
}

bool Parser::ParseArgumentValue(ArgumentValue& value) {
  const uint32_t start = token_.span.offset;
  const std::string_view word = Is(TokenKind::kIdentifier) ? Text(token_.span) : "";
  if (!word.empty() && word != "true" && word != "false") {
    const TokenKind next = Peek();
    if (next == TokenKind::kComma || next == TokenKind::kRightParen ||
        next == TokenKind::kRightBracket) {
      value.reference = true;
      value.span = token_.span;
      Advance();
      return true;
    }
  }
  const bool ok = ParseValue(value.value);
  value.span = From(start);
  return ok;
}

bool Parser::ParseAttributes(std::vector<ArgumentSyntax>& attributes) {
  if (!Expect(TokenKind::kLeftBracket, "")) return false;
  if (Accept(TokenKind::kRightBracket)) return true;
  do {
    if (TooMany(attributes)) return false;
    ArgumentSyntax& attribute = attributes.emplace_back();
    if (!ExpectName(attribute.name, "the name of an attribute") ||
        !Expect(TokenKind::kEqual, "after the attribute's name") ||
        !ParseArgumentValue(attribute.values.emplace_back())) {
      return false;
    }
  } while (Accept(TokenKind::kComma));
  return Expect(TokenKind::kRightBracket, "or `,` after the attribute");
}

bool Parser::ParseNamedType(NamedType& named) {
  return ParseType(named.type) && ExpectName(named.name, "a name after the type");
}

}  // namespace anex::mil
