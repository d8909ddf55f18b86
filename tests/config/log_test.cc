// Whatever is logged stays one line, and in JSON one object.
#include "server/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/strings/str_split.h"
#include "spdlog/sinks/ostream_sink.h"

namespace anex::server {
namespace {

namespace fs = std::filesystem;
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

class LogFileTest : public ::testing::Test {
 protected:
  LogFileTest() {
    std::string pattern = ::testing::TempDir() + "/anex-log.XXXXXX";
    dir_ = ::mkdtemp(pattern.data());
  }
  ~LogFileTest() override { fs::remove_all(dir_); }
  static std::vector<std::string> LinesOf(const fs::path& path) {
    std::vector<std::string> lines;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }
  static unsigned ModeOf(const fs::path& path) {
    return static_cast<unsigned>(fs::status(path).permissions());
  }

  fs::path dir_;
};

TEST_F(LogFileTest, GoesOnWhereItWasInJsonAndIsNobodyElses) {
  const LogFile file{.path = dir_ / "new" / "anexd.log"};
  for (int start = 1; start <= 2; ++start) {
    const auto log = Log::Open(LogLevel::kInfo, LogFormat::kAuto, file);
    ASSERT_TRUE(log.ok()) << log.status();
    EXPECT_FALSE(log->on_standard_error());
    log->Info("serving", {{"start", start}});
    log->Debug("too much");
  }
  const auto lines = LinesOf(file.path);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(json::parse(lines[1])["start"], 2) << "written at once, and kept over a restart";
  EXPECT_EQ(ModeOf(file.path), 0600u);
}

TEST_F(LogFileTest, TheNewestAreKeptAndNoneIsOverItsSize) {
  const LogFile file{.path = dir_ / "anexd.log", .most_bytes = 64 << 10, .kept = 2};
  const auto log = Log::InFile(LogLevel::kInfo, LogFormat::kText, file);
  ASSERT_TRUE(log.ok()) << log.status();
  constexpr int kLines = 1000;  // of 1 KiB each: fifteen files
  for (int i = 0; i < kLines; ++i) {
    log->Info("line", {{"number", i}, {"ballast", std::string(1000, 'b')}});
  }
  uint64_t bytes = 0;
  size_t files = 0, lines = 0;
  for (const auto& entry : fs::directory_iterator(dir_)) {
    EXPECT_LE(entry.file_size(), file.most_bytes) << entry.path();
    EXPECT_EQ(ModeOf(entry.path()), 0600u) << entry.path();
    bytes += entry.file_size();
    lines += LinesOf(entry.path()).size();
    ++files;
  }
  EXPECT_EQ(files, 3u);
  EXPECT_GT(bytes, 2 * (file.most_bytes - 2048)) << "full ones are full";
  EXPECT_THAT(LinesOf(file.path).back(), HasSubstr("number=999"));
  const auto oldest = LinesOf(dir_ / "anexd.2.log");
  ASSERT_FALSE(oldest.empty());
  EXPECT_THAT(oldest.front(), HasSubstr("number=" + std::to_string(kLines - lines)))
      << "the last lines, without a gap";
}

TEST_F(LogFileTest, OneThatCannotBeWrittenIsSaidWithWhatToDo) {
  std::ofstream(dir_ / "file") << "x";
  const auto log = Log::Open(LogLevel::kInfo, LogFormat::kAuto, {.path = dir_ / "file" / "a.log"});
  ASSERT_EQ(log.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(log.status().message()),
              ::testing::AllOf(HasSubstr("file/a.log"), HasSubstr("--log-file")));
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
