#include "server/mil/ane/text_facts.h"

#include <array>
#include <utility>

#include "absl/strings/numbers.h"
#include "server/mil/diagnostic.h"
#include "server/mil/lexer.h"
#include "server/mil/scalar_type.h"

namespace anex::mil {
namespace {

constexpr std::string_view kModelPath = "@model_path/";

// The last few tokens, so that a pattern is recognised at its end. back(0) is the newest.
class Window {
 public:
  void Push(const Token& token) {
    for (size_t i = tokens_.size() - 1; i > 0; --i) tokens_[i] = tokens_[i - 1];
    tokens_[0] = token;
  }
  const Token& back(size_t i) const { return tokens_[i]; }

 private:
  std::array<Token, 4> tokens_;
};

class Reader {
 public:
  Reader(const SourceText& text, TextFacts& facts) : text_(text), facts_(facts) {}

  void Read() {
    DiagnosticSink ignored(text_, 1);
    Lexer lexer(text_, ignored);
    uint32_t end = 0;
    for (Token token = lexer.Next(); token.kind != TokenKind::kEnd; token = lexer.Next()) {
      FindComment(end, token.span.offset);
      end = token.span.offset + token.span.length;
      window_.Push(token);
      Look();
    }
  }

 private:
  std::string_view Word(size_t back) const {
    const Token& token = window_.back(back);
    return token.kind == TokenKind::kIdentifier ? text_.Text(token.span) : std::string_view();
  }

  // Between two tokens there is nothing but white space and comments.
  void FindComment(uint32_t from, uint32_t to) {
    if (facts_.comment.has_value() || to <= from) return;
    const size_t at = text_.text().substr(from, to - from).find_first_of("/#");
    if (at == std::string_view::npos) return;
    const uint32_t offset = from + static_cast<uint32_t>(at);
    facts_.comment = Span{offset, 1};
  }

  void Look() {
    const Token& token = window_.back(0);
    switch (token.kind) {
      case TokenKind::kNumber:
        LookAtNumber(token);
        break;
      case TokenKind::kIdentifier:
        LookAtWord(token);
        break;
      case TokenKind::kQuestion:
        if (!facts_.flexible.has_value()) facts_.flexible = token.span;
        break;
      case TokenKind::kString:
        if (in_blob_) path_ = Unquote(text_.Text(token.span));
        break;
      case TokenKind::kLeftParen:
        LookAtParen();
        break;
      default:
        break;
    }
  }

  void LookAtWord(const Token& token) {
    const std::string_view word = Word(0);
    if (word == "buildInfo") facts_.build_info = true;
    if (word == "FlexibleShapeInformation" && !facts_.flexible.has_value()) {
      facts_.flexible = token.span;
    }
    if (word == "BLOBFILE") in_blob_ = true;
    if (word == "offset" && in_blob_) offset_pending_ = true;
  }

  // The version follows `program (`; an offset is the first number behind its word, whichever the
  // dialect: `offset = uint64(64)`, `offset = tensor<uint64, []>(64)`.
  void LookAtNumber(const Token& token) {
    const std::string_view number = text_.Text(token.span);
    if (facts_.version.empty() && Word(2) == "program") {
      facts_.version = std::string(number);
      facts_.version_at = token.span;
    }
    if (!offset_pending_) return;
    in_blob_ = offset_pending_ = false;
    uint64_t offset = 0;
    if (!absl::SimpleAtoi(absl::string_view(number.data(), number.size()), &offset)) return;
    if (path_.starts_with(kModelPath)) path_.erase(0, kModelPath.size());
    facts_.blobs.push_back({std::move(path_), offset, token.span});
    path_.clear();
  }

  void LookAtParen() {
    const ScalarType* scalar = FindScalarType(Word(1));
    if (scalar != nullptr && !facts_.compact.has_value()) facts_.compact = window_.back(1).span;
  }

  const SourceText& text_;
  TextFacts& facts_;
  Window window_;
  bool in_blob_ = false, offset_pending_ = false;
  std::string path_;
};

}  // namespace

TextFacts TextFacts::Of(const SourceText& text) {
  TextFacts facts;
  Reader(text, facts).Read();
  return facts;
}

}  // namespace anex::mil
