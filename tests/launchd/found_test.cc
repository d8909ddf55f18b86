// What managers and codesign print, read.
#include "client/cli/service/found.h"

#include <gtest/gtest.h>

#include "client/cli/service/signer.h"

namespace anex::cli {
namespace {

TEST(Found, SystemctlsBlocksInEitherOrder) {
  const std::string socket =
      "MainPID=0\nId=anexd.socket\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n"
      "NeedDaemonReload=no\n";
  const std::string service =
      "MainPID=31415\nId=anexd.service\nLoadState=loaded\nActiveState=active\n"
      "UnitFileState=indirect\nNeedDaemonReload=yes\n";
  for (const std::string& text : {socket + "\n" + service, service + "\n" + socket + "\n"}) {
    Found found;
    ReadSystemctlShow(text, found);
    EXPECT_TRUE(found.known && found.listening && found.enabled && found.stale);
    EXPECT_FALSE(found.failed);
    EXPECT_EQ(found.pid, 31415);
    EXPECT_EQ(found.manager_problem, "");
  }
}

TEST(Found, UnitsThatAreNotThereOrGaveUp) {
  Found absent;
  ReadSystemctlShow(
      "Id=anexd.socket\nLoadState=not-found\nActiveState=inactive\n\n"
      "Id=anexd.service\nMainPID=0\nLoadState=not-found\nActiveState=inactive\n",
      absent);
  EXPECT_FALSE(absent.known || absent.listening || absent.enabled || absent.stale);
  Found failed;
  ReadSystemctlShow(
      "Id=anexd.socket\nLoadState=loaded\nActiveState=failed\n\n"
      "Id=anexd.service\nMainPID=31\nLoadState=loaded\nActiveState=failed\n",
      failed);
  EXPECT_TRUE(failed.failed);
  EXPECT_FALSE(failed.listening);
  EXPECT_EQ(failed.pid, 0) << "a process that is being ended serves nobody";
}

TEST(Found, AMaskedUnitIsAProblemThatSaysItsWayOut) {
  Found found;
  ReadSystemctlShow("Id=anexd.service\nLoadState=masked\nActiveState=inactive\nMainPID=0\n", found);
  EXPECT_NE(found.manager_problem.find("unmask anexd.service"), std::string::npos);
}

TEST(Found, LaunchctlsPidIsTheJobsOwn) {
  Found found;
  ReadLaunchctlPrint(
      "gui/502/com.anexd.agent = {\n\tactive count = 4\n\tpath = /Users/ada b/x.plist\n"
      "\tstate = running\n\n\tprogram = /opt/anexd\n\truns = 17\n\tpid = 4242\n"
      "\timmediate reason = inefficient\n\tspawned by = { pid = 1 }\n\tpid = 99\n}\n",
      found);
  EXPECT_TRUE(found.known && found.listening);
  EXPECT_EQ(found.pid, 4242);
  Found idle;
  ReadLaunchctlPrint("gui/502/com.anexd.agent = {\n\tstate = not running\n\truns = 3\n}\n", idle);
  EXPECT_TRUE(idle.listening);
  EXPECT_EQ(idle.pid, 0);
}

TEST(Found, DisabledAsOldAndNewSystemsSayIt) {
  EXPECT_TRUE(IsDisabled("{\n\t\"com.anexd.agent\" => disabled\n}", "com.anexd.agent"));
  EXPECT_TRUE(IsDisabled("\t\"com.anexd.agent\" => true\n", "com.anexd.agent"));
  EXPECT_FALSE(IsDisabled("\t\"com.anexd.agent\" => enabled\n", "com.anexd.agent"));
  EXPECT_FALSE(IsDisabled("\t\"com.anexd.agent\" => false\n", "com.anexd.agent"));
  EXPECT_FALSE(IsDisabled("\t\"com.anexd.agent.other\" => disabled\n", "com.anexd.agent"));
}

TEST(Found, SignaturesAdHocAndByACertificate) {
  const FoundSignature linker = ReadCodesign(
      "Executable=/opt/anexd\nIdentifier=anexd-55554944\nFormat=Mach-O thin (arm64)\n"
      "CodeDirectory v=20400 flags=0x20002(adhoc,linker-signed)\nSignature=adhoc\n");
  EXPECT_TRUE(linker.ad_hoc);
  EXPECT_EQ(linker.identifier, "anexd-55554944");
  const FoundSignature signed_by = ReadCodesign(
      "Identifier=com.anexd.agent\nSignature size=9012\nAuthority=Developer ID: Ada (X1)\n"
      "Authority=Apple Root CA\nTeamIdentifier=X1\n");
  EXPECT_FALSE(signed_by.ad_hoc);
  EXPECT_EQ(signed_by.identifier, "com.anexd.agent");
  EXPECT_EQ(signed_by.authority, "Developer ID: Ada (X1)");
}

// Reckoned by another program: printf abc | sha1sum.
TEST(Found, FingerprintsAreThoseThatCodesignTakes) {
  EXPECT_EQ(FingerprintOf("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_TRUE(IsFingerprint("A9993E364706816ABA3E25717850C26C9CD0D89D"));
  EXPECT_FALSE(IsFingerprint("A9993E364706816ABA3E25717850C26C9CD0D89"));
  EXPECT_FALSE(IsFingerprint("G9993E364706816ABA3E25717850C26C9CD0D89D"));
}

}  // namespace
}  // namespace anex::cli
