// A daemon on sockets that a service manager made and keeps.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <thread>

#include "absl/strings/numbers.h"
#include "proto/shm/owned_descriptor.h"
#include "tests/e2e/fixture.h"
#include "tests/system/descriptors.h"

namespace anex::test {
namespace {

using ::testing::HasSubstr;

class Activation : public ::testing::Test {
 protected:
  // Makes the sockets in `folder` and starts anexd on them with `runtime_dir`.
  void Start(const std::string& folder, const std::string& runtime_dir) {
    auto holder = ChildProcess::Start({SOCKET_HOLDER, folder, AnexdBinary(), "--runtime-dir",
                                       runtime_dir, "--cache-dir", folder_.Join("cache")});
    ASSERT_TRUE(holder.ok()) << holder.status();
    holder_ = *std::move(holder);
  }
  void TearDown() override {
    if (holder_ == nullptr) return;
    holder_->Signal(SIGTERM);
    const auto code = holder_->Wait();
    EXPECT_TRUE(code.ok() && *code == 0) << holder_->output();
  }
  // The process that the next "started" names.
  pid_t Started() {
    const auto line = holder_->WaitForLine("started ");
    int pid = 0;
    EXPECT_TRUE(line.ok() && absl::SimpleAtoi(line->substr(line->rfind(' ') + 1), &pid));
    return pid;
  }
  void Await(const std::string& part) {
    const auto line = holder_->WaitForLine(part);
    ASSERT_TRUE(line.ok()) << line.status();
  }

  ScratchFolder folder_;
  const std::string socket_ = folder_.Join("anexd.sock");
  std::unique_ptr<ChildProcess> holder_;
};

// A connection to a socket, made by hand.
shm::OwnedDescriptor Connect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  shm::OwnedDescriptor socket(test::NewSocket());
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    socket.Reset();
  }
  return socket;
}

TEST_F(Activation, ServesOnSocketsThatItWasGiven) {
  Start(folder_.path(), folder_.path());
  Await("serving");
  EXPECT_TRUE(RunsMatmul(socket_).ok());
}

TEST_F(Activation, WhoComesDuringARestartWaitsAndIsServed) {
  Start(folder_.path(), folder_.path());
  const pid_t first = Started();
  Await("serving");
  ASSERT_TRUE(RunsMatmul(socket_).ok());
  ASSERT_EQ(::kill(first, SIGTERM), 0);
  Await("ended 0");
  // Nobody is there, and yet nobody is refused.
  struct stat file {};
  EXPECT_EQ(::lstat(socket_.c_str(), &file), 0) << "the daemon removed what is not its own";
  EXPECT_TRUE(Connect(socket_).valid());
  absl::Status ran;
  std::thread client([&] { ran = RunsMatmul(socket_); });
  holder_->Signal(SIGUSR1);
  EXPECT_NE(Started(), first);
  client.join();
  EXPECT_TRUE(ran.ok()) << ran;
}

TEST_F(Activation, ADaemonThatIsKilledLeavesTheSocketsToTheNext) {
  Start(folder_.path(), folder_.path());
  const pid_t first = Started();
  Await("serving");
  ASSERT_EQ(::kill(first, SIGKILL), 0);
  Await("ended 137");
  EXPECT_TRUE(Connect(socket_).valid());
  holder_->Signal(SIGUSR1);
  Await("serving");
  EXPECT_TRUE(RunsMatmul(socket_).ok());
}

TEST_F(Activation, SocketsOfAnotherFolderAreRefusedWithWhatToDo) {
  const std::string elsewhere = folder_.Join("elsewhere");
  ASSERT_EQ(::mkdir(elsewhere.c_str(), 0700), 0);
  Start(elsewhere, folder_.path());
  const auto said = holder_->WaitForLine("the service manager passed a socket at");
  ASSERT_TRUE(said.ok()) << said.status();
  EXPECT_THAT(*said, HasSubstr("but the runtime folder is " + folder_.path()));
  Await("ended 1");
}

}  // namespace
}  // namespace anex::test
