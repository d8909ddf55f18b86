// Cuts MIL text into tokens, one at a time. Comments (`//` and `#` to the end of the line) and
// white space are skipped. Never fails: bytes that begin no token are reported once per run and
// come out as kInvalid. Belongs to one parser, one thread; linear in the text.
#ifndef ANEX_SERVER_MIL_LEXER_H_
#define ANEX_SERVER_MIL_LEXER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/mil/diagnostic.h"
#include "server/mil/source_text.h"
#include "server/mil/token.h"

namespace anex::mil {

class Lexer {
 public:
  // Puts the places of comments into `comments` unless it is null. Begins at the byte `offset`.
  Lexer(const SourceText& source, DiagnosticSink& sink, std::vector<Span>* comments = nullptr,
        uint32_t offset = 0);
  Token Next();

 private:
  uint32_t Past(uint8_t classes, uint32_t at) const;
  void SkipBlank();
  Token Number(uint32_t start);
  Token String(uint32_t start);
  Token Invalid(uint32_t start);
  Token Make(TokenKind kind, uint32_t start) const;
  char At(uint32_t offset) const { return offset < text_.size() ? text_[offset] : '\0'; }

  std::string_view text_;
  DiagnosticSink& sink_;
  std::vector<Span>* const comments_;
  uint32_t at_ = 0;
};

// The characters of a kString token's text: quotes off, \" \\ \n \t \r undone; any other escape is
// kept as it stands.
std::string Unquote(std::string_view token_text);
// The inverse: a string literal that Unquote reads back, control characters excepted.
std::string Quote(std::string_view text);

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_LEXER_H_
