// anectl install, start and so on as typed, with managers and a codesign that are not the real ones
// but remember what they were told, and refuse what the real ones refuse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/command.h"
#include "client/cli/service/signer.h"

namespace anex::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ServiceCommand : public ::testing::TestWithParam<const char*> {
 protected:
  ServiceCommand() {
    std::string pattern = "/tmp/anex_sv_XXXXXX";  // short: sockets are made in it
    folder_ = ::mkdtemp(pattern.data());
    for (const char* name : {"home", "run", "state", "bin"}) fs::create_directory(folder_ / name);
    fs::create_symlink(ANEXD_BINARY, folder_ / "bin/anexd");
    Set("PATH", absl::StrCat(FAKE_TOOLS, ":/usr/bin:/bin"));
    Set("HOME", (folder_ / "home").string());
    Set("XDG_CONFIG_HOME", (folder_ / "home/conf").string());
    Set("XDG_RUNTIME_DIR", (folder_ / "run").string());
    Set("FAKE_STATE", (folder_ / "state").string());
    std::ofstream(State("identities")) << "Ada's\nApple Development: Ada (X1)\n"
                                          "Apple Development: Ada (X1), renewed\n";
  }
  ~ServiceCommand() override {
    for (const auto& [name, value] : before_) {
      value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
    }
    fs::remove_all(folder_);
  }
  void Set(const std::string& name, const std::string& value) {
    const char* old = std::getenv(name.c_str());
    before_.emplace_back(name, old == nullptr ? std::nullopt : std::optional<std::string>(old));
    ::setenv(name.c_str(), value.c_str(), 1);
  }

  int Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--manager", GetParam()});
    out_.str("");
    err_.str("");
    Context context{.out = out_, .err = err_, .program = (folder_ / "bin/anectl").string()};
    return RunAnectl(arguments, context);
  }
  bool launchd() const { return std::strcmp(GetParam(), "launchd") == 0; }
  fs::path State(const std::string& name) const { return folder_ / "state" / name; }
  static std::string Text(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  // What changed something, since the last time.
  std::vector<std::string> Calls() {
    std::vector<std::string> calls;
    for (const auto line : absl::StrSplit(Text(State("calls")), '\n', absl::SkipEmpty())) {
      const std::string call(line);
      const bool looks = call.find(" show ") != call.npos || call.find("launchctl print") == 0 ||
                         call.find("codesign --display") == 0 || call.find("--verify") != call.npos;
      if (!looks) calls.push_back(call);
    }
    fs::remove(State("calls"));
    return calls;
  }
  // Of the running daemon, as the manager has it; "" if none runs.
  std::string Pid() const { return Text(State(launchd() ? "pid" : "active.anexd.service")); }
  bool Listening() const { return fs::exists(State(launchd() ? "loaded" : "active.anexd.socket")); }
  std::vector<fs::path> Files() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / "home")) {
      if (!entry.is_directory()) files.push_back(entry.path());
    }
    return files;
  }

  fs::path folder_;
  std::ostringstream out_, err_;
  std::vector<std::pair<std::string, std::optional<std::string>>> before_;
};

INSTANTIATE_TEST_SUITE_P(Of, ServiceCommand, ::testing::Values("launchd", "systemd"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(ServiceCommand, InstallsOnceAndThenHasNothingToDo) {
  ASSERT_EQ(Run({"install"}), kExitOk) << out_.str() << err_.str();
  EXPECT_TRUE(Listening());
  EXPECT_NE(Pid(), "");
  EXPECT_EQ(Files().size(), launchd() ? 1u : 2u);
  EXPECT_THAT(Calls(), Not(IsEmpty()));
  const std::string pid = Pid();
  ASSERT_EQ(Run({"install"}), kExitOk) << err_.str();
  EXPECT_THAT(Calls(), IsEmpty());
  EXPECT_EQ(Pid(), pid) << "it was left alone";
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("already so"), Not(HasSubstr("run "))));
}

TEST_P(ServiceCommand, ADryRunTouchesNothingAndSaysAllInJsonToo) {
  ASSERT_EQ(Run({"install", "--dry-run"}), kExitOk) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("would write"));
  ASSERT_EQ(Run({"install", "--dry-run", "--json"}), kExitOk);
  const Json json = Json::parse(out_.str());
  EXPECT_EQ(json["verb"], "install");
  EXPECT_EQ(json["manager"], GetParam());
  EXPECT_EQ(json["dry_run"], true);
  size_t files = 0;
  for (const Json& step : json["steps"]) {
    if (step["do"] != "write_file") continue;
    ++files;
    EXPECT_EQ(step["mode"], "0644");
    if (step["path"].get<std::string>().ends_with(".socket")) continue;
    EXPECT_THAT(step["content"], HasSubstr((folder_ / "bin/anexd").string()))
        << "the anexd beside this anectl";
  }
  EXPECT_EQ(files, launchd() ? 1u : 2u);
  EXPECT_THAT(Calls(), IsEmpty());
  EXPECT_THAT(Files(), IsEmpty());
  EXPECT_FALSE(fs::exists(folder_ / "home/conf"));
}

TEST_P(ServiceCommand, WhatWasExchangedIsTakenIntoUseAndThenAllIsSo) {
  ASSERT_EQ(Run({"install"}), kExitOk);
  const std::string pid = Pid();
  std::ofstream(Files().back(), std::ios::app) << "\n";
  Calls();
  ASSERT_EQ(Run({"install"}), kExitOk) << out_.str() << err_.str();
  EXPECT_NE(Pid(), pid);
  EXPECT_NE(Pid(), "") << "it was waited for until the old one had gone";
  Calls();
  ASSERT_EQ(Run({"install"}), kExitOk);
  EXPECT_THAT(Calls(), IsEmpty());
}

TEST_P(ServiceCommand, StopsStartsAndRestarts) {
  ASSERT_EQ(Run({"install"}), kExitOk);
  const std::string first = Pid();
  ASSERT_EQ(Run({"restart"}), kExitOk) << err_.str();
  EXPECT_NE(Pid(), "");
  EXPECT_NE(Pid(), first);
  EXPECT_TRUE(Listening());
  ASSERT_EQ(Run({"stop"}), kExitOk) << err_.str();
  EXPECT_FALSE(Listening());
  EXPECT_EQ(Pid(), "");
  Calls();
  ASSERT_EQ(Run({"stop"}), kExitOk);
  EXPECT_THAT(Calls(), IsEmpty());
  EXPECT_THAT(out_.str(), HasSubstr("already so"));
  for (const char* verb : {"start", "restart"}) {
    ASSERT_EQ(Run({verb}), kExitOk) << err_.str();
    EXPECT_TRUE(Listening());
    EXPECT_NE(Pid(), "");
    ASSERT_EQ(Run({"stop"}), kExitOk);
  }
  ASSERT_EQ(Run({"start", "--json"}), kExitOk);
  EXPECT_EQ(Json::parse(out_.str())["dry_run"], false);
}

TEST_P(ServiceCommand, UninstallLeavesNothingAndMayBeRepeated) {
  ASSERT_EQ(Run({"install"}), kExitOk);
  ASSERT_EQ(Run({"uninstall"}), kExitOk) << err_.str();
  EXPECT_FALSE(Listening());
  EXPECT_EQ(Pid(), "");
  EXPECT_THAT(Files(), IsEmpty());
  EXPECT_FALSE(fs::exists(State("enabled.anexd.socket")));
  EXPECT_FALSE(fs::exists(folder_ / "home/Library/Application Support/anexd"));
  Calls();
  ASSERT_EQ(Run({"uninstall"}), kExitOk);
  EXPECT_THAT(out_.str(), HasSubstr("already so: the service is not installed"));
  EXPECT_THAT(Calls(), IsEmpty());
  EXPECT_EQ(Run({"start"}), kExitFailed);
  EXPECT_THAT(err_.str(), HasSubstr("anectl install"));
}

TEST_P(ServiceCommand, AManagerThatDoesNotAnswerIsSaidWithWhatToDoAndNothingIsHalfDone) {
  std::ofstream(State("no_bus")) << "";
  std::ofstream(State("no_login")) << "";
  EXPECT_EQ(Run({"install"}), kExitFailed);
  EXPECT_THAT(err_.str(), AllOf(HasSubstr(launchd() ? "log in at the screen" : "enable-linger"),
                                HasSubstr(launchd() ? "Could not find domain" : "connect to bus"),
                                HasSubstr("run anexd by hand")));
  EXPECT_THAT(Files(), IsEmpty());
  EXPECT_EQ(Run({"uninstall"}), kExitOk) << "nothing of it is there";
}

TEST_P(ServiceCommand, AMachineWithoutTheManagerSaysSo) {
  Set("PATH", "/nowhere");
  EXPECT_EQ(Run({"install"}), kExitFailed);
  EXPECT_THAT(err_.str(), HasSubstr(launchd() ? "no launchctl" : "no systemctl"));
}

TEST_P(ServiceCommand, AProgramThatIsNoAnexdIsRefusedBeforeAnythingIsWritten) {
  EXPECT_EQ(Run({"install", "--anexd", "/bin/false"}), kExitFailed);
  EXPECT_THAT(err_.str(), AllOf(HasSubstr("/bin/false"), HasSubstr("--anexd")));
  EXPECT_EQ(Run({"install", "--anexd", (folder_ / "none").string()}), kExitNotFound);
  fs::remove(folder_ / "bin/anexd");
  EXPECT_EQ(Run({"install"}), kExitNotFound);
  EXPECT_THAT(err_.str(), HasSubstr("no anexd beside this anectl"));
  EXPECT_THAT(Files(), IsEmpty());
}

TEST_P(ServiceCommand, WhatIsInTheWayIsNotWrittenOver) {
  const fs::path file = launchd() ? folder_ / "home/Library/LaunchAgents/com.anexd.agent.plist"
                                  : folder_ / "home/conf/systemd/user/anexd.socket";
  fs::create_directories(file.parent_path());
  fs::create_symlink("/dev/null", file);
  EXPECT_EQ(Run({"install"}), kExitFailed);
  EXPECT_THAT(err_.str(), AllOf(HasSubstr(file.string()), HasSubstr("no regular file")));
  EXPECT_TRUE(fs::is_symlink(file));
}

TEST_P(ServiceCommand, ADaemonThatWasStartedByHandIsNotPushedAside) {
  const fs::path dir =
      launchd() ? folder_ / "home/Library/Application Support/anexd" : folder_ / "run/anexd";
  fs::create_directories(dir);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = (dir / "anexd.sock").string();
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(socket, 4), 0);
  EXPECT_EQ(Run({"install"}), kExitFailed);
  EXPECT_THAT(err_.str(), AllOf(HasSubstr("started by hand"), HasSubstr(path)));
  ::close(socket);
  EXPECT_EQ(Run({"install"}), kExitOk) << "a file that nobody answers on is in nobody's way";
}

TEST_P(ServiceCommand, LogsAreShownOnTheTerminalItself) {
  const fs::path logs = folder_ / "home/Library/Logs/anexd";
  if (launchd()) {
    EXPECT_EQ(Run({"logs"}), kExitNotFound);
    fs::create_directories(logs);
    std::ofstream(logs / "anexd.log") << "one\ntwo\nthree\n";
  }
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(Run({"logs", "--lines", "2"}), kExitOk);
  const std::string shown = ::testing::internal::GetCapturedStdout();
  EXPECT_EQ(shown, launchd() ? "two\nthree\n" : "what the journal holds\n");
  if (!launchd()) {
    EXPECT_THAT(Calls(), ElementsAre(HasSubstr("--unit anexd.service --lines 2")));
  }
}

using LaunchdCommand = ServiceCommand;
INSTANTIATE_TEST_SUITE_P(Of, LaunchdCommand, ::testing::Values("launchd"));

TEST_P(LaunchdCommand, SignsByWhomItIsToldAndKeepsThat) {
  ASSERT_EQ(Run({"install"}), kExitOk);
  const std::string anexd = (folder_ / "bin/anexd").string();
  EXPECT_THAT(Calls(), Contains("codesign --force --sign - --identifier com.anexd.agent "
                                "--requirements==designated => identifier \"com.anexd.agent\" " +
                                anexd));
  EXPECT_THAT(out_.str(), HasSubstr("--sign IDENTITY"));
  const std::string pid = Pid();
  ASSERT_EQ(Run({"install", "--sign", "Ada's"}), kExitOk) << err_.str();
  EXPECT_THAT(Calls(),
              Contains("codesign --force --sign Ada's --identifier com.anexd.agent " + anexd));
  EXPECT_NE(Pid(), pid) << "runs as signed";
  ASSERT_EQ(Run({"install"}), kExitOk);
  EXPECT_THAT(Calls(), IsEmpty()) << "a good signature is not made worse";
  EXPECT_EQ(Run({"install", "--sign", "nobody"}), kExitFailed);
  EXPECT_THAT(err_.str(), AllOf(HasSubstr("no identity found"), HasSubstr("find-identity")));
}

// A hash means one certificate, a name any that has it as a part: neither signs again what is
// signed.
TEST_P(LaunchdCommand, SignsOnceByAHashOrByAPartOfAName) {
  const std::string hash = FingerprintOf("Apple Development: Ada (X1)");
  for (const std::string& signer : {hash, absl::AsciiStrToUpper(hash), std::string("Ada (X")}) {
    fs::remove(State("signature"));
    ASSERT_EQ(Run({"install", "--sign", signer}), kExitOk) << err_.str();
    EXPECT_THAT(Calls(), Contains(HasSubstr("codesign --force --sign " + signer))) << signer;
    const std::string pid = Pid();
    ASSERT_EQ(Run({"install", "--sign", signer}), kExitOk) << err_.str();
    EXPECT_THAT(Calls(), IsEmpty()) << signer;
    EXPECT_THAT(out_.str(), HasSubstr("by Apple Development: Ada (X1)"));
    EXPECT_EQ(Pid(), pid);
  }
  // Of the same name, but another certificate.
  const std::string other = FingerprintOf("Apple Development: Ada (X1), renewed");
  ASSERT_EQ(Run({"install", "--sign", other}), kExitOk) << err_.str();
  EXPECT_THAT(Calls(), Contains(HasSubstr("codesign --force --sign " + other)));
}

TEST_P(LaunchdCommand, OneThatWasDisabledComesBack) {
  ASSERT_EQ(Run({"install"}), kExitOk);
  ASSERT_EQ(Run({"stop"}), kExitOk);
  std::ofstream(State("disabled")) << "";
  ASSERT_EQ(Run({"start"}), kExitOk) << err_.str();
  EXPECT_NE(Pid(), "");
}

using SystemdCommand = ServiceCommand;
INSTANTIATE_TEST_SUITE_P(Of, SystemdCommand, ::testing::Values("systemd"));

TEST_P(SystemdCommand, OneThatCrashedTooOftenComesBack) {
  ASSERT_EQ(Run({"install"}), kExitOk);
  ASSERT_EQ(Run({"stop"}), kExitOk);
  std::ofstream(State("failed")) << "";
  ASSERT_EQ(Run({"start"}), kExitOk) << err_.str();
  EXPECT_NE(Pid(), "");
}

TEST_P(SystemdCommand, AFailureSaysWhereToLook) {
  ASSERT_EQ(Run({"install"}), kExitOk);
  ASSERT_EQ(Run({"stop"}), kExitOk);
  std::ofstream(State("read.anexd.socket")) << "as before, but not on disk";
  fs::remove(State("read.anexd.service"));
  fs::remove(folder_ / "home/conf/systemd/user/anexd.service");
  EXPECT_EQ(Run({"start"}), kExitFailed);
  EXPECT_THAT(err_.str(), AllOf(HasSubstr("Unit anexd.service not found"),
                                HasSubstr("systemctl --user status")));
}

TEST_P(SystemdCommand, ALaunchdsFolderIsNoQuestionHere) {
  EXPECT_EQ(Run({"install", "--runtime-dir", "/x"}), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("XDG_RUNTIME_DIR"));
}

}  // namespace
}  // namespace anex::cli
