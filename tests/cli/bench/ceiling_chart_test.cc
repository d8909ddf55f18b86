// The chart is XML that every reader takes, and says what was not measured.
#include "client/cli/bench/ceiling_chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "client/cli/bench/svg_canvas.h"
#include "tests/cli/bench/sample_report.h"

namespace anex::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

bool KnownEntity(const std::string& text, size_t at) {
  for (const char* entity : {"&amp;", "&lt;", "&gt;", "&quot;"}) {
    if (text.compare(at, std::string(entity).size(), entity) == 0) return true;
  }
  return false;
}

// What is not well-formed about `xml`, or "": tags nest, attributes are quoted and named once,
// entities are known, there is one root.
std::string WhatIsMalformed(std::string xml) {
  const std::string declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  if (xml.rfind(declaration, 0) != 0) return "no declaration";
  xml.erase(0, declaration.size());
  static const std::regex tag(
      R"re(<(/?)([A-Za-z]+)((?:\s+[A-Za-z][A-Za-z0-9:-]*="[^"<]*")*)\s*(/?)>)re");
  static const std::regex attribute(R"re(([A-Za-z][A-Za-z0-9:-]*)=")re");
  std::vector<std::string> open;
  int roots = 0;
  size_t at = 0;
  while (at < xml.size()) {
    const char c = xml[at];
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') return "control character";
    if (c == '&' && !KnownEntity(xml, at)) return "entity at " + xml.substr(at, 12);
    if (c == '>') return "stray > before " + xml.substr(at, 20);
    if (c != '<') {
      if (open.empty() && c != '\n') return "text outside";
      ++at;
      continue;
    }
    std::smatch match;
    const std::string rest = xml.substr(at, 4000);
    if (!std::regex_search(rest, match, tag, std::regex_constants::match_continuous)) {
      return "no tag: " + rest.substr(0, 60);
    }
    const std::string attributes = match[3];
    std::set<std::string> names;
    for (std::sregex_iterator each(attributes.begin(), attributes.end(), attribute), end;
         each != end; ++each) {
      if (!names.insert((*each)[1]).second) return "twice: " + (*each)[1].str();
    }
    if (match[1].length() > 0) {
      if (open.empty() || open.back() != match[2]) return "closes " + match[2].str();
      open.pop_back();
    } else {
      if (open.empty()) ++roots;
      if (match[4].length() == 0) open.push_back(match[2]);
    }
    at += static_cast<size_t>(match.length());
  }
  if (!open.empty()) return "never closed: " + open.back();
  return roots == 1 ? "" : "not one root";
}

TEST(SvgCanvas, TheCheckerItselfSeesWhatIsWrong) {
  const std::string head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  EXPECT_EQ(WhatIsMalformed(head + "<a x=\"1\"><b/>t</a>\n"), "");
  for (const char* bad : {"<a>", "<a></b>", "<a x=1></a>", "<a x=\"1\" x=\"2\"/>", "<a>&x;</a>",
                          "<a>1 > 0</a>", "<a>\x01</a>", "<a/><b/>", "t<a/>"}) {
    EXPECT_NE(WhatIsMalformed(head + bad), "") << bad;
  }
}

TEST(SvgCanvas, WhateverTextsHoldTheDocumentStaysWhole) {
  SvgCanvas canvas;
  canvas.Rect(1, 2, 3.14159, 4, "a\"b");
  canvas.Line(-0.01, 0, 1e9, 2, "l");
  canvas.Circle(1, 2, 3, "c", "</title><script>alert(1)</script>");
  canvas.Text(1, 2, "a < b & c > \"d\" \x01\x1b[31m", "t", Anchor::kEnd);
  const std::string svg = canvas.Finish(10, 20, "]]> <x>", ".t { fill: \"red\"; }");
  EXPECT_EQ(WhatIsMalformed(svg), "") << svg;
  EXPECT_THAT(svg, Not(HasSubstr("<script")));
  EXPECT_THAT(svg, HasSubstr("width=\"3.1\""));
  EXPECT_THAT(svg, HasSubstr("x1=\"0\"")) << "no minus nought";
}

TEST(CeilingChart, IsOneDocumentThatNeedsNothingElse) {
  const std::string svg = DrawCeiling(SampleReport());
  EXPECT_EQ(WhatIsMalformed(svg), "");
  for (const char* outside : {"href", "url(", "@import", "<image", "<script"}) {
    EXPECT_THAT(svg, Not(HasSubstr(outside)));
  }
}

TEST(CeilingChart, HasEveryModeWithItsTimeAndRatio) {
  const std::string svg = DrawCeiling(SampleReport());
  for (const char* text : {">run-only<", ">unary<", ">clients-4<", ">copy-only<", ">64x32 conv"}) {
    EXPECT_THAT(svg, HasSubstr(text));
  }
  EXPECT_THAT(svg, HasSubstr(">20.5 \u00b5s<")) << "the median in process";
  EXPECT_THAT(svg, HasSubstr(">1.50\u00d7<"));
  EXPECT_THAT(svg, HasSubstr(">7.00\u00d7<"));
}

TEST(CeilingChart, WhatWasNotMeasuredHasAReasonAndNoMark) {
  const CeilingReport report = SampleReport();
  const std::string svg = DrawCeiling(report);
  EXPECT_THAT(svg, HasSubstr(">unavailable: there are no rings here"));
  EXPECT_THAT(svg, HasSubstr(">wrong: pass 3: kernel 7 of 12"));
  EXPECT_THAT(svg, HasSubstr("NOT ALL WERE RIGHT"));
  EXPECT_THAT(svg, Not(HasSubstr("class=\"ring\" cx=\"200\""))) << "a dot at the left end for 0";
  // In the legend, and nowhere else.
  const auto dots = [&](const std::string& css) {
    size_t count = 0;
    for (size_t at = 0; (at = svg.find("<circle class=\"" + css + "\"", at)) != std::string::npos;
         ++at) {
      ++count;
    }
    return count;
  };
  EXPECT_EQ(dots("ring"), 1u);
  EXPECT_EQ(dots("chain"), 1u);
  EXPECT_EQ(dots("call"), 2u);
}

TEST(CeilingChart, AReportOfNothingIsStillADocument) {
  CeilingReport report = SampleReport();
  for (Figure& figure : report.figures) {
    figure.outcome = Outcome::kUnavailable;
    figure.pass_ns.clear();
  }
  EXPECT_EQ(WhatIsMalformed(DrawCeiling(report)), "");
  report.figures.clear();
  EXPECT_EQ(WhatIsMalformed(DrawCeiling(report)), "");
}

}  // namespace
}  // namespace anex::bench
