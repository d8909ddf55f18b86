#include "server/mil/diagnostic.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/values/source_line.h"

namespace anex::mil {
namespace {

constexpr size_t kShownBytes = 80;        // of a name in a message
constexpr size_t kUsualLineBytes = 4096;  // of longer lines a finding carries a piece:
constexpr size_t kPieceBytes = 320;       // so long,
constexpr size_t kPieceBefore = 120;      // and so much of it in front of the place
constexpr uint32_t kMaxOthers = 200;      // warnings and notes; notes take no more than
constexpr uint32_t kRoomForNotes = 100;   // half, so that they push no warnings out
constexpr uint32_t kLooksPerAsk = 64;     // a few microseconds of reading
constexpr size_t kMaxNotes = 4;           // other places of one finding

bool ContinuesCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Fills in the line of a finding whose position is there, or a piece of it if it is very long.
void SetSourceLine(const SourceText& source, Span at, Diagnostic& diagnostic) {
  const size_t before = static_cast<size_t>(diagnostic.column) - 1;
  std::string_view line = source.LineAt(at.offset, kUsualLineBytes + 1);
  size_t first = 0;
  if (line.size() > kUsualLineBytes) {
    // A character has four bytes at most: what looks longer is none, and is cut anywhere.
    first = before > kPieceBefore ? before - kPieceBefore : 0;
    const size_t start = std::min<size_t>(at.offset, source.text().size()) - before;
    const auto continues = [&](size_t i) {
      return start + i < source.text().size() && ContinuesCharacter(source.text()[start + i]);
    };
    for (int i = 0; i < 3 && first > 0 && continues(first); ++i) --first;
    line = source.text().substr(start + first, kPieceBytes);
    line = line.substr(0, line.find('\n'));
    for (int i = 0; i < 3 && !line.empty() && continues(first + line.size()); ++i) {
      line.remove_suffix(1);
    }
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    diagnostic.properties[kSourceLineOffset] = absl::StrCat(first);
  }
  diagnostic.source_line = std::string(line);
  const size_t room = line.size() > before - first ? line.size() - (before - first) : 1;
  diagnostic.length = static_cast<int>(std::clamp<size_t>(at.length, 1, room));
}

}  // namespace

// Here and wherever a request may want more memory than there is: absl::StrFormat and its like end
// the process where an allocation in them fails.
std::string CodeName(Code code) {
  return absl::StrCat("MIL", absl::Dec(static_cast<int>(code), absl::kZeroPad4));
}

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
      absl::StrAppend(&shown, "\\x", absl::Hex(c, absl::kZeroPad2));
    } else {
      shown.push_back(static_cast<char>(c));
    }
  }
  if (name.size() > kShownBytes) shown += "...";
  return shown + "`";
}

Diagnostic MakeDiagnostic(const SourceText& source, Severity severity, std::string code, Span at,
                          std::string message, std::string help) {
  Diagnostic diagnostic{.severity = severity,
                        .code = std::move(code),
                        .message = std::move(message),
                        .file = std::string(source.name()),
                        .help = std::move(help)};
  const Position position = source.PositionOf(at.offset);
  diagnostic.line = static_cast<int>(position.line);
  diagnostic.column = static_cast<int>(position.column);
  SetSourceLine(source, at, diagnostic);
  // A place that is the end of a line, or runs up to it, ends there and not in the next line.
  const std::string_view text = source.text();
  uint32_t last = at.offset + at.length;
  while (last > at.offset && last <= text.size() && text[last - 1] == '\n') --last;
  const Position end = source.PositionOf(last);
  if (end.line > position.line) {
    diagnostic.end_line = static_cast<int>(end.line);
    diagnostic.end_column = static_cast<int>(end.column);
  }
  return diagnostic;
}

DiagnosticSink::DiagnosticSink(const SourceText& source, uint32_t error_limit,
                               std::function<bool()> stopped)
    : source_(source), error_limit_(std::max(error_limit, 1u)), ask_stopped_(std::move(stopped)) {}

// Asking may take a lock, looking happens for every operation and literal.
bool DiagnosticSink::stopped() {
  if (stopped_ || !ask_stopped_ || looks_++ % kLooksPerAsk != 0) return stopped_;
  return stopped_ = ask_stopped_();
}

DiagnosticSink::Report DiagnosticSink::Error(Code code, Span at, std::string message,
                                             std::string help) {
  if (full()) return Report(this, false);
  Add(Severity::kError, code, at, std::move(message), std::move(help));
  if (++errors_ == error_limit_ && error_limit_ > 1) {
    Found& last = found_.back();
    last_ = Found{
        last.offset,
        MakeDiagnostic(source_, Severity::kNote, CodeName(Code::kTooManyErrors), at,
                       absl::StrCat("stopped after ", errors_, " errors; there may be more"))};
  }
  return Report(this, true);
}

DiagnosticSink::Report DiagnosticSink::Warning(Code code, Span at, std::string message,
                                               std::string help) {
  if (others_ >= kMaxOthers) return Report(this, false);
  ++others_;
  Add(Severity::kWarning, code, at, std::move(message), std::move(help));
  return Report(this, true);
}

DiagnosticSink::Report DiagnosticSink::Note(Code code, Span at, std::string message,
                                            std::string help) {
  if (others_ >= kRoomForNotes) return Report(this, false);
  ++others_;
  Add(Severity::kNote, code, at, std::move(message), std::move(help));
  return Report(this, true);
}

DiagnosticSink::Report& DiagnosticSink::Report::See(Span at, std::string message) {
  if (!kept_ || at.length == 0) return *this;
  Diagnostic& diagnostic = sink_->found_.back().diagnostic;
  if (diagnostic.notes.size() >= kMaxNotes) return *this;
  diagnostic.notes.push_back(
      MakeDiagnostic(sink_->source_, Severity::kNote, "", at, std::move(message)));
  return *this;
}

void DiagnosticSink::Add(Severity severity, Code code, Span at, std::string message,
                         std::string help) {
  found_.push_back({at.offset, MakeDiagnostic(source_, severity, CodeName(code), at,
                                              std::move(message), std::move(help))});
}

std::vector<Diagnostic> DiagnosticSink::Take() {
  std::stable_sort(found_.begin(), found_.end(),
                   [](const Found& a, const Found& b) { return a.offset < b.offset; });
  if (last_.has_value()) found_.push_back(*std::move(last_));  // whatever it stands at
  last_.reset();
  std::vector<Diagnostic> diagnostics;
  diagnostics.reserve(found_.size());
  for (Found& found : found_) diagnostics.push_back(std::move(found.diagnostic));
  found_.clear();
  return diagnostics;
}

}  // namespace anex::mil
