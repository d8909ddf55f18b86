#include "client/cli/output/probe_view.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "client/cli/output/table.h"
#include "client/cli/output/text.h"

namespace anex::cli {
namespace {

// "median_us 93.5, first_ms 12"
std::string Numbers(const ProbeFinding& finding) {
  std::vector<std::string> texts;
  for (const auto& [name, value] : finding.numbers) {
    texts.push_back(absl::StrFormat("%s %.6g", name, value));
  }
  return absl::StrJoin(texts, ", ");
}

Tint TintOf(Evidence evidence) { return evidence == Evidence::kProbed ? Tint::kGood : Tint::kDim; }

// A text as one cell of a Markdown table.
std::string MarkdownCell(std::string_view text) {
  return absl::StrReplaceAll(Harmless(std::string(text)), {{"|", "\\|"}, {"`", "'"}});
}

}  // namespace

std::string RenderProbe(const ProbeReport& report, const Style& style) {
  std::string out = absl::StrCat(style.Paint(Harmless(report.device), Tint::kBold), "  ",
                                 Harmless(report.description), "\n\n");
  for (const ProbeFinding& finding : report.findings) {
    absl::StrAppend(&out, style.Paint(Harmless(finding.claim), Tint::kBold), "  ",
                    Harmless(finding.answer), "  ",
                    style.Paint(absl::StrCat("(", std::string(EvidenceName(finding.evidence)), ")"),
                                TintOf(finding.evidence)),
                    "\n  ", Harmless(finding.question), "\n");
    if (!finding.numbers.empty()) absl::StrAppend(&out, "  ", Harmless(Numbers(finding)), "\n");
  }
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

std::string RenderProbeMarkdown(const ProbeReport& report, const DaemonInfo* daemon) {
  std::string out = absl::StrCat("# anectl probe: ", MarkdownCell(report.device), "\n\n",
                                 MarkdownCell(report.description), "  \n");
  absl::StrAppend(&out, "anectl ", ANEX_VERSION,
                  daemon == nullptr ? ", in its own process"
                                    : absl::StrCat(", anexd ", MarkdownCell(daemon->version), ", ",
                                                   MarkdownCell(daemon->build)),
                  "\n\n| claim | answer | evidence | numbers |\n|---|---|---|---|\n");
  for (const ProbeFinding& finding : report.findings) {
    absl::StrAppend(&out, "| `", MarkdownCell(finding.claim), "` ", MarkdownCell(finding.question),
                    " | ", MarkdownCell(finding.answer), " | ",
                    std::string(EvidenceName(finding.evidence)), " | ",
                    MarkdownCell(Numbers(finding)), " |\n");
  }
  return out;
}

}  // namespace anex::cli
