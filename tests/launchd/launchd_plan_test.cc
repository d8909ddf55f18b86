// What anectl would do on a Mac, decided without one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/launchd/plans.h"

namespace anex::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kPlist[] = "/Users/ada b/Library/LaunchAgents/com.anexd.agent.plist";
constexpr char kSignAdHoc[] =
    "codesign --force --sign - --identifier com.anexd.agent '--requirements==designated => "
    "identifier \"com.anexd.agent\"' '/opt/a&b/bin/anexd'";
constexpr char kRun[] = "/Users/ada b/Library/Application Support/anexd";

class LaunchdPlan : public ::testing::Test {
 protected:
  LaunchdPlan() {
    wish_.manager = ServiceManager::kLaunchd;
    wish_.uid = 502;
    wish_.home = "/Users/ada b";
    wish_.anexd = "/opt/a&b/bin/anexd";
  }
  absl::StatusOr<Plan> Make(ServiceVerb verb) {
    wish_.verb = verb;
    return MakePlan(wish_, *LayoutOf(wish_), found_);
  }
  std::vector<std::string> Steps(ServiceVerb verb) { return Briefly(Make(verb)); }
  void Installed(int64_t pid) {
    found_ = FilesInPlace(*LayoutOf(wish_));
    found_.enabled = found_.known = found_.listening = true;
    found_.pid = pid;
    found_.signature = {.valid = true, .identifier = kAgentLabel, .ad_hoc = true};
  }
  void Stopped() {
    Installed(0);
    found_.known = found_.listening = false;
  }
  void NothingThere() {
    found_ = {};
    found_.enabled = true;
  }

  ServiceWish wish_;
  Found found_;
};

TEST_F(LaunchdPlan, AFirstInstallMakesFoldersBeforeTheJobThatNeedsThem) {
  NothingThere();
  EXPECT_THAT(
      Steps(ServiceVerb::kInstall),
      ElementsAre("mkdir 755 /Users/ada b/Library/LaunchAgents", absl::StrCat("mkdir 700 ", kRun),
                  "mkdir 700 /Users/ada b/Library/Logs/anexd",
                  "mkdir 700 /Users/ada b/Library/Caches/anexd", absl::StrCat("write 644 ", kPlist),
                  kSignAdHoc, absl::StrCat("launchctl bootstrap gui/502 '", kPlist, "'")));
}

TEST_F(LaunchdPlan, ASecondInstallSaysWhatIsSoAndDoesNothing) {
  Installed(77);
  const auto plan = Make(ServiceVerb::kInstall);
  EXPECT_THAT(Briefly(plan), IsEmpty());
  EXPECT_THAT(plan->already, ElementsAre(HasSubstr(kPlist), HasSubstr("ad hoc"), HasSubstr("77")));
}

TEST_F(LaunchdPlan, AnotherPlistIsReadOnlyOnceTheOldJobIsGone) {
  Installed(77);
  found_.files[kPlist].content += "\n";
  EXPECT_THAT(
      Steps(ServiceVerb::kInstall),
      ElementsAre(absl::StrCat("write 644 ", kPlist), "launchctl bootout gui/502/com.anexd.agent",
                  "wait gone", absl::StrCat("launchctl bootstrap gui/502 '", kPlist, "'")));
}

TEST_F(LaunchdPlan, OnlyFoldersOfOurOwnAreClosedToOthers) {
  Installed(77);
  found_.folders["/Users/ada b/Library/LaunchAgents"] = 0775;
  found_.folders[kRun] = 0755;
  EXPECT_THAT(Steps(ServiceVerb::kInstall), ElementsAre(absl::StrCat("chmod 700 ", kRun)));
}

TEST_F(LaunchdPlan, ANewSignatureReachesTheDaemonByAnOrderlyRestart) {
  Installed(4242);
  found_.signature.valid = false;  // the program was exchanged
  EXPECT_THAT(Steps(ServiceVerb::kInstall),
              ElementsAre(kSignAdHoc, "launchctl kill SIGTERM gui/502/com.anexd.agent",
                          "wait not:pid = 4242\n", "launchctl kickstart gui/502/com.anexd.agent"));
}

TEST_F(LaunchdPlan, WhoSignsIsKeptUnlessSaidOtherwise) {
  struct Case {
    std::optional<std::string> wanted;
    FoundSignature found;
    std::string signer;  // "" = signed well as it is
  };
  const std::string label = kAgentLabel;
  const FoundSignature ad_hoc{true, label, true, "", ""},
      ada{true, label, false, "Ada's", std::string(40, 'b')};
  const FoundSignature by_linker{true, "anexd", true, "", ""};
  FoundSignature changed = ada;
  changed.valid = false;
  const Case cases[] = {{std::nullopt, {}, "-"},
                        {std::nullopt, ad_hoc, ""},
                        {std::nullopt, by_linker, "-"},
                        {std::nullopt, ada, ""},
                        {std::nullopt, changed, "Ada's"},
                        {"-", ada, "-"},
                        {"-", ad_hoc, ""},
                        {"Ada's", ada, ""},
                        {"Ada's", ad_hoc, "Ada's"},
                        {"Ada", ada, ""},
                        {std::string(40, 'b'), ada, ""},
                        {std::string(40, 'B'), ada, ""},
                        {std::string(40, 'c'), ada, std::string(40, 'c')},
                        {std::string(40, 'b'), ad_hoc, std::string(40, 'b')},
                        {std::string(39, 'b'), ada, std::string(39, 'b')},
                        {"Bob's", ada, "Bob's"}};
  for (const Case& one : cases) {
    Installed(0);
    found_.signature = one.found;
    wish_.signer = one.wanted;
    const auto plan = Make(ServiceVerb::kInstall);
    ASSERT_TRUE(plan.ok());
    const bool signs = plan->steps.front().command.front() == "codesign";
    EXPECT_EQ(signs ? plan->steps.front().command[3] : "", one.signer)
        << one.wanted.value_or("(any)") << " over " << one.found.authority;
    const bool ends_ad_hoc = one.signer == "-" || (one.signer.empty() && one.found.ad_hoc);
    EXPECT_EQ(plan->notes.size(), ends_ad_hoc ? 1u : 0u) << "what ad hoc costs is said";
  }
}

TEST_F(LaunchdPlan, AJobThatWasDisabledIsEnabledBeforeItIsLoaded) {
  Stopped();
  found_.enabled = false;
  EXPECT_THAT(Steps(ServiceVerb::kStart),
              ElementsAre("launchctl enable gui/502/com.anexd.agent",
                          absl::StrCat("launchctl bootstrap gui/502 '", kPlist, "'")));
}

TEST_F(LaunchdPlan, StartLoadsOrKicksOrLeavesAlone) {
  Stopped();
  EXPECT_THAT(Steps(ServiceVerb::kStart),
              ElementsAre(absl::StrCat("launchctl bootstrap gui/502 '", kPlist, "'")));
  Installed(0);
  EXPECT_THAT(Steps(ServiceVerb::kStart),
              ElementsAre("launchctl kickstart gui/502/com.anexd.agent"));
  Installed(9);
  EXPECT_THAT(Steps(ServiceVerb::kStart), IsEmpty());
}

TEST_F(LaunchdPlan, StopClosesTheSocketsTooOrAClientWouldStartItAgain) {
  Installed(9);
  const auto plan = Make(ServiceVerb::kStop);
  EXPECT_THAT(Briefly(plan), ElementsAre("launchctl bootout gui/502/com.anexd.agent", "wait gone"));
  EXPECT_THAT(plan->notes, ElementsAre(HasSubstr("next login")));
  Stopped();
  EXPECT_THAT(Steps(ServiceVerb::kStop), IsEmpty());
}

TEST_F(LaunchdPlan, ARestartKeepsTheSocketsOpen) {
  Installed(31);
  EXPECT_THAT(Steps(ServiceVerb::kRestart),
              ElementsAre("launchctl kill SIGTERM gui/502/com.anexd.agent", "wait not:pid = 31\n",
                          "launchctl kickstart gui/502/com.anexd.agent"));
  Stopped();
  EXPECT_THAT(Steps(ServiceVerb::kRestart),
              ElementsAre(absl::StrCat("launchctl bootstrap gui/502 '", kPlist, "'")));
}

TEST_F(LaunchdPlan, UninstallTakesAwayWhatIsThereAndSaysWhatStays) {
  Installed(9);
  found_.left_over = {absl::StrCat(kRun, "/side.sock"), absl::StrCat(kRun, "/anexd.lock")};
  const auto plan = Make(ServiceVerb::kUninstall);
  EXPECT_THAT(Briefly(plan),
              ElementsAre("launchctl bootout gui/502/com.anexd.agent", "wait gone",
                          absl::StrCat("rm ", kPlist), absl::StrCat("rm ", kRun, "/side.sock"),
                          absl::StrCat("rm ", kRun, "/anexd.lock"), absl::StrCat("rmdir ", kRun)));
  EXPECT_THAT(plan->notes, ElementsAre(HasSubstr("Logs/anexd stays"), HasSubstr("Caches/anexd")));
  NothingThere();
  EXPECT_THAT(Make(ServiceVerb::kUninstall)->already, ElementsAre("the service is not installed"));
  EXPECT_THAT(Steps(ServiceVerb::kUninstall), IsEmpty());
}

TEST_F(LaunchdPlan, WhatIsNotInstalledIsNotStarted) {
  NothingThere();
  for (const ServiceVerb verb : {ServiceVerb::kStart, ServiceVerb::kRestart}) {
    EXPECT_THAT(Steps(verb), ElementsAre(HasSubstr("anectl install")));
  }
  EXPECT_THAT(Steps(ServiceVerb::kStop), IsEmpty());
}

TEST_F(LaunchdPlan, ADaemonThatWasStartedByHandKeepsItsSocket) {
  Stopped();
  found_.foreign = true;
  for (const ServiceVerb verb :
       {ServiceVerb::kInstall, ServiceVerb::kStart, ServiceVerb::kRestart}) {
    EXPECT_THAT(Steps(verb),
                ElementsAre(AllOf(HasSubstr("FAILED_PRECONDITION"), HasSubstr("started by hand"))));
  }
  EXPECT_THAT(Steps(ServiceVerb::kStop), IsEmpty());
}

TEST_F(LaunchdPlan, WithoutAManagerNothingIsHalfDone) {
  NothingThere();
  found_.manager_problem = "no login; do this";
  for (const ServiceVerb verb : {ServiceVerb::kInstall, ServiceVerb::kStart, ServiceVerb::kStop}) {
    EXPECT_THAT(Steps(verb), ElementsAre("FAILED_PRECONDITION: no login; do this"));
  }
  EXPECT_THAT(Steps(ServiceVerb::kUninstall), IsEmpty()) << "nothing is there to take away";
  found_.files[kPlist] = {"x", 0644};
  EXPECT_THAT(Steps(ServiceVerb::kUninstall), ElementsAre(HasSubstr("no login")));
}

TEST_F(LaunchdPlan, LogsAreTheFilesThatAreThere) {
  Installed(1);
  EXPECT_THAT(Steps(ServiceVerb::kLogs), ElementsAre(HasSubstr("no log yet")));
  found_.logs = {"/Users/ada b/Library/Logs/anexd/anexd.log"};
  wish_.lines = 33;
  EXPECT_THAT(Steps(ServiceVerb::kLogs),
              ElementsAre("show tail -n 33 '/Users/ada b/Library/Logs/anexd/anexd.log'"));
  wish_.follow = true;
  found_.logs.insert("/Users/ada b/Library/Logs/anexd/stderr.log");
  EXPECT_THAT(Steps(ServiceVerb::kLogs), ElementsAre(AllOf(HasSubstr("-F"), HasSubstr("stderr"))));
}

TEST_F(LaunchdPlan, PathsThatCannotWorkAreRefused) {
  wish_.home = "/Users/" + std::string(49, 'x');
  const absl::Status too_long = LayoutOf(wish_).status();
  EXPECT_THAT(std::string(too_long.message()),
              AllOf(HasSubstr("has 104 bytes"), HasSubstr("103"), HasSubstr("--runtime-dir")));
  wish_.home.pop_back();
  EXPECT_TRUE(LayoutOf(wish_).ok()) << "the longest that fits";
  wish_.home += "yyyyyyyyy";
  wish_.runtime_dir = "/Users/Shared/r";
  ASSERT_TRUE(LayoutOf(wish_).ok());
  EXPECT_EQ(LayoutOf(wish_)->runtime_dir, "/Users/Shared/r");
  wish_.anexd = "/opt/a\nb/anexd";
  EXPECT_FALSE(LayoutOf(wish_).ok());
  wish_.anexd = "anexd";
  EXPECT_FALSE(LayoutOf(wish_).ok());
}

}  // namespace
}  // namespace anex::cli
