#include "client/cli/output/caret.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/output/text.h"
#include "proto/values/source_line.h"

namespace anex::cli {
namespace {

struct Word {
  std::string_view text;
  Tint tint;
};

Word SeverityWord(Severity severity) {
  switch (severity) {
    case Severity::kNote:
      return {"note", Tint::kDim};
    case Severity::kWarning:
      return {"warning", Tint::kWarn};
    case Severity::kError:
      return {"error", Tint::kBad};
  }
  return {"error", Tint::kBad};
}

// A tab counts as one column of the source but is shown as one space, so that carets line up.
std::string Shown(std::string_view line) {
  std::string text(line);
  std::replace(text.begin(), text.end(), '\t', ' ');
  return Harmless(text);
}

// Of a long line the part around the place is shown: generators put a whole program on one.
constexpr size_t kWidth = 140;  // bytes
constexpr size_t kBefore = 70;  // of them in front of the place

bool ContinuesCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// The line and its caret. Columns are bytes; what is shown is wider where bytes were made harmless
// and narrower where characters have several bytes, so both ends are measured on what is shown.
std::string SourceLines(const Diagnostic& d, const Style& style) {
  std::string_view line = d.source_line;
  const size_t offset = SourceLineOffset(d);
  size_t begin = std::min<size_t>(std::max(d.column, 1) - 1 - offset, line.size());
  size_t end = std::min(begin + std::max(d.length, 1), std::max(line.size(), begin + 1));
  size_t first = line.size() <= kWidth || begin <= kBefore ? 0 : begin - kBefore;
  while (first > 0 && ContinuesCharacter(line[first])) --first;
  size_t last = std::min(line.size(), first + kWidth);
  while (last < line.size() && ContinuesCharacter(line[last])) ++last;
  const std::string lead = first + offset > 0 ? "..." : "", tail = last < line.size() ? "..." : "";
  line = line.substr(first, last - first);
  begin -= first;
  end = std::min(end - first, std::max(line.size(), begin + 1));
  const size_t before = DisplayWidth(Shown(line.substr(0, begin)));
  const size_t until = begin < line.size() ? DisplayWidth(Shown(line.substr(0, end))) : before + 1;
  const size_t width = until > before ? until - before : 1;
  std::string caret(lead.size() + before, ' ');
  caret += style.Paint("^" + std::string(width - 1, '~'), SeverityWord(d.severity).tint);
  if (d.end_line > d.line) absl::StrAppend(&caret, " to line ", d.end_line);
  return absl::StrFormat("%6d | %s%s%s\n       | %s\n", d.line, lead, Shown(line), tail, caret);
}

void Append(const Diagnostic& d, const Style& style, std::string& out) {
  std::string where = Harmless(d.file);
  if (d.line > 0) absl::StrAppend(&where, ":", d.line, ":", d.column);
  const Word word = SeverityWord(d.severity);
  absl::StrAppend(&out, style.Paint(where, Tint::kBold), ": ", style.Paint(word.text, word.tint),
                  ": ", HarmlessLines(d.message));
  if (!d.code.empty()) absl::StrAppend(&out, " [", Harmless(d.code), "]");
  out += "\n";
  if (d.line > 0) out += SourceLines(d, style);
  if (!d.help.empty()) absl::StrAppend(&out, "  help: ", HarmlessLines(d.help), "\n");
}

}  // namespace

std::string RenderDiagnostics(const std::vector<Diagnostic>& diagnostics, const Style& style) {
  std::string out;
  for (const Diagnostic& diagnostic : diagnostics) {
    Append(diagnostic, style, out);
    for (const Diagnostic& note : diagnostic.notes) Append(note, style, out);
  }
  return out;
}

namespace {

size_t Count(const std::vector<Diagnostic>& diagnostics, Severity severity) {
  return std::count_if(diagnostics.begin(), diagnostics.end(),
                       [severity](const Diagnostic& d) { return d.severity == severity; });
}

}  // namespace

size_t CountErrors(const std::vector<Diagnostic>& diagnostics) {
  return Count(diagnostics, Severity::kError);
}

size_t CountWarnings(const std::vector<Diagnostic>& diagnostics) {
  return Count(diagnostics, Severity::kWarning);
}

}  // namespace anex::cli
