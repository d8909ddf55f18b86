// The screens of a probe, letter by letter, with answers that try to do more than be read.
#include "client/cli/output/probe_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "absl/strings/str_split.h"
#include "client/cli/output/text.h"
#include "client/cli/output/wrap.h"

namespace anex::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const Style kPlain(false);

ProbeReport Sample() {
  return {"ane",
          "Apple Neural Engine h16g, 16 cores, system 25A354",
          {{"weight_reload",
            "does it see new bytes?",
            "ignored",
            Evidence::kProbed,
            {{"compile_us", 33300}, {"load_us", 1700.5}, {"accepted", 16}}},
           {"native_chaining",
            "does it chain?",
            "no: prepare: com.apple.appleneuralengine/15: Chaining prepare failed",
            Evidence::kProbed,
            {}},
           {"concat", "does it join?", "not tried", Evidence::kAssumed, {}},
           {"small", "how small?", "failed: none", Evidence::kEmulated, {{"least_bytes", 4096}}}}};
}

ProbeReport Hostile() {
  return {"a|b\n",
          "\x1b[2J`code`",
          {{"cla|im\x07",
            "<b>?\n</b>",
            "a | b \\| c `d` @everyone\r\n| e | \u202e",
            Evidence::kProbed,
            {{"x|y", 1}, {"\x1b[1m_us", std::nan("")}}}}};
}

TEST(WrapTest, BreaksAtSpacesAndLongWordsAnywhere) {
  EXPECT_THAT(WrapText("one two three", 7), ElementsAre("one two", "three"));
  EXPECT_THAT(WrapText("one two three", 6), ElementsAre("one", "two", "three"));
  EXPECT_THAT(WrapText("abcdefgh i", 3), ElementsAre("abc", "def", "gh", "i"));
  EXPECT_THAT(WrapText("a abcdef", 3), ElementsAre("a", "abc", "def"));
  EXPECT_THAT(WrapText("a  b ", 10), ElementsAre("a b"));
  EXPECT_THAT(WrapText("", 10), ElementsAre(""));
  EXPECT_THAT(WrapText("ab", 0), ElementsAre("a", "b"));
  EXPECT_THAT(WrapText("äöüß", 2), ElementsAre("äö", "üß")) << "by characters";
}

TEST(ProbeViewTest, ATableWithItsLastColumnWrapped) {
  EXPECT_EQ(RenderProbe(Sample(), 51, kPlain),
            "ane  Apple Neural Engine h16g, 16 cores, system\n"
            "     25A354\n"
            "\n"
            "CLAIM            EVIDENCE  ANSWER\n"
            "weight_reload    probed    ignored\n"
            "                           accepted 16,\n"
            "                           compile 33.30 ms,\n"
            "                           load 1.70 ms\n"
            "native_chaining  probed    no: prepare:\n"
            "                           com.apple.appleneuraleng\n"
            "                           ine/15: Chaining prepare\n"
            "                           failed\n"
            "concat           assumed   not tried\n"
            "small            emulated  failed: none\n"
            "                           least 4.0 KiB\n"
            "\n"
            "4 questions: 2 probed, 1 assumed, 1 emulated\n");
}

TEST(ProbeViewTest, FitsTheTerminalUnlessThatIsTooNarrowForWords) {
  for (const int columns : {51, 80, 120}) {
    for (const absl::string_view line :
         absl::StrSplit(RenderProbe(Sample(), columns, kPlain), '\n')) {
      EXPECT_LE(DisplayWidth(std::string(line)), static_cast<size_t>(columns)) << line;
    }
  }
  EXPECT_FALSE(RenderProbe(Sample(), 10, kPlain).empty());
  EXPECT_FALSE(RenderProbe(Sample(), -1, kPlain).empty());
}

TEST(ProbeViewTest, ColourChangesNoLetter) {
  std::string coloured = RenderProbe(Sample(), 80, Style(true));
  EXPECT_THAT(coloured, HasSubstr("\x1b[32mprobed\x1b[0m"));
  for (size_t at = coloured.find('\x1b'); at != coloured.npos; at = coloured.find('\x1b')) {
    coloured.erase(at, coloured.find('m', at) + 1 - at);
  }
  EXPECT_EQ(coloured, RenderProbe(Sample(), 80, kPlain));
}

TEST(ProbeViewTest, AnswersCannotMoveTheCursor) {
  const std::string text = RenderProbe(Hostile(), 80, kPlain);
  for (const char c : text) EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f)) << int{c};
  EXPECT_THAT(text, HasSubstr("a | b \\| c `d` @everyone\\x0d\\x0a| e | \\u202e"));
}

TEST(ProbeViewTest, JsonHasEverythingAsItIs) {
  const Json json = ToJson(Sample());
  EXPECT_EQ(json["device"], "ane");
  EXPECT_EQ(json["findings"].size(), 4u);
  EXPECT_EQ(json["findings"][0],
            Json::parse(R"({"claim": "weight_reload", "question": "does it see new bytes?",
                            "answer": "ignored", "evidence": "probed",
                            "numbers": {"accepted": 16.0, "compile_us": 33300.0,
                                        "load_us": 1700.5}})"));
  EXPECT_EQ(json["findings"][2]["evidence"], "assumed");
  EXPECT_EQ(json["findings"][3]["evidence"], "emulated");
}

TEST(ProbeMarkdownTest, AReportOfOneTable) {
  ProbeReport report = Sample();
  report.findings.resize(2);
  const DaemonInfo daemon{.version = "0.1.0", .build = "gcc 12"};
  EXPECT_EQ(
      RenderProbeMarkdown(report, {"1.2", daemon, "Darwin 25.0.0 arm64", true}),
      "# anectl probe `ane`\n"
      "\n"
      "* device: `Apple Neural Engine h16g, 16 cores, system 25A354`\n"
      "* system: `Darwin 25.0.0 arm64`\n"
      "* asked by: anectl 1.2 through anexd `0.1.0`, `gcc 12`\n"
      "* thorough: yes\n"
      "\n"
      "| claim | answer | evidence | numbers |\n"
      "|---|---|---|---|\n"
      "| `weight_reload`<br>`does it see new bytes?` | `ignored` | probed | `accepted 16, "
      "compile_us "
      "33300, load_us 1700.5` |\n"
      "| `native_chaining`<br>`does it chain?` | `no: prepare: com.apple.appleneuralengine/15: "
      "Chaining prepare failed` | probed |  |\n"
      "\n"
      "probed: tried then, on that machine. assumed: not tried; what others have seen. emulated: "
      "how a device behaves that imitates another.\n");
  EXPECT_THAT(RenderProbeMarkdown(report, {"1.2", std::nullopt, "x", false}),
              HasSubstr("* asked by: anectl 1.2 in its own process\n* thorough: no\n"));
}

// Within code nothing is markup; a bar is the only thing that could end the cell.
TEST(ProbeMarkdownTest, AnswersStayInTheirCells) {
  const std::string text = RenderProbeMarkdown(Hostile(), {"1.2", std::nullopt, "sys`tem", false});
  EXPECT_THAT(text, HasSubstr("# anectl probe `a\\|b\\x0a`\n"));
  EXPECT_THAT(text, HasSubstr("* device: `\\x1b[2J'code'`\n"));
  EXPECT_THAT(text, HasSubstr("* system: `sys'tem`\n"));
  EXPECT_THAT(text,
              HasSubstr("\n| `cla\\|im\\x07`<br>`<b>?\\x0a</b>` | `a \\| b \\x5c\\| c 'd' "
                        "@everyone\\x0d\\x0a\\| e \\| \\u202e` | probed | `\\x1b[1m_us nan, x\\|y "
                        "1` |\n"));
  for (const char c : text) EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f)) << int{c};
}

}  // namespace
}  // namespace anex::cli
