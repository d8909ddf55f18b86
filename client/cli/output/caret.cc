#include "client/cli/output/caret.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/output/text.h"

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

// The line and its caret. Columns are bytes; what is shown is wider where bytes were made harmless
// and narrower where characters have several bytes, so both ends are measured on what is shown.
std::string SourceLines(const Diagnostic& d, const Style& style) {
  const std::string_view line = d.source_line;
  const size_t begin = std::min<size_t>(std::max(d.column, 1) - 1, line.size());
  const size_t end = std::min(begin + std::max(d.length, 1), std::max(line.size(), begin + 1));
  const size_t before = DisplayWidth(Shown(line.substr(0, begin)));
  const size_t until = begin < line.size() ? DisplayWidth(Shown(line.substr(0, end))) : before + 1;
  const size_t width = until > before ? until - before : 1;
  std::string caret(before, ' ');
  caret += style.Paint("^" + std::string(width - 1, '~'), SeverityWord(d.severity).tint);
  return absl::StrFormat("%6d | %s\n       | %s\n", d.line, Shown(line), caret);
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

size_t CountErrors(const std::vector<Diagnostic>& diagnostics) {
  return std::count_if(diagnostics.begin(), diagnostics.end(),
                       [](const Diagnostic& d) { return d.severity == Severity::kError; });
}

}  // namespace anex::cli
