// What anectl would do with a systemd user manager.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/launchd/plans.h"

namespace anex::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kUnits[] = "/home/eve/.config/systemd/user";

class SystemdPlan : public ::testing::Test {
 protected:
  SystemdPlan() {
    wish_.manager = ServiceManager::kSystemd;
    wish_.uid = 1007;
    wish_.home = "/home/eve";
    wish_.user_runtime_dir = "/run/user/1007";
    wish_.anexd = "/opt/100% \"good\"/anexd";
  }
  absl::StatusOr<Plan> Make(ServiceVerb verb) {
    wish_.verb = verb;
    return MakePlan(wish_, *LayoutOf(wish_), found_);
  }
  std::vector<std::string> Steps(ServiceVerb verb) { return Briefly(Make(verb)); }
  void Installed(bool listening, int64_t pid) {
    found_ = FilesInPlace(*LayoutOf(wish_));
    found_.known = found_.enabled = true;
    found_.listening = listening;
    found_.pid = pid;
  }

  ServiceWish wish_;
  Found found_;
};

TEST_F(SystemdPlan, AFirstInstallWritesReadsEnablesAndStarts) {
  EXPECT_THAT(
      Steps(ServiceVerb::kInstall),
      ElementsAre(absl::StrCat("mkdir 755 ", kUnits),
                  absl::StrCat("write 644 ", kUnits, "/anexd.socket"),
                  absl::StrCat("write 644 ", kUnits, "/anexd.service"),
                  "systemctl --user daemon-reload", "systemctl --user enable anexd.socket",
                  "systemctl --user start anexd.socket", "systemctl --user start anexd.service"));
}

TEST_F(SystemdPlan, ASecondInstallSaysWhatIsSoAndDoesNothing) {
  Installed(true, 808);
  const auto plan = Make(ServiceVerb::kInstall);
  EXPECT_THAT(Briefly(plan), IsEmpty());
  EXPECT_THAT(plan->already,
              ElementsAre(HasSubstr("anexd.socket is as"), HasSubstr("service is as"),
                          HasSubstr("is enabled"), HasSubstr("808")));
}

TEST_F(SystemdPlan, AnotherUnitStopsWhatRunsByTheOldOne) {
  Installed(true, 808);
  found_.files[absl::StrCat(kUnits, "/anexd.service")].content += "# mine\n";
  EXPECT_THAT(
      Steps(ServiceVerb::kInstall),
      ElementsAre(absl::StrCat("write 644 ", kUnits, "/anexd.service"),
                  "systemctl --user daemon-reload",
                  "systemctl --user stop anexd.socket anexd.service",
                  "systemctl --user start anexd.socket", "systemctl --user start anexd.service"));
}

TEST_F(SystemdPlan, AModeAloneNeedsNoRestart) {
  Installed(true, 808);
  found_.files[absl::StrCat(kUnits, "/anexd.socket")].mode = 0664;
  EXPECT_THAT(Steps(ServiceVerb::kInstall),
              ElementsAre(absl::StrCat("write 644 ", kUnits, "/anexd.socket")));
}

TEST_F(SystemdPlan, UnitsThatChangedOnDiskAreReadFirst) {
  Installed(false, 0);
  found_.stale = true;
  EXPECT_THAT(Steps(ServiceVerb::kStart),
              ElementsAre("systemctl --user daemon-reload", "systemctl --user start anexd.socket",
                          "systemctl --user start anexd.service"));
}

TEST_F(SystemdPlan, OneThatGaveUpIsForgivenFirst) {
  Installed(true, 0);
  found_.failed = true;
  EXPECT_THAT(Steps(ServiceVerb::kRestart),
              ElementsAre("systemctl --user reset-failed anexd.socket anexd.service",
                          "systemctl --user start anexd.service"));
}

TEST_F(SystemdPlan, ADaemonWithoutItsSocketsIsStoppedBeforeTheyOpen) {
  Installed(false, 808);
  EXPECT_THAT(
      Steps(ServiceVerb::kStart),
      ElementsAre("systemctl --user stop anexd.socket anexd.service",
                  "systemctl --user start anexd.socket", "systemctl --user start anexd.service"));
}

TEST_F(SystemdPlan, ARestartKeepsTheSocketsOpen) {
  Installed(true, 808);
  EXPECT_THAT(Steps(ServiceVerb::kRestart), ElementsAre("systemctl --user restart anexd.service"));
}

TEST_F(SystemdPlan, StopStopsBothOrAClientWouldStartItAgain) {
  Installed(true, 0);
  EXPECT_THAT(Steps(ServiceVerb::kStop),
              ElementsAre("systemctl --user stop anexd.socket anexd.service"));
  Installed(false, 0);
  EXPECT_THAT(Steps(ServiceVerb::kStop), IsEmpty());
}

TEST_F(SystemdPlan, UninstallDisablesWhileTheUnitIsThere) {
  Installed(true, 808);
  EXPECT_THAT(
      Steps(ServiceVerb::kUninstall),
      ElementsAre("systemctl --user stop anexd.socket anexd.service",
                  "systemctl --user disable anexd.socket",
                  absl::StrCat("rm ", kUnits, "/anexd.socket"),
                  absl::StrCat("rm ", kUnits, "/anexd.service"), "systemctl --user daemon-reload"));
  found_ = {};
  EXPECT_THAT(Steps(ServiceVerb::kUninstall), IsEmpty());
  EXPECT_THAT(Make(ServiceVerb::kUninstall)->already, ElementsAre("the service is not installed"));
}

TEST_F(SystemdPlan, UnitsThatAPackageBroughtAreControlledButNotTakenAway) {
  found_.known = true;
  EXPECT_THAT(Steps(ServiceVerb::kStart), ElementsAre("systemctl --user start anexd.socket",
                                                      "systemctl --user start anexd.service"));
  found_.listening = found_.enabled = true;
  const auto plan = Make(ServiceVerb::kUninstall);
  EXPECT_THAT(Briefly(plan), ElementsAre("systemctl --user stop anexd.socket anexd.service",
                                         "systemctl --user disable anexd.socket"));
  EXPECT_THAT(plan->notes, ElementsAre(HasSubstr("whoever brought them")));
}

TEST_F(SystemdPlan, WhatIsNotInstalledIsNotStarted) {
  EXPECT_THAT(Steps(ServiceVerb::kStart), ElementsAre(HasSubstr("anectl install")));
  EXPECT_THAT(Steps(ServiceVerb::kRestart), ElementsAre(HasSubstr("anectl install")));
}

TEST_F(SystemdPlan, ADaemonThatWasStartedByHandKeepsItsSocket) {
  Installed(false, 0);
  found_.foreign = true;
  EXPECT_THAT(Steps(ServiceVerb::kInstall),
              ElementsAre(AllOf(HasSubstr("started by hand"),
                                HasSubstr("/run/user/1007/anexd/anexd.sock"))));
}

TEST_F(SystemdPlan, LogsAreTheJournals) {
  wish_.lines = 7;
  EXPECT_THAT(Steps(ServiceVerb::kLogs),
              ElementsAre("show journalctl --user --unit anexd.service --lines 7 --no-pager"));
}

TEST_F(SystemdPlan, AConfigFolderOfOnesOwnIsTaken) {
  wish_.config_home = "/srv/eve/conf";
  EXPECT_EQ(LayoutOf(wish_)->files[1].path, "/srv/eve/conf/systemd/user/anexd.service");
  wish_.config_home = "conf";
  EXPECT_FALSE(LayoutOf(wish_).ok());
}

TEST_F(SystemdPlan, ThePathOfTheProgramIsOneWordToSystemd) {
  const auto layout = LayoutOf(wish_);
  EXPECT_THAT(layout->files[1].content,
              HasSubstr("ExecStart=\"/opt/100%% \\\"good\\\"/anexd\" --runtime-dir %t/anexd "));
}

}  // namespace
}  // namespace anex::cli
