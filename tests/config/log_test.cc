// Whatever is logged stays one line, and in JSON one object.
#include "server/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/strings/str_split.h"
#include "spdlog/sinks/ostream_sink.h"

namespace anex::server {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class LogTest : public ::testing::Test {
 protected:
  Log Make(LogFormat format, LogLevel level = LogLevel::kDebug) {
    return Log(level, format, std::make_shared<spdlog::sinks::ostream_sink_mt>(out_));
  }
  std::vector<std::string> Lines() const {
    std::vector<std::string> lines = absl::StrSplit(out_.str(), '\n');
    EXPECT_EQ(lines.back(), "") << "the last line is ended";
    lines.pop_back();
    return lines;
  }
  std::ostringstream out_;
};

// Every byte there is, and the ways to end a line, a string or an object.
std::vector<std::string> HostileTexts() {
  std::vector<std::string> texts = {"",
                                    "\"",
                                    "\\",
                                    "\n{\"level\":\"error\"}\n",
                                    "\r\n",
                                    "\"}",
                                    "a\0b",
                                    "%s %n {} {0}",
                                    "\xff\xfe",
                                    "\xc3",
                                    "\xed\xa0\x80",
                                    "\x1b[2J",
                                    "\xc2\x9b"
                                    "31m",
                                    "\xe2\x80\xa8",
                                    "\x7f"};
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  texts.push_back(all);
  return texts;
}

TEST_F(LogTest, JsonLinesParseWhateverTheySay) {
  const Log log = Make(LogFormat::kJson);
  const std::vector<std::string> texts = HostileTexts();
  for (const std::string& text : texts) log.Warning(text, {{"reason", text}, {"n", -3}});
  const auto lines = Lines();
  ASSERT_EQ(lines.size(), texts.size());
  for (const std::string& line : lines) {
    const json parsed = json::parse(line, nullptr, /*allow_exceptions=*/false);
    ASSERT_TRUE(parsed.is_object()) << line;
    EXPECT_EQ(parsed["level"], "warning");
    EXPECT_EQ(parsed["n"], -3);
    EXPECT_EQ(parsed["msg"], parsed["reason"]);
  }
  EXPECT_EQ(json::parse(lines[3])["msg"], texts[3]) << "escaped, not changed";
  EXPECT_EQ(json::parse(lines[12])["msg"], texts[12]) << "C1 control characters too";
}

TEST_F(LogTest, NoControlByteReachesATerminalInEitherFormat) {
  for (const LogFormat format : {LogFormat::kJson, LogFormat::kText}) {
    const Log log = Make(format);
    for (const std::string& text : HostileTexts()) log.Info(text, {{"field", text}});
  }
  const std::string all = out_.str();
  EXPECT_TRUE(std::none_of(all.begin(), all.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7f;
  }));
  EXPECT_THAT(all, Not(HasSubstr("\xc2\x9b")));
  EXPECT_EQ(Lines().size(), 2 * HostileTexts().size());
}

TEST_F(LogTest, FieldsKeepTheirTypes) {
  Make(LogFormat::kJson)
      .Info("serving", {{"pid", 42},
                        {"big", UINT64_MAX},
                        {"share", 0.25},
                        {"on", true},
                        {"name", "x y"},
                        {"status", absl::NotFoundError("no")}});
  const json line = json::parse(Lines().at(0));
  EXPECT_EQ(line["msg"], "serving");
  EXPECT_EQ(line["level"], "info");
  EXPECT_EQ(line["pid"], 42);
  EXPECT_EQ(line["big"], UINT64_MAX);
  EXPECT_EQ(line["share"], 0.25);
  EXPECT_EQ(line["on"], true);
  EXPECT_EQ(line["name"], "x y");
  EXPECT_EQ(line["status"], "NOT_FOUND: no");
  const std::string ts = line["ts"];
  EXPECT_THAT(ts, ::testing::MatchesRegex("20..-..-..T..:..:..\\.......Z")) << ts;
}

TEST_F(LogTest, TextQuotesOnlyWhatNeedsIt) {
  Make(LogFormat::kText)
      .Error("socket gone", {{"path", "/a/b"}, {"why", "no such file"}, {"n", 7}, {"e", ""}});
  EXPECT_THAT(Lines().at(0),
              HasSubstr("error   socket gone  path=/a/b  why=\"no such file\"  n=7  e=\"\""));
}

TEST_F(LogTest, LowerLevelsAreLeftOut) {
  const Log log = Make(LogFormat::kJson, LogLevel::kWarning);
  log.Debug("d");
  log.Info("i");
  log.Warning("w");
  log.Error("e");
  const auto lines = Lines();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(json::parse(lines[0])["msg"], "w");
  EXPECT_EQ(json::parse(lines[1])["msg"], "e");
}

TEST_F(LogTest, ALongValueIsCutAndSaysSo) {
  Make(LogFormat::kJson).Info("m", {{"v", std::string(1 << 20, 'v')}});
  const std::string line = Lines().at(0);
  EXPECT_LT(line.size(), kMostLogValue + 200);
  EXPECT_THAT(line, HasSubstr("(1048576 bytes)"));
}

TEST(RateLimiter, LetsABurstThroughAndCountsTheRest) {
  RateLimiter limiter(2, std::chrono::seconds(10));
  const RateLimiter::Instant start{std::chrono::hours(1)};
  EXPECT_EQ(limiter.Admit(start), 0u);
  EXPECT_EQ(limiter.Admit(start), 0u);
  for (int i = 0; i < 500; ++i)
    EXPECT_EQ(limiter.Admit(start + std::chrono::seconds(9)), std::nullopt);
  EXPECT_EQ(limiter.Admit(start + std::chrono::seconds(10)), 500u);
  EXPECT_EQ(limiter.Admit(start + std::chrono::seconds(11)), 0u) << "told once";
  EXPECT_EQ(limiter.Admit(start + std::chrono::seconds(12)), std::nullopt);
}

}  // namespace
}  // namespace anex::server
