#include "server/mil/lexer.h"

#include <array>

#include "absl/strings/str_cat.h"

namespace anex::mil {
namespace {

// Characters. What lies between two neighbours of fp64 has fewer than 1,100 digits.
constexpr uint32_t kLongestNumber = 1 << 20;

// What a byte can be, as bits.
constexpr uint8_t kDigit = 1, kLetter = 2, kBlank = 4;
constexpr std::array<uint8_t, 256> kClasses = [] {
  std::array<uint8_t, 256> classes{};
  for (int c = '0'; c <= '9'; ++c) classes[c] = kDigit;
  for (int c = 'a'; c <= 'z'; ++c) classes[c] = classes[c - 'a' + 'A'] = kLetter;
  classes['_'] = kLetter;
  for (const char c : {' ', '\n', '\t', '\r', '\f', '\v'}) classes[c] = kBlank;
  return classes;
}();

bool Is(uint8_t classes, char c) { return (kClasses[static_cast<uint8_t>(c)] & classes) != 0; }
bool IsDigit(char c) { return Is(kDigit, c); }
bool IsLetter(char c) { return Is(kLetter, c); }
bool IsWord(char c) { return Is(kDigit | kLetter, c); }
bool IsBlank(char c) { return Is(kBlank, c); }

constexpr std::array<TokenKind, 128> kPunctuation = [] {
  std::array<TokenKind, 128> kinds{};
  kinds.fill(TokenKind::kInvalid);
  kinds['('] = TokenKind::kLeftParen;
  kinds[')'] = TokenKind::kRightParen;
  kinds['['] = TokenKind::kLeftBracket;
  kinds[']'] = TokenKind::kRightBracket;
  kinds['{'] = TokenKind::kLeftBrace;
  kinds['}'] = TokenKind::kRightBrace;
  kinds['<'] = TokenKind::kLess;
  kinds['>'] = TokenKind::kGreater;
  kinds[','] = TokenKind::kComma;
  kinds['='] = TokenKind::kEqual;
  kinds[';'] = TokenKind::kSemicolon;
  kinds['?'] = TokenKind::kQuestion;
  return kinds;
}();

TokenKind PunctuationKind(char c) {
  const auto byte = static_cast<uint8_t>(c);
  return byte < kPunctuation.size() ? kPunctuation[byte] : TokenKind::kInvalid;
}

// Whether a byte can begin a token: where a run of invalid bytes ends.
bool BeginsToken(char c) {
  return IsBlank(c) || IsWord(c) || c == '"' || c == '-' || c == '+' || c == '.' || c == '#' ||
         c == '/' || PunctuationKind(c) != TokenKind::kInvalid;
}

}  // namespace

std::string_view Describe(TokenKind kind) {
  switch (kind) {
    case TokenKind::kEnd:
      return "the end of the text";
    case TokenKind::kInvalid:
      return "stray characters";
    case TokenKind::kIdentifier:
      return "a name";
    case TokenKind::kNumber:
      return "a number";
    case TokenKind::kString:
      return "a string";
    case TokenKind::kLeftParen:
      return "`(`";
    case TokenKind::kRightParen:
      return "`)`";
    case TokenKind::kLeftBracket:
      return "`[`";
    case TokenKind::kRightBracket:
      return "`]`";
    case TokenKind::kLeftBrace:
      return "`{`";
    case TokenKind::kRightBrace:
      return "`}`";
    case TokenKind::kLess:
      return "`<`";
    case TokenKind::kGreater:
      return "`>`";
    case TokenKind::kComma:
      return "`,`";
    case TokenKind::kEqual:
      return "`=`";
    case TokenKind::kSemicolon:
      return "`;`";
    case TokenKind::kQuestion:
      return "`?`";
    case TokenKind::kArrow:
      return "`->`";
  }
  return "a token";
}

Lexer::Lexer(const SourceText& source, DiagnosticSink& sink, std::vector<Span>* comments,
             uint32_t offset)
    : text_(source.text()), sink_(sink), comments_(comments), at_(offset) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";  // that an editor left
  if (at_ == 0 && text_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
}

Token Lexer::Make(TokenKind kind, uint32_t start) const { return {kind, {start, at_ - start}}; }

// The first byte from `at` on that is none of `classes`. Every byte of a text passes here.
uint32_t Lexer::Past(uint8_t classes, uint32_t at) const {
  const char* const text = text_.data();
  const uint32_t size = static_cast<uint32_t>(text_.size());
  while (at < size && Is(classes, text[at])) ++at;
  return at;
}

void Lexer::SkipBlank() {
  for (;;) {
    at_ = Past(kBlank, at_);
    if (at_ >= text_.size()) return;
    if (text_[at_] == '#' || (text_[at_] == '/' && At(at_ + 1) == '/')) {
      const uint32_t start = at_;
      while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      if (comments_ != nullptr) comments_->push_back({start, at_ - start});
    } else {
      return;
    }
  }
}

Token Lexer::Next() {
  SkipBlank();
  const uint32_t start = at_;
  if (start >= text_.size()) return Make(TokenKind::kEnd, start);
  const char c = text_[start];
  if (IsLetter(c)) {
    at_ = Past(kDigit | kLetter, start);
    return Make(TokenKind::kIdentifier, start);
  }
  if (c == '-' && At(start + 1) == '>') {
    at_ += 2;
    return Make(TokenKind::kArrow, start);
  }
  const bool sign = c == '-' || c == '+';
  const char first = sign ? At(start + 1) : c;
  if (IsDigit(first) || first == '.' || (sign && IsLetter(first))) return Number(start);
  if (c == '"') return String(start);
  const TokenKind kind = PunctuationKind(c);
  if (kind == TokenKind::kInvalid) return Invalid(start);
  ++at_;
  return Make(kind, start);
}

Token Lexer::Number(uint32_t start) {
  uint32_t at = start + (text_[start] == '-' || text_[start] == '+' ? 1 : 0);
  const bool hex = At(at) == '0' && (At(at + 1) == 'x' || At(at + 1) == 'X');
  for (char c = At(at); IsWord(c) || c == '.'; c = At(at)) {
    ++at;
    const bool exponent = hex ? c == 'p' || c == 'P' : c == 'e' || c == 'E';
    if (exponent && (At(at) == '-' || At(at) == '+')) ++at;
  }
  at_ = at;
  if (at_ - start > kLongestNumber) {
    sink_.Error(Code::kMalformedNumber, {start, at_ - start},
                absl::StrCat("a number of ", at_ - start, " characters; at most ", kLongestNumber,
                             " are read"));
    return Make(TokenKind::kInvalid, start);
  }
  return Make(TokenKind::kNumber, start);
}

Token Lexer::String(uint32_t start) {
  uint32_t at = start + 1;
  for (; at < text_.size() && text_[at] != '\n'; ++at) {
    if (text_[at] == '"') {
      at_ = at + 1;
      return Make(TokenKind::kString, start);
    }
    if (text_[at] == '\\' && At(at + 1) != '\n' && at + 1 < text_.size()) ++at;
  }
  at_ = at;
  sink_.Error(Code::kUnterminatedString, {start, at_ - start},
              "a string that does not end on its line", "close it with `\"`");
  return Make(TokenKind::kInvalid, start);
}

Token Lexer::Invalid(uint32_t start) {
  while (at_ < text_.size() && (at_ == start || !BeginsToken(text_[at_]))) ++at_;
  sink_.Error(Code::kStrayCharacters, {start, at_ - start},
              absl::StrCat("stray characters ", Shown(text_.substr(start, at_ - start))));
  return Make(TokenKind::kInvalid, start);
}

std::string Unquote(std::string_view token_text) {
  std::string text;
  for (size_t i = 1; i + 1 < token_text.size(); ++i) {
    char c = token_text[i];
    if (c == '\\' && i + 2 < token_text.size()) {
      const char escaped = token_text[i + 1];
      const bool known = escaped == '"' || escaped == '\\';
      if (known || escaped == 'n' || escaped == 't' || escaped == 'r') {
        c = known ? escaped : escaped == 'n' ? '\n' : escaped == 't' ? '\t' : '\r';
        ++i;
      }
    }
    text.push_back(c);
  }
  return text;
}

std::string Quote(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    switch (c) {
      case '"':
        quoted += "\\\"";
        break;
      case '\\':
        quoted += "\\\\";
        break;
      case '\n':
        quoted += "\\n";
        break;
      case '\t':
        quoted += "\\t";
        break;
      case '\r':
        quoted += "\\r";
        break;
      default:
        quoted.push_back(c);
    }
  }
  return quoted + "\"";
}

}  // namespace anex::mil
