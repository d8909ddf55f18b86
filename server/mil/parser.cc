#include "server/mil/parser.h"

#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/mil/nearest_name.h"
#include "server/mil/scalar_type.h"

namespace anex::mil {
namespace {

bool IsControlFlow(std::string_view op) { return op == "cond" || op == "while_loop"; }

// nan and inf are names all the same if something is called so: the resolver knows.
bool IsLiteralWord(std::string_view word) {
  return word == "true" || word == "false" || word == "nan" || word == "inf";
}

// A reader sees that many operations at a time: a fraction of the fastest caches.
constexpr size_t kShownAtOnce = 64;

constexpr std::string_view kResultForm = "such as `tensor<fp16, [1, 64]> y = relu(x = x);`";

}  // namespace

Parser::Level::Level(Parser& parser)
    : parser_(parser), ok_(++parser.depth_ <= parser.limits_.nesting) {
  if (ok_ || parser_.give_up_) return;
  parser_.sink_.Error(Code::kTooDeep, parser_.token_.span,
                      absl::StrCat("nested more than ", parser_.limits_.nesting, " levels deep"));
  parser_.give_up_ = true;
}

Parser::Parser(const SourceText& source, const FrontEndLimits& limits, DiagnosticSink& sink,
               std::vector<Span>* comments)
    : source_(source), limits_(limits), sink_(sink), lexer_(source, sink, comments) {
  token_ = NextToken();
}

// Stray characters have been reported and are passed over; a string that did not end stays.
Token Parser::NextToken() {
  for (;;) {
    const Token token = lexer_.Next();
    if (token.kind != TokenKind::kInvalid || Text(token.span).starts_with('"')) return token;
    ++stray_;
  }
}

void Parser::Advance() {
  last_ = token_.kind;
  last_end_ = token_.span.offset + token_.span.length;
  errors_before_ = sink_.errors();
  stray_before_ = stray_;
  token_ = ahead_.has_value() ? *ahead_ : NextToken();
  ahead_.reset();
}

TokenKind Parser::Peek() {
  if (!ahead_.has_value()) ahead_ = NextToken();
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

bool Parser::Unexpected(std::string_view expected, std::string help) {
  if (Is(TokenKind::kInvalid)) return false;   // the lexer has reported it
  if (stray_ > stray_at_start_) return false;  // may well be the fault of what was passed over
  const std::string found =
      Is(TokenKind::kEnd) ? std::string(Describe(TokenKind::kEnd)) : Shown(Text(token_.span));
  sink_.Error(Code::kUnexpectedToken, token_.span,
              absl::StrCat("expected ", std::string(expected), ", found ", found), std::move(help));
  return false;
}

// Something is missing at the end of a line: the place is there, not at the next line's first word.
bool Parser::UnexpectedAfterLast(TokenKind kind, std::string_view after) {
  if (Is(TokenKind::kInvalid) || stray_ > stray_at_start_) return false;
  const std::string wanted(Describe(kind));
  sink_.Error(Code::kUnexpectedToken, {last_end_, 1},
              absl::StrCat("expected ", wanted, after.empty() ? "" : " ", std::string(after)),
              absl::StrCat("add ", wanted));
  return false;
}

bool Parser::Expect(TokenKind kind, std::string_view after) {
  if (Accept(kind)) return true;
  if (OnNewLine() && last_end_ > 0) return UnexpectedAfterLast(kind, after);
  return Unexpected(
      absl::StrCat(std::string(Describe(kind)), after.empty() ? "" : " ", std::string(after)));
}

bool Parser::OnNewLine() const {
  if (Is(TokenKind::kEnd)) return true;
  const std::string_view gap = source_.text().substr(last_end_, token_.span.offset - last_end_);
  return last_end_ == 0 || gap.find('\n') != gap.npos;
}

// A line that begins with a type, or with a name and a bracket, begins a statement, unless the line
// before it is open: ends in `=`, `,` or an opening bracket.
bool Parser::AtStatement() {
  if (!Is(TokenKind::kIdentifier) || !OnNewLine()) return false;
  switch (last_) {
    case TokenKind::kEqual:
    case TokenKind::kComma:
    case TokenKind::kLeftParen:
    case TokenKind::kLeftBracket:
    case TokenKind::kLeftBrace:
      return false;
    default:
      break;
  }
  if (FindScalarType(Text(token_.span)) != nullptr) return true;
  const TokenKind next = Peek();
  return next == TokenKind::kLess || next == TokenKind::kLeftParen;
}

// The `}` may have been forgotten.
bool Parser::AtEndOfBlock() {
  return Is(TokenKind::kArrow) || (Is(TokenKind::kRightBrace) && Peek() == TokenKind::kArrow);
}

bool Parser::ExpectName(Span& name, std::string_view what) {
  if (!Is(TokenKind::kIdentifier)) return Unexpected(what);
  name = token_.span;
  Advance();
  return true;
}

bool Parser::ExpectWord(std::string_view word) {
  if (!IsWord(word)) {
    const bool name = Is(TokenKind::kIdentifier);
    std::string help = name ? DidYouMean(Text(token_.span), std::span(&word, 1)) : "";
    const bool meant = !help.empty();
    Unexpected(absl::StrCat("`", std::string(word), "`"), std::move(help));
    if (!meant) return false;
  }
  Advance();
  return true;
}

ProgramSyntax Parser::Parse() {
  ParseFunctions(ParseHeader());
  return std::move(program_);
}

void Parser::ReadAlong(StatementReader& reader) {
  reader_ = &reader;
  const bool whole = ParseHeader();
  reader.BeginProgram(program_);
  ParseFunctions(whole);
}

// Lets the reader see the operations at hand, and forgets them.
void Parser::Show(FunctionSyntax& function) {
  const uint32_t errors = sink_.errors();
  reader_->ReadOperations(function.operations);
  errors_before_ += sink_.errors() - errors;  // none of them is the next statement's
  function.operations.clear();
  program_.nodes.Rewind(nodes_shown_);
  literals_gone_ += program_.literals.size() - literals_shown_;
  program_.literals.resize(literals_shown_);
}

// program(1.3) [attributes] {
bool Parser::ParseHeader() {
  const uint32_t start = token_.span.offset;
  const bool ok = ExpectWord("program") && Expect(TokenKind::kLeftParen, "after `program`") &&
                  Expect(TokenKind::kNumber, "(the version, such as 1.0)") &&
                  Expect(TokenKind::kRightParen, "after the version");
  program_.header = From(start);
  bool good = ok;
  Arguments attributes;
  while (good && Is(TokenKind::kLeftBracket)) good = ParseAttributes(attributes);
  program_.attributes = program_.nodes.Keep(attributes);
  program_.functions_block = token_.span;
  if (good && Expect(TokenKind::kLeftBrace, "before the functions")) return true;
  // Go on where the first function begins: its errors are worth as much as this one.
  while (!Is(TokenKind::kEnd) && !IsWord("func")) Advance();
  return false;
}

// `whole`: all in front of the functions was there. If it was not, or if the program's `}` may be
// among what was passed over behind an error, nothing is said of a missing one.
void Parser::ParseFunctions(bool whole) {
  while (!give_up_ && !sink_.full() && !Is(TokenKind::kRightBrace) && !Is(TokenKind::kEnd)) {
    if (ParseFunction()) continue;
    while (!give_up_ && !sink_.full() && !Is(TokenKind::kEnd) && !IsWord("func")) Advance();
    whole = whole && !Is(TokenKind::kEnd);
  }
  if (give_up_ || sink_.full() || (!whole && Is(TokenKind::kEnd))) return;
  if (!Expect(TokenKind::kRightBrace, "at the end of the program")) return;
  program_.functions_block = From(program_.functions_block.offset);
  if (!Is(TokenKind::kEnd)) Unexpected("the end of the text");
}

bool Parser::ParseFunction() {
  if (functions_ >= limits_.functions) {
    sink_.Error(Code::kTooManyFunctions, token_.span,
                absl::StrCat("more than ", limits_.functions, " functions"));
    give_up_ = true;
    return false;
  }
  FunctionSyntax function;
  stray_at_start_ = stray_before_;
  const uint32_t start = token_.span.offset;
  const bool ok = ExpectWord("func") && ExpectName(function.name, "the function's name") &&
                  Expect(TokenKind::kLess, "before the opset") &&
                  ExpectName(function.opset, "an opset such as ios18") &&
                  Expect(TokenKind::kGreater, "after the opset");
  std::vector<NamedType> parameters;
  if (!ok || (!ParseParameters(parameters) && !RecoverParameters(parameters))) return false;
  function.parameters = program_.nodes.Keep(parameters);
  Arguments attributes;
  while (Is(TokenKind::kLeftBracket)) {
    if (!ParseAttributes(attributes)) return false;
  }
  function.attributes = program_.nodes.Keep(attributes);
  if (reader_ != nullptr) {
    reader_->BeginFunction(function);
    nodes_shown_ = program_.nodes.Now();
    literals_shown_ = program_.literals.size();
  }
  ++functions_;
  const bool whole = ParseBlock(function);
  function.span = From(start);
  if (reader_ == nullptr) {
    program_.functions.push_back(std::move(function));
    return whole;
  }
  Show(function);
  reader_->EndFunction(function);
  return whole;
}

bool Parser::ParseParameters(std::vector<NamedType>& parameters) {
  if (!Expect(TokenKind::kLeftParen, "before the parameters")) return false;
  if (Accept(TokenKind::kRightParen)) return true;
  do {
    if (!CountPort()) return false;
    NamedType parameter;
    if (!ParseNamedType(parameter)) return false;
    parameters.push_back(parameter);
  } while (Accept(TokenKind::kComma));
  return Expect(TokenKind::kRightParen, "or `,` after the parameter");
}

// A parameter could not be read: the names are known all the same, and the operations may be read.
// False if there is no block.
bool Parser::RecoverParameters(std::vector<NamedType>& parameters) {
  while (!give_up_ && !Is(TokenKind::kEnd) && !Is(TokenKind::kSemicolon) &&
         !Is(TokenKind::kRightBrace) && !IsWord("func")) {
    if (Is(TokenKind::kLeftBrace)) return true;
    const bool name = Is(TokenKind::kIdentifier) && FindScalarType(Text(token_.span)) == nullptr;
    if (name && (Peek() == TokenKind::kComma || Peek() == TokenKind::kRightParen)) {
      parameters.emplace_back().name = token_.span;
    }
    Advance();
  }
  return false;
}

// { operation... } -> (outputs);
bool Parser::ParseBlock(FunctionSyntax& function) {
  const uint32_t start = token_.span.offset;
  if (!Expect(TokenKind::kLeftBrace, "before the operations")) return false;
  while (!Is(TokenKind::kRightBrace)) {
    const bool next_function = IsWord("func") && Peek() == TokenKind::kIdentifier;
    if (Is(TokenKind::kEnd) || next_function) return Unexpected("an operation or `}`");
    if (give_up_ || sink_.full()) return false;
    if (Is(TokenKind::kArrow)) break;
    ParseStatement(function);
    if (reader_ != nullptr && function.operations.size() >= kShownAtOnce) Show(function);
  }
  Expect(TokenKind::kRightBrace, "before the `->` of the outputs");
  function.block = From(start);
  return ParseBlockOutputs(function);
}

bool Parser::ParseBlockOutputs(FunctionSyntax& function) {
  if (!Expect(TokenKind::kArrow, "and the outputs after `}`") ||
      !Expect(TokenKind::kLeftParen, "before the outputs")) {
    return false;
  }
  if (Is(TokenKind::kRightParen)) {
    sink_.Note(Code::kNoOutputs, function.name,
               absl::StrCat("function ", Shown(Text(function.name)), " has no outputs"),
               "name what it gives: -> (y);");
  } else {
    do {
      Span output;
      if (!CountPort()) return false;
      if (!ExpectName(output, "the name of an output")) return false;
      function.outputs.push_back(output);
    } while (Accept(TokenKind::kComma));
  }
  if (!Expect(TokenKind::kRightParen, "after the outputs")) return false;
  if (!Accept(TokenKind::kSemicolon)) {  // nothing hangs on it
    sink_.Note(Code::kNoSemicolon, {last_end_ - 1, 1}, "no `;` after the outputs", "add `;`");
  }
  return true;
}

void Parser::ParseStatement(FunctionSyntax& function) {
  if (++operations_ > limits_.operations) {
    sink_.Error(Code::kTooManyOperations, token_.span,
                absl::StrCat("more than ", limits_.operations, " operations"));
    give_up_ = true;
    return;
  }
  errors_at_start_ = errors_before_;
  stray_at_start_ = stray_before_;
  positional_ = false;
  const uint32_t start = token_.span.offset;
  OperationSyntax operation;
  const bool whole = ParseOperation(operation);
  operation.span = From(start);
  if (whole && clean_) {
    function.operations.push_back(operation);
    return;
  }
  if (!whole) SkipStatement();
  // The names that a broken statement was to define are known all the same: nobody gains from a
  // second error at each use.
  operation.arguments = operation.attributes = {};
  operation.op = {};
  if (!operation.outputs.empty()) function.operations.push_back(operation);
}

// To behind the next `;`, to a line that begins a statement, or in front of the `}` that ends the
// block.
void Parser::SkipStatement() {
  while (!give_up_ && !Is(TokenKind::kEnd)) {
    if (Accept(TokenKind::kSemicolon)) return;
    if (IsWord("func") || AtStatement() || AtEndOfBlock()) return;
    Advance();
  }
}

// Results as in a language without types: `y = `, `a, b = ` or `(a, b) = `. Reports them.
bool Parser::BareOutputs() {
  if (Is(TokenKind::kLeftParen)) {
    sink_.Error(Code::kUnexpectedToken, token_.span,
                "the results of an operation stand without parentheses",
                "write `tensor<fp16, [1, 64]> a, tensor<fp16, [1, 64]> b = ...`");
    Advance();
    return true;
  }
  const bool bare = FindScalarType(Text(token_.span)) == nullptr &&
                    (Peek() == TokenKind::kEqual || Peek() == TokenKind::kComma);
  if (!bare) return false;
  sink_.Error(Code::kUnexpectedToken, token_.span,
              absl::StrCat("the result ", Shown(Text(token_.span)), " needs its type in front"),
              std::string(kResultForm));
  return true;
}

bool Parser::ParseOutputs(Outputs& outputs) {
  if (!Is(TokenKind::kIdentifier) && !Is(TokenKind::kLeftParen)) return Unexpected("an operation");
  if (BareOutputs()) return false;
  do {
    if (!CountOperand()) return false;
    NamedType output;
    const bool ok = ParseNamedType(output);
    if (output.name.length > 0) outputs.push_back(output);
    if (!ok) return false;
  } while (Accept(TokenKind::kComma));
  return Expect(TokenKind::kEqual, "after the result");
}

// The results could not be read, but what stands in front of the `=` is a name, and what comes
// behind it may have errors of its own. False if there is no call in this statement.
bool Parser::RecoverOutputs(Outputs& outputs) {
  while (!give_up_ && !Is(TokenKind::kEnd) && !Is(TokenKind::kSemicolon) &&
         !Is(TokenKind::kLeftParen)) {
    if (AtStatement() || AtEndOfBlock()) return false;
    const bool call = Is(TokenKind::kIdentifier) && Peek() == TokenKind::kLeftParen;
    if (call) return true;  // the `=` is what is missing
    const Token token = token_;
    Advance();
    if (token.kind == TokenKind::kEqual) return true;
    const bool name =
        token.kind == TokenKind::kIdentifier && FindScalarType(Text(token.span)) == nullptr;
    if (name && (Is(TokenKind::kEqual) || Is(TokenKind::kComma) || Is(TokenKind::kRightParen))) {
      outputs.emplace_back().name = token.span;
    }
  }
  return false;
}

bool Parser::ParseOperation(OperationSyntax& operation) {
  // "write_state(...)": the only form without a result. A type may be one word too ("fp16 x = "),
  // so look one token ahead.
  const bool bare = Is(TokenKind::kIdentifier) && Peek() == TokenKind::kLeftParen;
  Outputs outputs;
  const bool ok = bare || ParseOutputs(outputs) || RecoverOutputs(outputs);
  operation.outputs = program_.nodes.Keep(outputs);
  return ok && ParseCall(operation);
}

bool Parser::ParseCall(OperationSyntax& operation) {
  if (!ExpectName(operation.op, "an operation")) return false;
  if (IsControlFlow(Text(operation.op))) return SkipControlFlow(operation.op);
  if (Accept(TokenKind::kLess)) {  // an opset tag, which some tools add; it changes nothing
    Span tag;
    if (!ExpectName(tag, "an opset") || !Expect(TokenKind::kGreater, "")) return false;
  }
  Arguments parts;
  if (!ParseArguments(parts)) return false;
  operation.arguments = program_.nodes.Keep(parts);
  parts.clear();
  while (Is(TokenKind::kLeftBracket)) {
    if (!ParseAttributes(parts)) return false;
  }
  operation.attributes = program_.nodes.Keep(parts);
  return ParseEndOfStatement();
}

// A forgotten `;` is one error; the statement is whole but for it.
bool Parser::ParseEndOfStatement() {
  clean_ = sink_.errors() == errors_at_start_;
  if (Accept(TokenKind::kSemicolon)) return true;
  // Here a name and `=` at the start of a line are a result whose type was forgotten too.
  const bool untyped = Is(TokenKind::kIdentifier) && OnNewLine() && Peek() == TokenKind::kEqual;
  if (!untyped && !AtStatement() && !AtEndOfBlock()) {
    return Expect(TokenKind::kSemicolon, "after the operation");
  }
  UnexpectedAfterLast(TokenKind::kSemicolon, "after the operation");
  errors_before_ = sink_.errors();
  return true;
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

bool Parser::TooMany(const Arguments& arguments) {
  if (arguments.size() < limits_.arguments) return false;
  sink_.Error(Code::kTooManyArguments, token_.span,
              absl::StrCat("more than ", limits_.arguments, " arguments or attributes"));
  return true;
}

bool Parser::CountOperand() {
  if (++operands_ <= limits_.operands) return true;
  if (give_up_) return false;
  sink_.Error(Code::kTooManyOperands, token_.span,
              absl::StrCat("more than ", limits_.operands, " operands and results in all"));
  give_up_ = true;
  return false;
}

bool Parser::CountPort() {
  if (++ports_ <= limits_.ports) return true;
  if (give_up_) return false;
  sink_.Error(Code::kTooManyOperands, token_.span,
              absl::StrCat("more than ", limits_.ports, " inputs and outputs in all"));
  give_up_ = true;
  return false;
}

bool Parser::ParseArguments(Arguments& arguments) {
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
  if (Is(TokenKind::kComma) || Is(TokenKind::kRightParen)) {
    if (!positional_) {
      sink_.Error(Code::kPositionalArgument, name.span, "an argument without its name",
                  absl::StrCat("write it as `x = ", std::string(Text(name.span)), "`"));
    }
    positional_ = true;
    argument.values = {program_.nodes.KeepOne(ArgumentValue{.span = name.span}), 1};
    return true;
  }
  if (!Is(TokenKind::kEqual)) {
    return Unexpected("`=` after the argument's name");
  }
  Advance();
  argument.name = name.span;
  return ParseArgumentValues(argument);
}

// One value, or several in parentheses.
bool Parser::ParseArgumentValues(ArgumentSyntax& argument) {
  argument.variadic = Accept(TokenKind::kLeftParen);
  if (!argument.variadic) {
    ArgumentValue value;
    if (!ParseArgumentValue(value)) return false;
    argument.values = {program_.nodes.KeepOne(value), 1};
    return true;
  }
  if (Accept(TokenKind::kRightParen)) return true;
  absl::InlinedVector<ArgumentValue, 4> values;
  do {
    if (!ParseArgumentValue(values.emplace_back())) return false;
  } while (Accept(TokenKind::kComma));
  argument.values = program_.nodes.Keep(values);
  return Expect(TokenKind::kRightParen, "or `,` in the list");
}

bool Parser::ParseArgumentValue(ArgumentValue& value) {
  if (!CountOperand()) return false;
  const uint32_t start = token_.span.offset;
  if (AtReference()) {
    value.span = token_.span;
    Advance();
    return true;
  }
  ValueSyntax written;
  const bool ok = ParseValue(written);
  value.value = program_.nodes.KeepOne(written);
  value.span = From(start);
  return ok;
}

// A word that begins neither a type nor a value. Where a bracket was forgotten behind it, it is the
// bracket that is missing.
bool Parser::AtReference() {
  if (!Is(TokenKind::kIdentifier)) return false;
  const std::string_view word = Text(token_.span);
  const TokenKind next = Peek();
  if (IsLiteralWord(word) || next == TokenKind::kLess || next == TokenKind::kLeftParen) {
    return false;
  }
  return FindScalarType(word) == nullptr || next == TokenKind::kComma ||
         next == TokenKind::kRightParen || next == TokenKind::kRightBracket;
}

bool Parser::ParseAttributes(Arguments& attributes) {
  if (!Expect(TokenKind::kLeftBracket, "")) return false;
  if (Accept(TokenKind::kRightBracket)) return true;
  do {
    if (TooMany(attributes)) return false;
    ArgumentSyntax& attribute = attributes.emplace_back();
    ArgumentValue value;
    if (!ExpectName(attribute.name, "the name of an attribute") ||
        !Expect(TokenKind::kEqual, "after the attribute's name") || !ParseArgumentValue(value)) {
      return false;
    }
    attribute.values = {program_.nodes.KeepOne(value), 1};
  } while (Accept(TokenKind::kComma));
  return Expect(TokenKind::kRightBracket, "or `,` after the attribute");
}

bool Parser::ParseNamedType(NamedType& named) {
  return ParseType(named.type) && ExpectName(named.name, "a name after the type");
}

}  // namespace anex::mil
