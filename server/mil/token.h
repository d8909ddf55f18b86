// The smallest pieces of MIL text. A token is a kind and a span: its text stays in the source.
#ifndef ANEX_SERVER_MIL_TOKEN_H_
#define ANEX_SERVER_MIL_TOKEN_H_

#include <cstdint>
#include <string_view>

#include "server/mil/source_text.h"

namespace anex::mil {

enum class TokenKind : uint8_t {
  kEnd,         // past the last byte; repeats for ever
  kInvalid,     // bytes that begin no token; reported by the lexer
  kIdentifier,  // also true, false, inf, nan: what they are depends on where they stand
  kNumber,  // with its sign; -inf and -nan too. Whether it is well formed is found out when it is
            // read
  kString,  // with its quotes
  kLeftParen,
  kRightParen,
  kLeftBracket,
  kRightBracket,
  kLeftBrace,
  kRightBrace,
  kLess,
  kGreater,
  kComma,
  kEqual,
  kSemicolon,
  kQuestion,
  kArrow,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  Span span;
};

// "`;`", "a name": for "expected ..." messages.
std::string_view Describe(TokenKind kind);

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_TOKEN_H_
