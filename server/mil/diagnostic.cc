#include "server/mil/diagnostic.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace anex::mil {
namespace {

constexpr size_t kShownBytes = 80;          // of a name in a message
constexpr size_t kSourceLineBytes = 65536;  // a finding beyond that column carries no line
constexpr uint32_t kMaxOthers = 100;        // warnings and notes

}  // namespace

std::string CodeName(Code code) { return absl::StrFormat("MIL%04d", static_cast<int>(code)); }

std::string_view CodeSentence(Code code) {
  switch (code) {
#define ANEX_MIL_CODE(name, number, sentence) \
  case Code::name:                            \
    return sentence;
    ANEX_MIL_CODES(ANEX_MIL_CODE)
#undef ANEX_MIL_CODE
  }
  return "";
}

std::string Shown(std::string_view name) {
  std::string shown = "`";
  for (unsigned char c : name.substr(0, kShownBytes)) {
    if (c < 0x20 || c >= 0x7f) {
      absl::StrAppendFormat(&shown, "\\x%02x", c);
    } else {
      shown.push_back(static_cast<char>(c));
    }
  }
  if (name.size() > kShownBytes) shown += "...";
  return shown + "`";
}

DiagnosticSink::DiagnosticSink(const SourceText& source, uint32_t error_limit)
    : source_(source), error_limit_(std::max(error_limit, 1u)) {}

void DiagnosticSink::Error(Code code, Span at, std::string message, std::string help) {
  if (full()) return;
  Add(Severity::kError, code, at, std::move(message), std::move(help));
  if (++errors_ == error_limit_ && error_limit_ > 1) {
    Add(Severity::kNote, Code::kTooManyErrors, at,
        absl::StrCat("stopped after ", errors_, " errors; there may be more"), "");
  }
}

void DiagnosticSink::Warning(Code code, Span at, std::string message, std::string help) {
  if (others_ >= kMaxOthers) return;
  ++others_;
  Add(Severity::kWarning, code, at, std::move(message), std::move(help));
}

void DiagnosticSink::Note(Code code, Span at, std::string message, std::string help) {
  if (others_ >= kMaxOthers) return;
  ++others_;
  Add(Severity::kNote, code, at, std::move(message), std::move(help));
}

void DiagnosticSink::Add(Severity severity, Code code, Span at, std::string message,
                         std::string help) {
  Diagnostic diagnostic{.severity = severity,
                        .code = CodeName(code),
                        .message = std::move(message),
                        .file = std::string(source_.name()),
                        .help = std::move(help)};
  const Position position = source_.PositionOf(at.offset);
  diagnostic.line = static_cast<int>(position.line);
  diagnostic.column = static_cast<int>(position.column);
  const std::string_view line = source_.LineAt(at.offset, kSourceLineBytes);
  const size_t before = position.column - 1;
  if (before <= line.size()) {
    diagnostic.source_line = std::string(line);
    const size_t room = std::max<size_t>(line.size() - before, 1);
    diagnostic.length = static_cast<int>(std::clamp<size_t>(at.length, 1, room));
  } else {
    diagnostic.length = 1;
  }
  found_.push_back({at.offset, std::move(diagnostic)});
}

std::vector<Diagnostic> DiagnosticSink::Take() {
  std::stable_sort(found_.begin(), found_.end(),
                   [](const Found& a, const Found& b) { return a.offset < b.offset; });
  std::vector<Diagnostic> diagnostics;
  diagnostics.reserve(found_.size());
  for (Found& found : found_) diagnostics.push_back(std::move(found.diagnostic));
  found_.clear();
  return diagnostics;
}

}  // namespace anex::mil
