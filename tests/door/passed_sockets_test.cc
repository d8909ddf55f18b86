// Sockets that a service manager passed: what is taken, and what is refused with its reason.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/door/listen_sockets.h"
#include "tests/door/temp_dir.h"

namespace anex::door {
namespace {

using ::testing::HasSubstr;

shm::OwnedDescriptor Bound(const std::string& path, mode_t mode = 0600, int type = SOCK_STREAM,
                           bool listens = true) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  shm::OwnedDescriptor socket(::socket(AF_UNIX, type, 0));
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::chmod(path.c_str(), mode), 0);
  if (listens) {
    EXPECT_EQ(::listen(socket.get(), 8), 0);
  }
  return socket;
}

std::string Refused(shm::OwnedDescriptor socket, const std::string& dir) {
  const absl::Status status = AdoptPassed(std::move(socket), dir).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("launchd/README.md"));
  return std::string(status.message());
}

bool IsThere(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

TEST(PassedSockets, TheNameSaysWhichIsWhich) {
  TempDir dir;
  for (const ListenerRole role :
       {ListenerRole::kOwner, ListenerRole::kObserver, ListenerRole::kSideChannel}) {
    const std::string path = dir / std::string(SocketNameOf(role));
    auto adopted = AdoptPassed(Bound(path), dir.path());
    ASSERT_TRUE(adopted.ok()) << adopted.status();
    EXPECT_EQ(adopted->role(), role);
    EXPECT_EQ(adopted->path(), path);
    EXPECT_TRUE(adopted->passed());
    EXPECT_NE(::fcntl(adopted->descriptor(), F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_NE(::fcntl(adopted->descriptor(), F_GETFL) & O_NONBLOCK, 0);
  }
}

TEST(PassedSockets, TheirFilesAreNotOursToRemoveOrToReplace) {
  TempDir dir;
  const std::string path = dir / "anexd.sock";
  {
    auto adopted = AdoptPassed(Bound(path), dir.path());
    ASSERT_TRUE(adopted.ok());
    ListenSocket moved = *std::move(adopted);
    EXPECT_TRUE(moved.StillOurs());
  }
  EXPECT_TRUE(IsThere(path));
  auto adopted = AdoptPassed(Bound(dir / "side.sock"), dir.path());
  ASSERT_EQ(::unlink((dir / "side.sock").c_str()), 0);
  EXPECT_TRUE(adopted->StillOurs());
}

TEST(PassedSockets, WhatIsNoSocketOfOursIsRefusedWithItsReason) {
  TempDir dir, other;
  EXPECT_THAT(Refused(Bound(dir / "what.sock"), dir.path()),
              HasSubstr("should be called anexd.sock"));
  EXPECT_THAT(Refused(Bound(other / "anexd.sock"), dir.path()),
              HasSubstr("but the runtime folder is " + dir.path()));
  EXPECT_THAT(Refused(Bound(dir / "anexd.sock", 0666), dir.path()), HasSubstr("mode 666"));
  EXPECT_THAT(Refused(Bound(dir / "side.sock", 0600, SOCK_STREAM, false), dir.path()),
              HasSubstr("no listening unix socket"));
  EXPECT_THAT(Refused(Bound(dir / "observer.sock", 0600, SOCK_DGRAM, false), dir.path()),
              HasSubstr("no listening unix socket"));
  EXPECT_THAT(Refused(shm::OwnedDescriptor(::open("/dev/null", O_RDONLY)), dir.path()),
              HasSubstr("no listening unix socket"));
}

}  // namespace
}  // namespace anex::door
