// The parser's lower half: types and literals.
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/mil/nearest_name.h"
#include "server/mil/parser.h"
#include "server/mil/scalar_type.h"

namespace anex::mil {
bool Parser::ParseType(TypeSyntax& type) {
  Level level(*this);
  if (!level.ok()) return false;
  const uint32_t start = token_.span.offset;
  if (!Is(TokenKind::kIdentifier)) return Unexpected("a type such as tensor<fp16, [1, 64]>");
  const Span name = token_.span;
  const std::string_view word = Text(name);
  Advance();
  bool ok = true;
  if (!Is(TokenKind::kLess)) {
    type.kind = TypeSyntax::Kind::kScalar;
    type.scalar = name;
  } else if (word == "tensor") {
    ok = ParseTensorType(type);
  } else if (word == "tensor_buffer") {
    ok = ParseTensorBufferType(type);
  } else if (word == "list" || word == "tuple" || word == "dict" || word == "state") {
    type.kind = word == "list"    ? TypeSyntax::Kind::kList
                : word == "tuple" ? TypeSyntax::Kind::kTuple
                : word == "dict"  ? TypeSyntax::Kind::kDict
                                  : TypeSyntax::Kind::kState;
    ok = ParseTypeChildren(type);
  } else {
    constexpr std::string_view kKnown[] = {"tensor", "list", "tuple", "dict", "state"};
    std::string help = DidYouMean(word, kKnown);
    if (help.empty()) help = "types with parameters are tensor, list, tuple, dict and state";
    sink_.Error(Code::kUnknownType, name, absl::StrCat("there is no type ", Shown(word), "<...>"),
                std::move(help));
    ok = false;
  }
  type.span = From(start);
  return ok;
}

// tensor<scalar, [dims]>; the word has been read.
bool Parser::ParseTensorType(TypeSyntax& type) {
  type.kind = TypeSyntax::Kind::kTensor;
  Dims dims;
  const bool ok = Expect(TokenKind::kLess, "") &&
                  ExpectName(type.scalar, "an element type such as fp16") &&
                  Expect(TokenKind::kComma, "and the shape after the element type") &&
                  ParseDims(dims) && Expect(TokenKind::kGreater, "after the shape");
  type.dims = program_.nodes.Keep(dims);
  return ok;
}

bool Parser::ParseDims(Dims& dims) {
  if (!Expect(TokenKind::kLeftBracket, "before the shape")) return false;
  if (Accept(TokenKind::kRightBracket)) return true;
  do {
    if (!ParseDim(dims)) return false;
  } while (Accept(TokenKind::kComma));
  return Expect(TokenKind::kRightBracket, "or `,` in the shape");
}

bool Parser::ParseDim(Dims& dims) {
  // A shape has at most 8 dimensions; keep a few more so that the message can show them.
  constexpr size_t kKept = 32;
  int64_t dim = kUnknownDim;
  if (!Is(TokenKind::kQuestion)) {
    if (!Is(TokenKind::kNumber)) return Unexpected("a dimension (a number or `?`)");
    const std::string text(Text(token_.span));
    if (!absl::SimpleAtoi(text, &dim) || dim < 0) {
      sink_.Error(Code::kBadShape, token_.span,
                  absl::StrCat(Shown(text), " is not a dimension: a number from 1 up, or `?`"));
      return false;
    }
  }
  Advance();
  if (dims.size() < kKept) dims.push_back(dim);
  return true;
}

// <type, type> of list, tuple, dict, state; a list's second part is a length or `?`.
bool Parser::ParseTypeChildren(TypeSyntax& type) {
  if (!Expect(TokenKind::kLess, "")) return false;
  Dims dims;
  std::vector<TypeSyntax> children;
  do {
    if (Is(TokenKind::kNumber) || Is(TokenKind::kQuestion)) {
      if (!ParseDim(dims)) return false;
    } else if (!ParseType(children.emplace_back())) {
      return false;
    }
  } while (Accept(TokenKind::kComma));
  type.dims = program_.nodes.Keep(dims);
  type.children = program_.nodes.Keep(children);
  return Expect(TokenKind::kGreater, "or `,` in the type");
}

// tensor_buffer<fp16, shape=[1, 2], strides=[...]>: read so that it can be refused by name.
bool Parser::ParseTensorBufferType(TypeSyntax& type) {
  type.kind = TypeSyntax::Kind::kTensorBuffer;
  if (!Expect(TokenKind::kLess, "") || !ExpectName(type.scalar, "an element type")) return false;
  while (Accept(TokenKind::kComma)) {
    Span key;
    Dims numbers;
    if (!ExpectName(key, "a part such as shape") || !Expect(TokenKind::kEqual, "") ||
        !ParseDims(numbers)) {
      return false;
    }
  }
  return Expect(TokenKind::kGreater, "after the type");
}

bool Parser::ParseValue(ValueSyntax& value) {
  const uint32_t start = token_.span.offset;
  value.literal = static_cast<uint32_t>(program_.literals.size());
  const bool word = IsWord("true") || IsWord("false") || IsWord("inf") || IsWord("nan");
  value.typed = Is(TokenKind::kIdentifier) && !word && !IsWord("BLOBFILE");
  bool ok;
  if (value.typed) {
    ok = ParseType(value.type) && Expect(TokenKind::kLeftParen, "and a value after the type") &&
         (Is(TokenKind::kRightParen) || ParseLiterals()) &&
         Expect(TokenKind::kRightParen, "after the value");
  } else {
    ok = ParseLiteral();
  }
  value.literal_end = static_cast<uint32_t>(program_.literals.size());
  value.span = From(start);
  return ok;
}

// One literal, or several with commas between: type(1, 2) is type((1, 2)).
bool Parser::ParseLiterals() {
  const uint32_t first = static_cast<uint32_t>(program_.literals.size());
  const uint32_t start = token_.span.offset;
  if (!ParseLiteral()) return false;
  if (!Is(TokenKind::kComma)) return true;
  while (Accept(TokenKind::kComma)) {
    if (!ParseLiteral()) return false;
  }
  // The tuple that stands for them goes in front.
  program_.literals.insert(program_.literals.begin() + first,
                           {Literal::Kind::kTuple, From(start), 0});
  const uint32_t end = static_cast<uint32_t>(program_.literals.size());
  for (uint32_t i = first; i < end; ++i) ++program_.literals[i].end;
  program_.literals[first].end = end;
  return true;
}

bool Parser::AddLiteral(Literal::Kind kind, Span span) {
  if (program_.literals.size() + literals_gone_ >= limits_.literals) {
    sink_.Error(Code::kTooManyLiterals, span,
                absl::StrCat("more than ", limits_.literals, " inline numbers"),
                "put large constants into a weight file and name it with BLOBFILE");
    give_up_ = true;
    return false;
  }
  const uint32_t end = static_cast<uint32_t>(program_.literals.size() + 1);
  program_.literals.push_back({kind, span, end});
  return true;
}

bool Parser::ParseLiteral() {
  if (give_up_ || sink_.full()) return false;
  const Span span = token_.span;
  switch (token_.kind) {
    case TokenKind::kNumber:
    case TokenKind::kString:
      if (!AddLiteral(Is(TokenKind::kNumber) ? Literal::Kind::kNumber : Literal::Kind::kString,
                      span)) {
        return false;
      }
      Advance();
      return true;
    case TokenKind::kLeftBracket:
      return ParseSequence(Literal::Kind::kList, TokenKind::kRightBracket);
    case TokenKind::kLeftParen:
      return ParseSequence(Literal::Kind::kTuple, TokenKind::kRightParen);
    case TokenKind::kLeftBrace:
      return ParseSequence(Literal::Kind::kDict, TokenKind::kRightBrace);
    case TokenKind::kIdentifier:
      break;
    default:
      return Unexpected("a value");
  }
  if (IsWord("BLOBFILE")) return ParseBlob();
  if (IsWord("true") || IsWord("false") || IsWord("inf") || IsWord("nan")) {
    if (!AddLiteral(Literal::Kind::kWord, span)) return false;
    Advance();
    return true;
  }
  return ParseTypedLiteral();
}

// A word where a value belongs.
bool Parser::UnknownWord(std::string_view word) {
  std::vector<std::string_view> known = {"BLOBFILE", "true", "false", "inf", "nan"};
  for (const ScalarType& scalar : kScalarTypes) known.push_back(scalar.name);
  return Unexpected("a value", DidYouMean(word, known));
}

// A typed value inside another: the outer type rules, the inner one is only read.
bool Parser::ParseTypedLiteral() {
  Level level(*this);
  const std::string_view word = Text(token_.span);
  if (FindScalarType(word) == nullptr && Peek() != TokenKind::kLess) return UnknownWord(word);
  TypeSyntax type;
  return level.ok() && ParseType(type) &&
         Expect(TokenKind::kLeftParen, "and a value after the type") && ParseLiteral() &&
         Expect(TokenKind::kRightParen, "after the value");
}

// Lists and tuples, and dictionaries, whose entries are {key, value}.
bool Parser::ParseSequence(Literal::Kind kind, TokenKind close) {
  Level level(*this);
  const size_t index = program_.literals.size();
  const uint32_t start = token_.span.offset;
  if (!level.ok() || !AddLiteral(kind, token_.span)) return false;
  Advance();
  while (!Is(close)) {
    const size_t child = program_.literals.size();
    if (!ParseLiteral()) return false;
    // An entry's braces look like a dictionary's: {{k, v}} is a dictionary of one pair.
    if (kind == Literal::Kind::kDict && program_.literals[child].kind == Literal::Kind::kDict) {
      program_.literals[child].kind = Literal::Kind::kTuple;
    }
    // Entries of a dictionary may stand without commas between.
    const bool next_entry = kind == Literal::Kind::kDict && Is(TokenKind::kLeftBrace);
    if (!Is(close) && !next_entry && !Expect(TokenKind::kComma, "or the end of the list")) {
      return false;
    }
  }
  Advance();
  program_.literals[index].end = static_cast<uint32_t>(program_.literals.size());
  program_.literals[index].span = From(start);
  return true;
}

bool Parser::ParseBlob() {
  Level level(*this);
  const size_t index = program_.literals.size();
  const uint32_t start = token_.span.offset;
  if (!level.ok() || !AddLiteral(Literal::Kind::kBlob, token_.span)) return false;
  Advance();
  const bool ok = Expect(TokenKind::kLeftParen, "after BLOBFILE") && ParseBlobPart("path") &&
                  Expect(TokenKind::kComma, "after the path") && ParseBlobPart("offset") &&
                  Expect(TokenKind::kRightParen, "after the offset");
  if (!ok) return false;
  program_.literals[index].end = static_cast<uint32_t>(program_.literals.size());
  program_.literals[index].span = From(start);
  return true;
}

bool Parser::ParseBlobPart(std::string_view name) {
  if (!ExpectWord(name) || !Expect(TokenKind::kEqual, "")) return false;
  const size_t index = program_.literals.size();
  const Span at = token_.span;
  if (!ParseLiteral()) return false;
  const Literal::Kind wanted = name == "path" ? Literal::Kind::kString : Literal::Kind::kNumber;
  if (program_.literals[index].kind == wanted) return true;
  sink_.Error(Code::kLiteralMismatch, at,
              absl::StrCat("BLOBFILE's ", std::string(name), " must be ",
                           name == "path" ? "a string" : "a number"));
  return false;
}

}  // namespace anex::mil
