// anectl probe, through a real daemon.
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "tests/e2e/fixture.h"

namespace anex::test {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

class Probe : public ::testing::Test {
 protected:
  void SetUp() override {
    auto daemon = DaemonProcess::Start({});
    ASSERT_TRUE(daemon.ok()) << daemon.status();
    daemon_ = *std::move(daemon);
  }
  // What anectl prints, and its exit code.
  std::string Anectl(std::vector<std::string> words, int exit_code = 0) {
    words.insert(words.begin(), {ANECTL_BINARY, "probe"});
    words.insert(words.end(), {"--socket", daemon_->socket()});
    auto child = ChildProcess::Start(words);
    EXPECT_TRUE(child.ok()) << child.status();
    const auto code = (*child)->Wait();
    EXPECT_TRUE(code.ok() && *code == exit_code) << (*child)->output();
    return (*child)->output();
  }

  static std::set<std::string> ClaimsOf(const Json& report) {
    std::set<std::string> claims;
    for (const Json& finding : report["findings"]) claims.insert(finding["claim"]);
    return claims;
  }

  std::unique_ptr<DaemonProcess> daemon_;
};

TEST_F(Probe, TheCpuAnswersAndClaimsNothingAboutAnEngine) {
  const Json report = Json::parse(Anectl({"cpu", "--json"}));
  EXPECT_EQ(report["device"], "cpu");
  for (const Json& finding : report["findings"])
    EXPECT_EQ(finding["evidence"], "emulated") << finding;
  EXPECT_GT(ClaimsOf(report).size(), 10u);
  EXPECT_EQ(ClaimsOf(Json::parse(Anectl({"cpu", "--in-process", "--json"}))), ClaimsOf(report))
      << "the same questions without a daemon";
}

TEST_F(Probe, TheAneIsAskedTheSameAndMore) {
  if (std::getenv("ANEX_TEST_ANEXD") == nullptr) GTEST_SKIP() << "this daemon has no ane device";
  const Json report = Json::parse(Anectl({"--json"}));
  EXPECT_EQ(report["device"], "ane") << "the default one";
  std::map<std::string, Json> findings;
  for (const Json& finding : report["findings"]) findings[finding["claim"]] = finding;
  for (const std::string& claim : ClaimsOf(Json::parse(Anectl({"cpu", "--json"})))) {
    ASSERT_TRUE(findings.contains(claim)) << claim;
    EXPECT_NE(findings[claim]["evidence"], "emulated") << claim;
  }
  EXPECT_EQ(findings["selectors"]["answer"], "all as expected");
  EXPECT_EQ(findings["weight_reload"]["evidence"], "probed");
  EXPECT_EQ(findings["weight_reload"]["answer"], "ignored");
}

TEST_F(Probe, AReportIsWritten) {
  const std::string path = ::testing::TempDir() + "/anex_probe_report.md";
  EXPECT_THAT(Anectl({"cpu", "--report", path}), HasSubstr("The report is in " + path));
  std::ifstream file(path);
  const std::string report(std::istreambuf_iterator<char>(file), {});
  EXPECT_THAT(report, HasSubstr("# anectl probe `cpu`"));
  EXPECT_THAT(report, HasSubstr("| `weight_reload`<br>"));
  std::filesystem::remove(path);
}

TEST_F(Probe, AnUnknownDeviceIsExitCodeFive) {
  EXPECT_THAT(Anectl({"gpu"}, 5), HasSubstr("no device \"gpu\"; there is: "));
}

}  // namespace
}  // namespace anex::test
