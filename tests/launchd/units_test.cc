// The systemd units as they would be installed, against what anexd takes and where clients look.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "client/cli/service/layout.h"
#include "server/config.h"

namespace anex::test {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

// Section.Key -> values, in order.
using Unit = std::map<std::string, std::vector<std::string>>;

Unit ReadUnit(const std::string& name) {
  cli::ServiceWish wish;
  wish.manager = cli::ServiceManager::kSystemd;
  wish.home = "/home/eve";
  wish.anexd = "/opt/bin/anexd";
  Unit unit;
  const cli::Layout layout = *cli::LayoutOf(wish);
  for (const cli::LayoutFile& file : layout.files) {
    if (!file.path.ends_with(name)) continue;
    std::istringstream lines(file.content);
    std::string section;
    for (std::string line; std::getline(lines, line);) {
      if (line.empty() || line[0] == '#') continue;
      if (line[0] == '[') {
        section = line.substr(1, line.size() - 2);
        continue;
      }
      const size_t equals = line.find('=');
      EXPECT_NE(equals, line.npos) << line;
      unit[section + "." + line.substr(0, equals)].push_back(line.substr(equals + 1));
    }
  }
  return unit;
}

server::Config AsAnexdTakesIt(const Unit& service) {
  const std::string line =
      absl::StrReplaceAll(service.at("Service.ExecStart").at(0), {{"%t", "/run/user/1007"}});
  std::vector<std::string> words = absl::StrSplit(line, ' ');
  EXPECT_EQ(words.front(), "\"/opt/bin/anexd\"");
  words.erase(words.begin());
  server::Surroundings eve;  // as the user manager sets it
  eve.environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "XDG_RUNTIME_DIR") return "/run/user/1007";
    return std::nullopt;
  };
  eve.devices = {"cpu"};
  const auto parsed = server::ParseCommandLine(words, eve);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->config.runtime_dir, server::DefaultConfig(eve).runtime_dir)
      << "where clients look by themselves";
  return parsed->config;
}

TEST(Units, SocketsAreThisUsersAloneAndWhereAnexdLooksForThem) {
  const Unit socket = ReadUnit("anexd.socket");
  EXPECT_THAT(
      socket.at("Socket.ListenStream"),
      UnorderedElementsAre("%t/anexd/anexd.sock", "%t/anexd/observer.sock", "%t/anexd/side.sock"));
  EXPECT_EQ(AsAnexdTakesIt(ReadUnit("anexd.service")).runtime_dir, "/run/user/1007/anexd");
  EXPECT_THAT(socket.at("Socket.SocketMode"), ElementsAre("0600"));
  EXPECT_THAT(socket.at("Socket.DirectoryMode"), ElementsAre("0700"));
  EXPECT_THAT(socket.at("Install.WantedBy"), ElementsAre("sockets.target"));
}

TEST(Units, SystemdWaitsLongerThanAnexdDrainsAndKeepsTheSockets) {
  constexpr double kGrace = 2;  // of main.cc's last resort
  const Unit service = ReadUnit("anexd.service");
  EXPECT_GT(std::stod(service.at("Service.TimeoutStopSec").at(0)),
            AsAnexdTakesIt(service).drain_timeout_s + kGrace);
  EXPECT_THAT(service.at("Unit.Requires"), ElementsAre("anexd.socket"));
  EXPECT_THAT(service.at("Unit.After"), ElementsAre("anexd.socket"));
  EXPECT_THAT(service.at("Service.Restart"), ElementsAre("on-failure"));
}

TEST(Units, HardeningLeavesWhatADaemonWithSharedMemoryNeeds) {
  const Unit service = ReadUnit("anexd.service");
  EXPECT_THAT(service.at("Service.NoNewPrivileges"), ElementsAre("yes"));
  // These hide clients' processes from pidfd and /proc, make what is mapped unshareable, or need
  // namespaces that user managers often cannot make.
  for (const char* key :
       {"PrivateUsers", "ProtectProc", "PrivateTmp", "ProtectSystem", "PrivateIPC",
        "SystemCallFilter", "RestrictRealtime", "MemoryDenyWriteExecute"}) {
    EXPECT_FALSE(service.contains(std::string("Service.") + key)) << key;
  }
}

}  // namespace
}  // namespace anex::test
