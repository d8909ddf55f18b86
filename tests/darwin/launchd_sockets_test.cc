// Sockets that launchd hands over by the names of their entries, over its double.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/door/listen_sockets.h"
#include "tests/door/temp_dir.h"

namespace anex::door {
namespace {

using ::testing::HasSubstr;

int Listening(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  EXPECT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::chmod(path.c_str(), 0600), 0);
  EXPECT_EQ(::listen(socket, 8), 0);
  return socket;
}

class LaunchdSockets : public ::testing::Test {
 protected:
  LaunchdSockets() { EXPECT_TRUE(TakePassedSockets(dir_.path())->empty()); }  // none given yet
  ~LaunchdSockets() override { ::unsetenv("LAUNCH_DOUBLE_SOCKETS"); }
  static void Hold(const std::string& entries) {
    ::setenv("LAUNCH_DOUBLE_SOCKETS", entries.c_str(), 1);
  }
  TempDir dir_;
};

TEST_F(LaunchdSockets, NoneForAProcessThatLaunchdDidNotStart) {
  const auto none = TakePassedSockets(dir_.path());
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_TRUE(none->empty());
}

TEST_F(LaunchdSockets, AreTakenByTheirEntriesWhetherAllAreThereOrNot) {
  const int owner = Listening(dir_ / "anexd.sock"), side = Listening(dir_ / "side.sock");
  Hold(absl::StrCat("SideChannel=", side, ";Owner=", owner, ";Other=0"));
  const auto sockets = TakePassedSockets(dir_.path());
  ASSERT_TRUE(sockets.ok()) << sockets.status();
  ASSERT_EQ(sockets->size(), 2u);
  EXPECT_EQ((*sockets)[0].descriptor(), owner);
  EXPECT_EQ((*sockets)[0].role(), ListenerRole::kOwner);
  EXPECT_EQ((*sockets)[1].descriptor(), side);
  EXPECT_EQ((*sockets)[1].role(), ListenerRole::kSideChannel);
  for (const ListenSocket& socket : *sockets) {
    EXPECT_TRUE(socket.passed());
    EXPECT_NE(::fcntl(socket.descriptor(), F_GETFD) & FD_CLOEXEC, 0);
  }
}

TEST_F(LaunchdSockets, OneThatIsNotOursIsRefusedWithItsReason) {
  const int observer = Listening(dir_ / "what.sock");
  Hold(absl::StrCat("Observer=", observer));
  const auto sockets = TakePassedSockets(dir_.path());
  EXPECT_EQ(sockets.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(sockets.status().message()), HasSubstr("should be called anexd.sock"));
}

TEST_F(LaunchdSockets, AnEntryThatWasTakenBeforeIsAnErrorThatNamesIt) {
  Hold(absl::StrCat("Observer=", Listening(dir_ / "observer.sock")));
  ASSERT_TRUE(TakePassedSockets(dir_.path()).ok());
  const absl::Status again = TakePassedSockets(dir_.path()).status();
  EXPECT_EQ(again.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(again.message()), HasSubstr("the socket Observer"));
}

}  // namespace
}  // namespace anex::door
