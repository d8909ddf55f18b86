#include "client/cli/output/probe_view.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "client/cli/output/text.h"
#include "client/cli/output/wrap.h"

namespace anex::cli {
namespace {

constexpr char kClaimTitle[] = "CLAIM", kEvidenceTitle[] = "EVIDENCE", kAnswerTitle[] = "ANSWER";
constexpr size_t kGap = 2;
constexpr size_t kLeastAnswer = 24;  // columns: narrower screens break lines themselves
// Stands for a space where no line is broken, until it is. No text that was made harmless has it.
constexpr char kNoBreak[] = "\x1f";

// "median 93.5 us" for "median_us" = 93.512.
std::string NumberInWords(std::string name, double value) {
  const auto cut = [&](std::string_view unit) {
    if (!name.ends_with(unit)) return false;
    name.resize(name.size() - unit.size());
    return true;
  };
  const bool plain = std::isfinite(value) && std::fabs(value) < 1e15;
  std::string number;
  if (plain && cut("_us")) {
    number = FormatDuration(static_cast<int64_t>(value * 1000));
  } else if (plain && value >= 0 && cut("_bytes")) {
    number = FormatBytes(static_cast<uint64_t>(value));
  } else {
    number = FormatNumber(value);
  }
  return absl::StrReplaceAll(absl::StrCat(Harmless(name), " ", number),
                             {{"_", kNoBreak}, {" ", kNoBreak}});
}

// What is left of `columns` behind `before`.
size_t Behind(int columns, size_t before) {
  const auto all = static_cast<size_t>(std::max(columns, 0));
  return std::max(all > before ? all - before : 0, kLeastAnswer);
}

// `text` in lines of `width` columns; all but the first begin `indent` columns further right.
void AppendWrapped(std::string_view text, size_t width, size_t indent, Tint tint,
                   const Style& style, std::string& out) {
  bool first = true;
  for (std::string& line : WrapText(text, width)) {
    if (!std::exchange(first, false)) out.append(indent, ' ');
    std::ranges::replace(line, kNoBreak[0], ' ');
    absl::StrAppend(&out, style.Paint(line, tint), "\n");
  }
}

std::string NumbersInWords(const ProbeFinding& finding) {
  std::vector<std::string> texts;
  for (const auto& [name, value] : finding.numbers) texts.push_back(NumberInWords(name, value));
  return absl::StrJoin(texts, ", ");
}

Tint TintOf(Evidence evidence) {
  switch (evidence) {
    case Evidence::kProbed:
      return Tint::kGood;
    case Evidence::kAssumed:
      return Tint::kWarn;
    case Evidence::kEmulated:
      return Tint::kDim;
  }
  return Tint::kPlain;
}

// What failed is looked for first.
Tint TintOfAnswer(const std::string& answer) {
  return answer.starts_with("failed: ") || answer.starts_with("hangs: ") ? Tint::kBad
                                                                         : Tint::kPlain;
}

// A row whose last column is wrapped.
class Rows {
 public:
  Rows(const ProbeReport& report, int columns, const Style& style) : style_(style) {
    claim_ = sizeof kClaimTitle - 1;
    for (const ProbeFinding& finding : report.findings) {
      claim_ = std::max(claim_, DisplayWidth(Harmless(finding.claim)));
    }
    before_ = claim_ + kGap + kEvidence + kGap;
    answer_ = Behind(columns, before_);
  }

  void Head(std::string& out) const {
    absl::StrAppend(&out, style_.Paint(kClaimTitle, Tint::kDim),
                    std::string(claim_ - sizeof kClaimTitle + 1 + kGap, ' '),
                    style_.Paint(kEvidenceTitle, Tint::kDim), std::string(kGap, ' '),
                    style_.Paint(kAnswerTitle, Tint::kDim), "\n");
  }
  void Append(const ProbeFinding& finding, std::string& out) const {
    const std::string claim = Harmless(finding.claim);
    const std::string evidence(EvidenceName(finding.evidence));
    absl::StrAppend(&out, style_.Paint(claim, Tint::kBold),
                    std::string(claim_ - DisplayWidth(claim) + kGap, ' '),
                    style_.Paint(evidence, TintOf(finding.evidence)),
                    std::string(kEvidence - evidence.size() + kGap, ' '));
    AppendWrapped(Harmless(finding.answer), answer_, before_, TintOfAnswer(finding.answer), style_,
                  out);
    if (finding.numbers.empty()) return;
    out.append(before_, ' ');
    AppendWrapped(NumbersInWords(finding), answer_, before_, Tint::kDim, style_, out);
  }

 private:
  static constexpr size_t kEvidence = sizeof kEvidenceTitle - 1;  // no word is longer

  const Style& style_;
  size_t claim_ = 0, before_ = 0, answer_ = 0;
};

std::string CountByEvidence(const ProbeReport& report) {
  std::map<Evidence, int> counts;
  for (const ProbeFinding& finding : report.findings) ++counts[finding.evidence];
  std::vector<std::string> texts;
  for (const auto& [evidence, count] : counts) {
    texts.push_back(absl::StrCat(count, " ", std::string(EvidenceName(evidence))));
  }
  return absl::StrJoin(texts, ", ");
}

// As code within a cell: there nothing is markup, a link or a name that is told of it, and only a
// bar or the end of the code could end the cell. A backslash before a bar would be read as its.
std::string MarkdownCode(std::string_view text) {
  const std::string safe =
      absl::StrReplaceAll(Harmless(text), {{"\\|", "\\x5c\\|"}, {"|", "\\|"}, {"`", "'"}});
  return safe.empty() ? "" : absl::StrCat("`", safe, "`");
}

std::string MarkdownNumbers(const ProbeFinding& finding) {
  std::vector<std::string> texts;
  for (const auto& [name, value] : finding.numbers) {
    texts.push_back(absl::StrCat(name, " ", FormatNumber(value)));
  }
  return MarkdownCode(absl::StrJoin(texts, ", "));
}

}  // namespace

std::string RenderProbe(const ProbeReport& report, int columns, const Style& style) {
  const std::string device = Harmless(report.device);
  std::string out = style.Paint(device, Tint::kBold);
  if (report.description.empty()) {
    out.push_back('\n');
  } else {
    const size_t before = DisplayWidth(device) + kGap;
    out.append(kGap, ' ');
    AppendWrapped(Harmless(report.description), Behind(columns, before), before, Tint::kPlain,
                  style, out);
  }
  out.push_back('\n');
  const Rows rows(report, columns, style);
  rows.Head(out);
  for (const ProbeFinding& finding : report.findings) rows.Append(finding, out);
  absl::StrAppend(&out, "\n", Plural(report.findings.size(), "question", "questions"), ": ",
                  CountByEvidence(report), "\n");
  return out;
}

Json ToJson(const ProbeReport& report) {
  Json findings = Json::array();
  for (const ProbeFinding& finding : report.findings) {
    Json numbers = Json::object();
    for (const auto& [name, value] : finding.numbers) numbers[name] = value;
    findings.push_back({{"claim", finding.claim},
                        {"question", finding.question},
                        {"answer", finding.answer},
                        {"evidence", std::string(EvidenceName(finding.evidence))},
                        {"numbers", numbers}});
  }
  return {{"device", report.device}, {"description", report.description}, {"findings", findings}};
}

std::string RenderProbeMarkdown(const ProbeReport& report, const ProbeOrigin& origin) {
  std::string out = absl::StrCat("# anectl probe ", MarkdownCode(report.device), "\n\n");
  if (!report.description.empty()) {
    absl::StrAppend(&out, "* device: ", MarkdownCode(report.description), "\n");
  }
  absl::StrAppend(&out, "* system: ", MarkdownCode(origin.system), "\n* asked by: anectl ",
                  origin.anectl, " ");
  if (origin.daemon.has_value()) {
    absl::StrAppend(&out, "through anexd ", MarkdownCode(origin.daemon->version), ", ",
                    MarkdownCode(origin.daemon->build), "\n");
  } else {
    absl::StrAppend(&out, "in its own process\n");
  }
  absl::StrAppend(&out, "* thorough: ", origin.thorough ? "yes" : "no",
                  "\n\n| claim | answer | evidence | numbers |\n|---|---|---|---|\n");
  for (const ProbeFinding& finding : report.findings) {
    absl::StrAppend(&out, "| ", MarkdownCode(finding.claim), "<br>", MarkdownCode(finding.question),
                    " | ", MarkdownCode(finding.answer), " | ",
                    std::string(EvidenceName(finding.evidence)), " | ", MarkdownNumbers(finding),
                    " |\n");
  }
  absl::StrAppend(&out,
                  "\nprobed: tried then, on that machine. assumed: not tried; what others have "
                  "seen. emulated: how a device behaves that imitates another.\n");
  return out;
}

}  // namespace anex::cli
