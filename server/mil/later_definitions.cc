#include "server/mil/later_definitions.h"

#include "server/mil/diagnostic.h"
#include "server/mil/lexer.h"
#include "server/mil/token.h"

namespace anex::mil {
namespace {

int Opens(TokenKind kind) {
  switch (kind) {
    case TokenKind::kLeftParen:
    case TokenKind::kLeftBracket:
    case TokenKind::kLeftBrace:
    case TokenKind::kLess:
      return 1;
    case TokenKind::kRightParen:
    case TokenKind::kRightBracket:
    case TokenKind::kRightBrace:
    case TokenKind::kGreater:
      return -1;
    default:
      return 0;
  }
}

}  // namespace

LaterDefinitions::LaterDefinitions(const SourceText& source, uint32_t offset) {
  DiagnosticSink quiet(source, 1);  // what is wrong here the parser will say
  Lexer lexer(source, quiet, nullptr, offset);
  Token token = lexer.Next();
  while (token.kind != TokenKind::kSemicolon && token.kind != TokenKind::kEnd) token = lexer.Next();
  int depth = 0;  // of brackets: results stand outside all of them
  for (Token last; token.kind != TokenKind::kEnd && token.kind != TokenKind::kArrow;
       last = token, token = lexer.Next()) {
    const bool result = last.kind == TokenKind::kIdentifier &&
                        (token.kind == TokenKind::kEqual || token.kind == TokenKind::kComma);
    if (result && depth == 0) first_.try_emplace(source.Text(last.span), last.span);
    // A statement ends all brackets: one that was forgotten hides one statement and not all.
    depth = token.kind == TokenKind::kSemicolon ? 0 : depth + Opens(token.kind);
  }
}

std::optional<Span> LaterDefinitions::Find(std::string_view name, uint32_t offset) const {
  const auto found = first_.find(name);
  if (found == first_.end() || found->second.offset < offset) return std::nullopt;
  return found->second;
}

}  // namespace anex::mil
