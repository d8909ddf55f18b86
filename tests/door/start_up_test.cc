// Runtime folder, instance lock and listeners: what happens before anybody is let in.
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/shm/side_channel.h"
#include "server/door/accept.h"
#include "server/door/instance_lock.h"
#include "server/door/listen_sockets.h"
#include "server/door/runtime_dir.h"
#include "tests/door/child.h"
#include "tests/door/temp_dir.h"

namespace anex::door {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Text(const absl::Status& status) { return std::string(status.message()); }

mode_t ModeOf(const std::string& path) {
  struct stat st;
  EXPECT_EQ(::lstat(path.c_str(), &st), 0) << path;
  return st.st_mode & 0777;
}

TEST(RuntimeDir, IsCreatedPrivateWhateverTheUmask) {
  TempDir dir;
  const mode_t old = ::umask(0);
  EXPECT_TRUE(PrepareRuntimeDir(dir / "run").ok());
  ::umask(old);
  EXPECT_EQ(ModeOf(dir / "run"), 0700u);
  EXPECT_TRUE(PrepareRuntimeDir(dir / "run").ok());  // and is found again
  EXPECT_TRUE(PrepareRuntimeDir(dir / "run/").ok());
}

TEST(RuntimeDir, IsRefusedWhenOthersMayEnter) {
  TempDir dir;
  for (const mode_t mode : {0750, 0701, 0770, 0777}) {
    ASSERT_EQ(::chmod(dir.path().c_str(), mode), 0);
    const absl::Status status = PrepareRuntimeDir(dir.path());
    EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << mode;
    EXPECT_THAT(Text(status), HasSubstr("chmod 700 " + dir.path()));
  }
  ASSERT_EQ(::chmod(dir.path().c_str(), 0700), 0);
}

// What others use must not be closed to them on our advice.
TEST(RuntimeDir, AFolderThatServesOthersIsNotToBeClosed) {
  TempDir dir;
  const auto advice_for = [&](const std::string& path) {
    const absl::Status status = PrepareRuntimeDir(path);
    EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << path;
    EXPECT_THAT(Text(status), Not(HasSubstr("chmod"))) << path;
    EXPECT_THAT(Text(status), HasSubstr("name a folder of its own")) << path;
  };
  std::filesystem::create_directory(dir / "sticky");
  ASSERT_EQ(::chmod((dir / "sticky").c_str(), 01777), 0);
  advice_for(dir / "sticky");
  std::filesystem::create_directory(dir / "used");
  ASSERT_EQ(::chmod((dir / "used").c_str(), 0755), 0);
  std::ofstream(dir / "used/anexd.lock") << "";
  std::ofstream(dir / "used/side.sock") << "";
  EXPECT_THAT(Text(PrepareRuntimeDir(dir / "used")), HasSubstr("chmod 700"))
      << "all that is in it is a daemon's";
  std::ofstream(dir / "used/letters.txt") << "";
  advice_for(dir / "used");
  if (::geteuid() == 0) advice_for("/dev");  // the root of a file system
}

TEST(RuntimeDir, IsRefusedWhenItIsALinkOrAFileOrHasNoParent) {
  TempDir dir;
  std::filesystem::create_directory(dir / "real");
  std::filesystem::create_directory_symlink(dir / "real", dir / "link");
  EXPECT_EQ(PrepareRuntimeDir(dir / "link").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(PrepareRuntimeDir(dir / "link/").code(), absl::StatusCode::kFailedPrecondition);
  std::ofstream(dir / "file") << "x";
  EXPECT_EQ(PrepareRuntimeDir(dir / "file").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(PrepareRuntimeDir(dir / "no/such").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(PrepareRuntimeDir("").code(), absl::StatusCode::kInvalidArgument);
}

TEST(RuntimeDir, IsRefusedWhenItBelongsToSomebodyElse) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  TempDir dir;
  ASSERT_EQ(::chown(dir.path().c_str(), 12345, 12345), 0);
  const absl::Status status = PrepareRuntimeDir(dir.path());
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(Text(status), HasSubstr("12345"));
}

TEST(SocketPath, HasRoomFor103BytesAndTheFinalNul) {
  const std::string dir(97, 'd');  // with "/a.soc" 103
  EXPECT_TRUE(SocketPath(dir, "a.soc").ok());
  const absl::Status status = SocketPath(dir, "a.sock").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Text(status), HasSubstr("105 bytes"));
  EXPECT_THAT(Text(status), HasSubstr("104"));
}

TEST(InstanceLock, RefusesASecondDaemonWithTheFirstOnesPid) {
  TempDir dir;
  Child first({"hold-lock", dir.path()});
  ASSERT_EQ(first.ReadLine(), "locked");
  const absl::Status status = InstanceLock::Acquire(dir.path()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(Text(status), HasSubstr("pid " + std::to_string(first.pid())));
}

TEST(InstanceLock, IsTakenOverFromADeadDaemonWhosePidIsStillInTheFile) {
  TempDir dir;
  Child first({"hold-lock", dir.path()});
  ASSERT_EQ(first.ReadLine(), "locked");
  const pid_t dead = first.pid();
  first.Signal(SIGKILL);
  first.Reap();
  std::string pid;
  std::ifstream(dir / "anexd.lock") >> pid;
  ASSERT_EQ(pid, std::to_string(dead));
  absl::StatusOr<InstanceLock> lock = InstanceLock::Acquire(dir.path());
  ASSERT_TRUE(lock.ok()) << lock.status();
  std::ifstream(dir / "anexd.lock") >> pid;
  EXPECT_EQ(pid, std::to_string(::getpid()));
  Child third({"hold-lock", dir.path()});
  EXPECT_THAT(third.ReadLine(), HasSubstr("pid " + std::to_string(::getpid())));
  EXPECT_EQ(third.Reap(), 1);
}

TEST(InstanceLock, IsGivenBackWithItsOwnerAndIsPerFolder) {
  TempDir one, two;
  {
    absl::StatusOr<InstanceLock> lock = InstanceLock::Acquire(one.path());
    ASSERT_TRUE(lock.ok());
    EXPECT_EQ(InstanceLock::Acquire(one.path()).status().code(), absl::StatusCode::kAlreadyExists);
    EXPECT_TRUE(InstanceLock::Acquire(two.path()).ok());
  }
  EXPECT_TRUE(InstanceLock::Acquire(one.path()).ok());
  EXPECT_EQ(ModeOf(one / "anexd.lock"), 0600u);
}

TEST(InstanceLock, DoesNotFollowALink) {
  TempDir dir;
  std::ofstream(dir / "target") << "precious";
  std::filesystem::create_symlink(dir / "target", dir / "anexd.lock");
  EXPECT_EQ(InstanceLock::Acquire(dir.path()).status().code(),
            absl::StatusCode::kFailedPrecondition);
  std::string text;
  std::ifstream(dir / "target") >> text;
  EXPECT_EQ(text, "precious");
}

class Listeners : public ::testing::Test {
 protected:
  absl::StatusOr<ListenSocket> Listen(const std::string& name = "s.sock") {
    return ListenOwn(*lock_, ListenerRole::kOwner, name);
  }
  bool CanConnect(const std::string& name = "s.sock") {
    return shm::ConnectSideChannel(dir_ / name, absl::Seconds(5)).ok();
  }
  TempDir dir_;
  absl::StatusOr<InstanceLock> lock_ = InstanceLock::Acquire(dir_.path());
};

TEST_F(Listeners, AreForTheirUserOnlyAndGoWithTheirOwner) {
  const mode_t old = ::umask(0);
  auto socket = std::make_optional(*Listen());
  EXPECT_EQ(::umask(old), 0u);  // the process's umask was not touched
  EXPECT_EQ(ModeOf(dir_ / "s.sock"), 0600u);
  EXPECT_TRUE(CanConnect());
  EXPECT_TRUE(socket->StillOurs());
  ListenSocket moved = *std::move(socket);
  socket.reset();
  EXPECT_TRUE(CanConnect());  // the one moved from takes nothing with it
  moved = *Listen("t.sock");
  EXPECT_FALSE(std::filesystem::exists(dir_ / "s.sock"));
  EXPECT_TRUE(CanConnect("t.sock"));
}

TEST_F(Listeners, ReplaceASocketThatNobodyAnswersOn) {
  {
    Child dead({"steal", dir_ / "s.sock"});
    ASSERT_EQ(dead.ReadLine(), "listening");
  }  // killed: its file stays
  ASSERT_TRUE(std::filesystem::exists(dir_ / "s.sock"));
  EXPECT_FALSE(CanConnect());
  absl::StatusOr<ListenSocket> socket = Listen();
  ASSERT_TRUE(socket.ok()) << socket.status();
  EXPECT_TRUE(CanConnect());
}

TEST_F(Listeners, NeverTakeALiveSocketAway) {
  Child live({"steal", dir_ / "s.sock"});
  ASSERT_EQ(live.ReadLine(), "listening");
  const absl::Status status = Listen().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(Text(status), HasSubstr("process " + std::to_string(live.pid())));
  EXPECT_TRUE(CanConnect());
}

TEST_F(Listeners, LeaveOtherFilesAlone) {
  std::ofstream(dir_ / "s.sock") << "precious";
  EXPECT_EQ(Listen().status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(std::filesystem::file_size(dir_ / "s.sock"), 8u);
  EXPECT_EQ(Listen(std::string(120, 'n')).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(Listeners, NoticeAndSurviveRemovalAndTheft) {
  absl::StatusOr<ListenSocket> socket = Listen();
  ASSERT_TRUE(socket.ok());
  std::filesystem::remove(dir_ / "s.sock");
  EXPECT_FALSE(socket->StillOurs());
  ASSERT_TRUE(socket->Rebind().ok());
  EXPECT_TRUE(socket->StillOurs());
  EXPECT_TRUE(CanConnect());
  {
    Child thief({"steal", dir_ / "s.sock"});
    ASSERT_EQ(thief.ReadLine(), "listening");
    EXPECT_FALSE(socket->StillOurs());
    EXPECT_EQ(socket->Rebind().code(), absl::StatusCode::kAlreadyExists);
    EXPECT_TRUE(CanConnect());  // to the thief, undisturbed
  }
  ASSERT_TRUE(socket->Rebind().ok());
  EXPECT_TRUE(CanConnect());
}

TEST_F(Listeners, DoNotRemoveTheFileOfSomebodyElse) {
  auto socket = std::make_optional(*Listen());
  Child thief({"steal", dir_ / "s.sock"});
  ASSERT_EQ(thief.ReadLine(), "listening");
  socket.reset();
  EXPECT_TRUE(std::filesystem::exists(dir_ / "s.sock"));
}

}  // namespace
}  // namespace anex::door
