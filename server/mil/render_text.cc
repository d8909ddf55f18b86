#include "server/mil/render_text.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "proto/values/source_line.h"

namespace anex::mil {
namespace {

constexpr size_t kWidth = 120;  // bytes of source shown
constexpr size_t kBefore = 60;  // of them in front of the place, where the line is cut

std::string_view NameOf(Severity severity) {
  switch (severity) {
    case Severity::kNote:
      return "note";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
  }
  return "error";
}

bool ContinuesCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Where the character at `at` starts. One has four bytes at most: what looks longer is none.
size_t StartOfCharacter(std::string_view line, size_t at) {
  size_t start = at;
  while (start > 0 && start < line.size() && at - start < 3 && ContinuesCharacter(line[start])) {
    --start;
  }
  return start < line.size() && ContinuesCharacter(line[start]) ? at : start;
}

// Characters that would move the cursor become a space or a question mark.
std::string Printable(std::string_view text) {
  std::string printable(text);
  for (char& c : printable) {
    if (c == '\t') c = ' ';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return printable;
}

size_t Characters(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return !ContinuesCharacter(c); }));
}

void AppendHelp(std::string_view gutter, const Diagnostic& diagnostic, std::string& out) {
  if (diagnostic.help.empty()) return;
  absl::StrAppend(&out, std::string(gutter), " = help: ", Printable(diagnostic.help), "\n");
}

// The line and a caret; the place alone where there is no line.
void AppendSource(const Diagnostic& diagnostic, std::string& out) {
  const std::string& line = diagnostic.source_line;
  if (line.empty() && diagnostic.column > 1) return AppendHelp("    ", diagnostic, out);
  const size_t offset = SourceLineOffset(diagnostic);
  const size_t at = std::min(static_cast<size_t>(diagnostic.column - 1) - offset, line.size());
  size_t first = line.size() <= kWidth || at <= kBefore ? 0 : at - kBefore;
  first = StartOfCharacter(line, first);
  const size_t last = StartOfCharacter(line, std::min(line.size(), first + kWidth));
  const std::string_view shown = std::string_view(line).substr(first, last - first);
  const std::string lead = first + offset > 0 ? "..." : "";
  const std::string number = absl::StrCat(diagnostic.line);
  const std::string gutter(std::max<size_t>(number.size(), 4), ' ');
  absl::StrAppend(&out, gutter.substr(number.size()), number, " | ", lead, Printable(shown),
                  last < line.size() ? "..." : "", "\n");
  const size_t before = lead.size() + Characters(shown.substr(0, at - first));
  const size_t length =
      std::min(static_cast<size_t>(std::max(diagnostic.length, 1)), std::max<size_t>(last - at, 1));
  const size_t marks = std::max<size_t>(Characters(shown.substr(at - first, length)), 1);
  absl::StrAppend(&out, gutter, " | ", std::string(before, ' '), "^", std::string(marks - 1, '~'),
                  diagnostic.end_line > 0 ? absl::StrCat(" to line ", diagnostic.end_line) : "",
                  "\n");
  AppendHelp(gutter, diagnostic, out);
}

}  // namespace

std::string RenderText(const Diagnostic& diagnostic) {
  std::string out = diagnostic.file.empty() ? "program" : Printable(diagnostic.file);
  if (diagnostic.line > 0) {
    absl::StrAppend(&out, ":", diagnostic.line, ":", diagnostic.column);
  }
  absl::StrAppend(&out, ": ", std::string(NameOf(diagnostic.severity)), ": ",
                  diagnostic.code.empty() ? "" : absl::StrCat("[", diagnostic.code, "] "),
                  Printable(diagnostic.message), "\n");
  if (diagnostic.line > 0) AppendSource(diagnostic, out);
  for (const Diagnostic& note : diagnostic.notes) out += RenderText(note);
  return out;
}

std::string RenderText(std::span<const Diagnostic> diagnostics) {
  std::string out;
  for (const Diagnostic& diagnostic : diagnostics) out += RenderText(diagnostic);
  return out;
}

}  // namespace anex::mil
