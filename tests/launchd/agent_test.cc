// The LaunchAgent as it would be installed: good by launchd's rules, and in agreement with what
// anexd takes and where clients look. The linter is shown its mistakes first.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>

#include "client/anex/connect.h"
#include "client/cli/service/layout.h"
#include "server/config.h"
#include "tests/launchd/agent_lint.h"
#include "tests/launchd/property_list.h"

namespace anex::test {
namespace {

namespace fs = std::filesystem;
using cli::Json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

cli::Layout AgentLayout(const std::string& home = "/Users/ada b") {
  cli::ServiceWish wish;
  wish.manager = cli::ServiceManager::kLaunchd;
  wish.home = home;
  wish.anexd = "/opt/a&<b>/anexd";
  return *cli::LayoutOf(wish);
}

Json Agent() {
  const auto agent = ReadPropertyList(AgentLayout().files.front().content);
  EXPECT_TRUE(agent.ok()) << agent.status();
  return agent.value_or(Json::object());
}

absl::StatusOr<server::CommandLine> AsAnexdTakesIt(const Json& agent) {
  std::vector<std::string> words = agent["ProgramArguments"];
  words.erase(words.begin());
  server::Surroundings bare;
  bare.environment = [](const std::string&) { return std::nullopt; };
  bare.devices = {"cpu"};
  return server::ParseCommandLine(words, bare);
}

TEST(Agent, IsGoodAsItWouldBeInstalled) { EXPECT_THAT(LintAgent(Agent()), IsEmpty()); }

TEST(Agent, TheLinterKnowsTheClassicMistakes) {
  struct Mistake {
    std::function<void(Json&)> make;
    const char* found;
  };
  const Mistake mistakes[] = {
      {[](Json& a) { a["Sockets"]["Owner"]["SockPathMode"] = 600; }, "Owner: SockPathMode is 600"},
      {[](Json& a) { a["Sockets"]["Owner"]["SockPathMode"] = 438; }, "Owner: SockPathMode is 438"},
      {[](Json& a) { a["Sockets"]["Observer"]["SockPathMode"] = "0600"; }, "is no integer"},
      {[](Json& a) { a["Sockets"]["Observer"].erase("SockPathMode"); }, "is no integer"},
      {[](Json& a) { a["Sockets"]["SideChannel"]["SockPathName"] = "/" + std::string(103, 'x'); },
       "SideChannel: SockPathName is over 103"},
      {[](Json& a) { a["Sockets"]["Owner"]["SockPathName"] = "~/anexd.sock"; },
       "~/anexd.sock: is no"},
      {[](Json& a) {
         a["Sockets"]["Owner"]["SockPathName"] = a["Sockets"]["Observer"]["SockPathName"];
       },
       "has another's"},
      {[](Json& a) { a["Sockets"]["Owner"]["SockFamily"] = "Unix"; }, "SockFamily"},
      {[](Json& a) { a["Keepalive"] = true; }, "Keepalive: launchd knows no such key"},
      {[](Json& a) { a["RunAtLoad"] = "true"; }, "RunAtLoad: has the wrong type"},
      {[](Json& a) { a["ThrottleInterval"] = "15"; }, "ThrottleInterval: has the wrong type"},
      {[](Json& a) { a["KeepAlive"]["SuccesfulExit"] = false; }, "SuccesfulExit is not known"},
      {[](Json& a) { a["ProcessType"] = "interactive"; }, "ProcessType"},
      {[](Json& a) { a["Umask"] = 77; }, "077 is 63"},
      {[](Json& a) { a["MachServices"]["com.anexd.agent.surfaces"] = false; }, "Mach service"},
      {[](Json& a) { a["StandardErrorPath"] = "$HOME/x.log"; }, "$HOME/x.log"},
      {[](Json& a) { a["ProgramArguments"][2] = "@RUNTIME_DIR@/x"; }, "@RUNTIME_DIR@"},
      {[](Json& a) { a.erase("Label"); }, "Label: is missing"}};
  for (const Mistake& mistake : mistakes) {
    Json agent = Agent();
    mistake.make(agent);
    EXPECT_THAT(LintAgent(agent), ElementsAre(HasSubstr(mistake.found)));
  }
}

TEST(Agent, ReadsOnlyWhatIsWellFormed) {
  const std::string good = AgentLayout().files.front().content;
  EXPECT_FALSE(ReadPropertyList(good.substr(0, good.size() - 12)).ok());
  EXPECT_FALSE(ReadPropertyList(good + "<dict>").ok());
  std::string bad = good;
  bad.replace(bad.find("<true/>"), 7, "<tru/>");
  EXPECT_FALSE(ReadPropertyList(bad).ok());
  bad = good;
  bad.replace(bad.find("<!-- launchd"), 5, "<!-- a -- b");
  EXPECT_FALSE(ReadPropertyList(bad).ok()) << "no comment to XML";
}

TEST(Agent, AnexdTakesItsArguments) {
  const Json agent = Agent();
  EXPECT_EQ(agent["ProgramArguments"][0], "/opt/a&<b>/anexd");
  const auto line = AsAnexdTakesIt(agent);
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_FALSE(line->print.has_value());
  EXPECT_EQ(line->config.cache_dir, "/Users/ada b/Library/Caches/anexd");
  EXPECT_EQ(line->config.log_file.path, "/Users/ada b/Library/Logs/anexd/anexd.log");
  EXPECT_NE(agent["StandardErrorPath"], line->config.log_file.path)
      << "launchd's end of the file would not follow a rotation";
}

TEST(Agent, SocketsAreThoseThatAnexdAsksForWhereItLooksForThem) {
  const Json agent = Agent();
  const std::string dir = AsAnexdTakesIt(agent)->config.runtime_dir;
  const std::map<std::string, std::string> names = {
      {"Owner", "anexd.sock"}, {"Observer", "observer.sock"}, {"SideChannel", "side.sock"}};
  EXPECT_EQ(agent["Sockets"].size(), names.size());
  for (const auto& [entry, name] : names) {
    EXPECT_EQ(agent["Sockets"][entry]["SockPathName"], dir + "/" + name);
    EXPECT_EQ(agent["Sockets"][entry]["SockPathMode"], 0600);
  }
}

TEST(Agent, ItsFoldersAreMadeByAnInstall) {
  const cli::Layout layout = AgentLayout();
  const auto config = AsAnexdTakesIt(Agent())->config;
  const auto made = [&](const std::string& path) {
    return std::any_of(
        layout.folders.begin(), layout.folders.end(),
        [&](const cli::LayoutFolder& f) { return f.path == path && f.mode == 0700; });
  };
  EXPECT_TRUE(made(config.runtime_dir)) << "launchd makes no folder for its sockets";
  EXPECT_TRUE(made(fs::path(config.log_file.path).parent_path()));
  EXPECT_TRUE(made(fs::path(Agent()["StandardErrorPath"].get<std::string>()).parent_path()));
  EXPECT_TRUE(made(config.cache_dir));
}

TEST(Agent, LaunchdWaitsLongerThanAnexdDrains) {
  constexpr double kGrace = 2;  // of main.cc's last resort
  const Json agent = Agent();
  EXPECT_GT(agent["ExitTimeOut"].get<double>(),
            AsAnexdTakesIt(agent)->config.drain_timeout_s + kGrace);
  EXPECT_EQ(agent["KeepAlive"], (Json{{"SuccessfulExit", false}}));
  EXPECT_EQ(agent["ProcessType"], "Interactive");
  EXPECT_EQ(agent["MachServices"]["com.anexd.agent.surfaces"], true);
}

TEST(Agent, ClientsFindItsSocketByThemselvesWhileItIsThere) {
  std::string home = "/tmp/anex_home_XXXXXX";
  ASSERT_NE(::mkdtemp(home.data()), nullptr);
  std::vector<std::pair<const char*, std::string>> before;
  for (const char* name : {"HOME", "ANEXD_SOCKET", "XDG_RUNTIME_DIR"}) {
    const char* value = std::getenv(name);
    before.emplace_back(name, value == nullptr ? "" : value);
    ::unsetenv(name);
  }
  ::setenv("HOME", home.c_str(), 1);
  ::setenv("XDG_RUNTIME_DIR", "/run/user/9", 1);
  const std::string path = AgentLayout(home).runtime_dir + "/anexd.sock";
  fs::create_directories(fs::path(path).parent_path());
  EXPECT_EQ(DefaultSocket(), "/run/user/9/anexd/anexd.sock") << "no agent, so as ever";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  EXPECT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(DefaultSocket(), path);
  ::setenv("ANEXD_SOCKET", "/named", 1);
  EXPECT_EQ(DefaultSocket(), "/named");
  ::close(socket);
  for (const auto& [name, value] : before) {
    value.empty() ? ::unsetenv(name) : ::setenv(name, value.c_str(), 1);
  }
  fs::remove_all(home);
}

}  // namespace
}  // namespace anex::test
