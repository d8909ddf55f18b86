// Regions, side channel and waking between two real processes.
#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <string>

#include "gtest/gtest.h"
#include "proto/shm/doorbell.h"
#include "proto/shm/shared_region.h"
#include "proto/shm/side_channel.h"
#include "tests/system/descriptors.h"
#include "tests/system/processes.h"

extern char** environ;

namespace anex::shm {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);

// Runs this binary as a child in `role`; it inherits `fd` under the number 3.
pid_t Spawn(const char* role, const OwnedDescriptor& fd) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  const OwnedDescriptor high(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 10));  // never 3 itself
  ::posix_spawn_file_actions_adddup2(&actions, high.get(), 3);
  std::string words[] = {"test_shm", "--child", role, "3"};
  char* argv[] = {words[0].data(), words[1].data(), words[2].data(), words[3].data(), nullptr};
  pid_t pid = -1;
  EXPECT_EQ(::posix_spawn(&pid, test::OwnProgram().c_str(), &actions, nullptr, argv, environ), 0);
  ::posix_spawn_file_actions_destroy(&actions);
  return pid;
}

int ExitCode(pid_t pid) {
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

class TwoProcesses : public ::testing::Test {
 protected:
  void Start(const char* role) {
    int ends[2];
    ASSERT_EQ(test::NewSocketPair(ends), 0);
    channel_ = *AdoptSideChannel(OwnedDescriptor(ends[0]));
    child_ = Spawn(role, OwnedDescriptor(ends[1]));
  }
  std::unique_ptr<SideChannel> channel_;
  pid_t child_ = -1;
};

TEST_F(TwoProcesses, SeeOneMemory) {
  auto region = CreateRegion(3 * 4096, "two");
  (*region)->data()[3 * 4096 - 1] = std::byte{41};
  Start("increment");
  absl::StatusOr<OwnedDescriptor> fd = (*region)->Share(RegionAccess::kReadWrite);
  ASSERT_TRUE(
      channel_->Send(SideChannelFrame::Deliver(1, {}, 3 * 4096, true), fd->get(), kPatience).ok());
  EXPECT_EQ(channel_->Receive(kPatience)->frame.kind, FrameKind::kBye);
  EXPECT_EQ((*region)->data()[3 * 4096 - 1], std::byte{42});
  EXPECT_EQ(channel_->Receive(kPatience).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ExitCode(child_), 0);
}

TEST_F(TwoProcesses, AReadOnlyRegionCannotBeWrittenByItsReceiver) {
  auto region = CreateRegion(4096, "two");
  (*region)->data()[0] = std::byte{7};
  Start("try-to-write");
  absl::StatusOr<OwnedDescriptor> fd = (*region)->Share(RegionAccess::kReadOnly);
  ASSERT_TRUE(
      channel_->Send(SideChannelFrame::Deliver(1, {}, 4096, false), fd->get(), kPatience).ok());
  EXPECT_EQ(ExitCode(child_), 0);
  EXPECT_EQ((*region)->data()[0], std::byte{7});
}

TEST_F(TwoProcesses, OneWakesTheOtherThroughAWord) {
  auto region = CreateRegion(4096, "two");
  auto& word = *reinterpret_cast<std::atomic<uint32_t>*>((*region)->data());
  const pid_t child = Spawn("wake", *(*region)->Share(RegionAccess::kReadWrite));
  WordWait last = WordWait::kLookAgain;
  while (word.load(std::memory_order_acquire) == 0 && last == WordWait::kLookAgain) {
    last = WaitOnWord(word, 0, kPatience);
  }
  EXPECT_EQ(word.load(), 1u);
  EXPECT_EQ(ExitCode(child), 0);
}

}  // namespace
}  // namespace anex::shm
