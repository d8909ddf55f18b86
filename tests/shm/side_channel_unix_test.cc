// The side channels that every system has, by the suite; and a lying peer at the other end of a
// socket.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/shm/side_channel.h"
#include "tests/shm/side_channel_suite.h"
#include "tests/system/descriptors.h"
#include "tests/system/processes.h"

namespace anex::shm {
namespace {

using ::testing::HasSubstr;

int OpenDescriptors() { return test::OpenDescriptors(::getpid()); }

SideChannelPair MakeUnixPair() {
  int ends[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  return {*AdoptSideChannel(OwnedDescriptor(ends[0])), *AdoptSideChannel(OwnedDescriptor(ends[1]))};
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, SideChannelSuite,
    ::testing::Values(ChannelKind{.name = "Unix", .make = MakeUnixPair},
                      ChannelKind{.name = "Pair",
                                  .make = [] { return MakeSideChannelPair(); },
                                  .cannot_poll = "an end within one process has no descriptor"}),
    [](const auto& info) { return info.param.name; });

class LyingPeer : public ::testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(test::NewSocketPair(ends), 0);
    peer_ = OwnedDescriptor(ends[0]);
    channel_ = *AdoptSideChannel(OwnedDescriptor(ends[1]));
  }

  // Sends `size` bytes of `bytes` from `at` on, with `descriptors` copies of one descriptor.
  void SendRaw(const SideChannelBytes& bytes, size_t at, size_t size, size_t descriptors) {
    SideChannelBytes copy = bytes;
    iovec part{copy.data() + at, size};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    std::vector<char> control(CMSG_SPACE(sizeof(int) * descriptors));
    if (descriptors > 0) {
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(sizeof(int) * descriptors);
      const std::vector<int> fds(descriptors, STDERR_FILENO);
      std::memcpy(CMSG_DATA(header), fds.data(), sizeof(int) * descriptors);
    }
    ASSERT_EQ(::sendmsg(peer_.get(), &message, 0), static_cast<ssize_t>(size));
  }
  void SendRaw(const SideChannelBytes& bytes, size_t descriptors) {
    SendRaw(bytes, 0, bytes.size(), descriptors);
  }
  absl::StatusCode ReceiveCode() { return channel_->Receive(absl::Seconds(20)).status().code(); }

  OwnedDescriptor peer_;
  std::unique_ptr<SideChannel> channel_;
  const SideChannelBytes offer_ = Encode(SideChannelFrame::Offer(1, 4096, true));
  const SideChannelBytes wake_ = Encode(SideChannelFrame::Wake());
};

TEST_F(LyingPeer, AnyNumberOfDescriptorsButTheRightOneIsRefusedAndAllAreClosed) {
  const size_t before = OpenDescriptors();
  for (const size_t descriptors : {size_t{0}, size_t{2}, size_t{253}}) {
    SendRaw(offer_, descriptors);
    EXPECT_EQ(ReceiveCode(), absl::StatusCode::kInvalidArgument) << descriptors;
    EXPECT_EQ(OpenDescriptors(), before) << descriptors;
    SetUp();
  }
}

TEST_F(LyingPeer, ADescriptorOnAFrameThatNamesNoneIsRefusedAndClosed) {
  const size_t before = OpenDescriptors();
  SendRaw(wake_, 1);
  EXPECT_EQ(ReceiveCode(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST_F(LyingPeer, ADescriptorInTheMiddleOfAFrameBelongsToThatFrame) {
  SendRaw(offer_, 0, 30, 0);
  SendRaw(offer_, 30, 34, 1);
  absl::StatusOr<ReceivedFrame> got = channel_->Receive(absl::Seconds(20));
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_TRUE(got->descriptor.valid());
  SendRaw(offer_, 0, 30, 1);
  SendRaw(offer_, 30, 34, 1);
  EXPECT_EQ(ReceiveCode(), absl::StatusCode::kInvalidArgument);  // two on one frame
}

TEST_F(LyingPeer, EveryTruncationOfAFrameIsDataLoss) {
  for (size_t size = 1; size < kSideChannelFrameBytes; ++size) {
    SendRaw(offer_, 0, size, 1);
    EXPECT_EQ(channel_->Receive(absl::ZeroDuration()).status().code(),
              absl::StatusCode::kDeadlineExceeded);
    peer_.Reset();
    EXPECT_EQ(ReceiveCode(), absl::StatusCode::kDataLoss) << size;
    SetUp();
  }
}

TEST_F(LyingPeer, AFrameMayArriveByteByByte) {
  for (size_t at = 0; at < wake_.size(); ++at) {
    EXPECT_FALSE((*channel_->TryReceive()).has_value());
    SendRaw(wake_, at, 1, 0);
  }
  EXPECT_EQ(channel_->Receive(absl::Seconds(20))->frame, SideChannelFrame::Wake());
}

TEST_F(LyingPeer, NothingIsReceivedAfterABadFrame) {
  SideChannelBytes bad = wake_;
  bad[0] = std::byte{0};
  SendRaw(bad, 0);
  SendRaw(wake_, 0);
  EXPECT_EQ(ReceiveCode(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReceiveCode(), absl::StatusCode::kInvalidArgument);
}

// The peer did nothing wrong when it is this process that is out of descriptors.
TEST_F(LyingPeer, ADescriptorThatDoesNotFitIsLostButTheChannelIsNot) {
  SendRaw(offer_, 1);
  rlimit limit;
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const OwnedDescriptor next(::dup(0));
  const rlimit tight{static_cast<rlim_t>(next.get()) + 1, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  absl::StatusOr<std::optional<ReceivedFrame>> got = channel_->TryReceive();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  ASSERT_TRUE(got.ok()) << got.status();
  ASSERT_TRUE(got->has_value());
  EXPECT_TRUE((*got)->descriptor_lost);
  EXPECT_FALSE((*got)->descriptor.valid());
  SendRaw(offer_, 1);
  EXPECT_TRUE(channel_->Receive(absl::Seconds(20))->descriptor.valid());
}

TEST(ConnectEndpoint, SaysThatXpcIsElsewhere) {
  const absl::Status no =
      ConnectEndpoint("xpc:com.anexd.agent.surfaces", absl::Seconds(1)).status();
  EXPECT_EQ(no.code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(ConnectEndpoint("/nowhere/at/all.sock", absl::Seconds(1)).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(ConnectSideChannel, SaysWhatIsWrongWithThePath) {
  const absl::Status too_long =
      ConnectSideChannel(std::string(300, 'p'), absl::Seconds(1)).status();
  EXPECT_EQ(too_long.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(too_long.message()), HasSubstr("300"));
  EXPECT_EQ(ConnectSideChannel("", absl::Seconds(1)).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ConnectSideChannel("/nowhere/at/all.sock", absl::Seconds(1)).status().code(),
            absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace anex::shm
