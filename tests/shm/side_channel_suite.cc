// See side_channel_suite.h.
#include "tests/shm/side_channel_suite.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "proto/shm/shared_region.h"

namespace anex::shm {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);
constexpr absl::Duration kShort = absl::Milliseconds(20);

SideChannelFrame Numbered(uint32_t number) {
  SideChannelToken token{};
  token[31] = static_cast<uint8_t>(number);
  return SideChannelFrame::Claim(number, token);
}

ino_t InodeOf(int fd) {
  struct stat st;
  return ::fstat(fd, &st) == 0 ? st.st_ino : 0;
}

TEST_P(SideChannelSuite, FramesArriveInOrderBothWays) {
  for (uint32_t i = 1; i <= 20; ++i) {
    ASSERT_TRUE(left_.Send(Numbered(i), -1, kPatience).ok());
    ASSERT_TRUE(right_.Send(Numbered(100 + i), -1, kPatience).ok());
  }
  for (uint32_t i = 1; i <= 20; ++i) {
    EXPECT_EQ(right_.Receive(kPatience)->frame, Numbered(i));
    EXPECT_EQ(left_.Receive(kPatience)->frame, Numbered(100 + i));
  }
}

TEST_P(SideChannelSuite, ADescriptorRidesOnItsOwnFrame) {
  auto region = CreateRegion(4096, "ride");
  absl::StatusOr<OwnedDescriptor> fd = (*region)->Share(RegionAccess::kReadWrite);
  ASSERT_TRUE(fd.ok());
  ASSERT_TRUE(left_.Send(Numbered(1), -1, kPatience).ok());
  ASSERT_TRUE(left_.Send(SideChannelFrame::Offer(2, 4096, true), fd->get(), kPatience).ok());
  ASSERT_TRUE(left_.Send(Numbered(3), -1, kPatience).ok());
  EXPECT_FALSE(right_.Receive(kPatience)->descriptor.valid());
  absl::StatusOr<ReceivedFrame> second = right_.Receive(kPatience);
  ASSERT_TRUE(second.ok());
  ASSERT_TRUE(second->descriptor.valid());
  EXPECT_FALSE(second->descriptor_lost);
  EXPECT_NE(second->descriptor.get(), fd->get());
  EXPECT_EQ(InodeOf(second->descriptor.get()), InodeOf(fd->get()));
  EXPECT_EQ(::fcntl(second->descriptor.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  EXPECT_FALSE(right_.Receive(kPatience)->descriptor.valid());
}

TEST_P(SideChannelSuite, AFrameThatContradictsItsDescriptorIsNotSent) {
  EXPECT_EQ(left_.TrySend(SideChannelFrame::Offer(1, 4096, true)).status().code(),
            absl::StatusCode::kInternal);
  EXPECT_EQ(left_.TrySend(SideChannelFrame::Wake(), 0).status().code(),
            absl::StatusCode::kInternal);
  EXPECT_FALSE((*right_.TryReceive()).has_value());
}

TEST_P(SideChannelSuite, ReceivingNothingEndsAtTheDeadlineAndLosesNothing) {
  EXPECT_EQ(right_.Receive(kShort).status().code(), absl::StatusCode::kDeadlineExceeded);
  ASSERT_TRUE(left_.Send(Numbered(5), -1, kPatience).ok());
  EXPECT_EQ(right_.Receive(kPatience)->frame.request, 5u);
}

TEST_P(SideChannelSuite, AReceiverThatSleepsIsWokenByAFrame) {
  std::thread sender([this] { ASSERT_TRUE(left_.Send(Numbered(9), -1, kPatience).ok()); });
  EXPECT_EQ(right_.Receive(kPatience)->frame.request, 9u);
  sender.join();
}

TEST_P(SideChannelSuite, AFullChannelTakesNothingMoreAndThenGoesOn) {
  uint32_t sent = 0;
  absl::Status taken;
  for (; taken.ok() && sent < 100'000; sent += taken.ok()) {
    taken = left_.Send(Numbered(sent), {}, kShort);
  }
  ASSERT_GT(sent, 10u);
  ASSERT_LT(sent, 100'000u) << "no bound";
  EXPECT_EQ(taken.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_FALSE(*left_.TrySend(Numbered(sent)));
  std::thread sender([&] { ASSERT_TRUE(left_.Send(Numbered(sent), -1, kPatience).ok()); });
  for (uint32_t i = 0; i <= sent; ++i) {
    absl::StatusOr<ReceivedFrame> got = right_.Receive(kPatience);
    ASSERT_TRUE(got.ok()) << got.status();
    ASSERT_EQ(got->frame.request, i);
  }
  sender.join();
}

TEST_P(SideChannelSuite, WhatWasSentBeforeTheEndStillArrives) {
  ASSERT_TRUE(left_.Send(Numbered(1), -1, kPatience).ok());
  pair_.first.reset();
  EXPECT_EQ(right_.Receive(kPatience)->frame.request, 1u);
  EXPECT_EQ(right_.Receive(kPatience).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(right_.Receive(kPatience).status().code(), absl::StatusCode::kUnavailable);  // sticky
}

// A socket knows at once, XPC after a moment.
TEST_P(SideChannelSuite, SendingToNobodyIsAnErrorInTheEndAndNoSignal) {
  pair_.second.reset();
  absl::Status sent;
  for (int i = 0; i < 100'000 && sent.ok(); ++i) {
    sent = left_.Send(SideChannelFrame::Wake(), {}, kPatience);
  }
  EXPECT_EQ(sent.code(), absl::StatusCode::kUnavailable);
}

TEST_P(SideChannelSuite, ShutdownEndsTheWaitsOfBothSides) {
  std::thread other([this] {
    EXPECT_EQ(right_.Receive(kPatience).status().code(), absl::StatusCode::kUnavailable);
  });
  std::thread same([this] {
    EXPECT_EQ(left_.Receive(kPatience).status().code(), absl::StatusCode::kUnavailable);
  });
  left_.Shutdown();
  other.join();
  same.join();
}

TEST_P(SideChannelSuite, DescriptorsThatNobodyReceivedAreClosed) {
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  OwnedDescriptor read_end(pipe_ends[0]), write_end(pipe_ends[1]);
  ASSERT_TRUE(left_.Send(SideChannelFrame::Offer(1, 1, true), write_end.get(), kPatience).ok());
  write_end.Reset();
  pair_.first.reset();
  pair_.second.reset();
  char byte;
  EXPECT_EQ(::read(read_end.get(), &byte, 1), 0);  // end of file: the last writer has gone
}

TEST_P(SideChannelSuite, APortRidesOnItsFrameOrIsRefusedAndNothingElseIsLost) {
  if (!GetParam().make_port) {
    const OwnedDescriptor port = OwnedDescriptor::OfPort(static_cast<uint32_t>(::dup(0)));
    const absl::StatusOr<bool> sent = left_.TrySend(SideChannelFrame::Offer(1, 4096, true), port);
    if (sent.ok()) {  // a socket, where ports are descriptors
      EXPECT_EQ(InodeOf(right_.Receive(kPatience)->descriptor.get()), InodeOf(port.get()));
    } else {
      EXPECT_EQ(sent.status().code(), absl::StatusCode::kUnimplemented);
    }
    ASSERT_TRUE(left_.Send(Numbered(2), {}, kPatience).ok());
    EXPECT_EQ(right_.Receive(kPatience)->frame.request, 2u);
    return;
  }
  const OwnedDescriptor port = GetParam().make_port(), other = GetParam().make_port();
  ASSERT_TRUE(left_.Send(SideChannelFrame::Offer(1, 4096, true), port, kPatience).ok());
  ASSERT_TRUE(left_.Send(Numbered(2), {}, kPatience).ok());
  absl::StatusOr<ReceivedFrame> got = right_.Receive(kPatience);
  ASSERT_TRUE(got.ok()) << got.status();
  ASSERT_TRUE(got->descriptor.is_port() && got->descriptor.valid());
  EXPECT_TRUE(GetParam().same_memory(got->descriptor, port));
  EXPECT_FALSE(GetParam().same_memory(got->descriptor, other));
  EXPECT_FALSE(right_.Receive(kPatience)->descriptor.valid());
}

bool PollReadable(SideChannel& channel, bool receiving, bool sending, absl::Duration timeout) {
  pollfd entry{channel.poll_descriptor(), channel.PollFor(receiving, sending), 0};
  return ::poll(&entry, 1, static_cast<int>(absl::ToInt64Milliseconds(timeout))) == 1;
}

TEST_P(SideChannelSuite, PollTellsOfFramesOfTheEndAndOfNothingElse) {
  if (!GetParam().cannot_poll.empty()) GTEST_SKIP() << GetParam().cannot_poll;
  EXPECT_FALSE(PollReadable(right_, true, false, kShort));
  ASSERT_TRUE(left_.Send(Numbered(1), {}, kPatience).ok());
  EXPECT_TRUE(PollReadable(right_, true, false, kPatience));
  EXPECT_FALSE(
      PollReadable(right_, false, false, kShort));  // who does not want to know is not told
  ASSERT_TRUE((*right_.TryReceive()).has_value());
  EXPECT_FALSE(PollReadable(right_, true, false, kShort));
  left_.Shutdown();
  EXPECT_TRUE(PollReadable(right_, true, false, kPatience));
  EXPECT_EQ(right_.TryReceive().status().code(), absl::StatusCode::kUnavailable);
}

TEST_P(SideChannelSuite, PollTellsOfRoomToSend) {
  if (!GetParam().cannot_poll.empty()) GTEST_SKIP() << GetParam().cannot_poll;
  EXPECT_TRUE(PollReadable(right_, true, true, kPatience));
  uint32_t sent = 0;
  for (absl::StatusOr<bool> taken = true; *taken && sent < 100'000; sent += *taken) {
    taken = right_.TrySend(Numbered(sent));
    ASSERT_TRUE(taken.ok()) << taken.status();
  }
  std::thread reader([&] {
    ::usleep(20'000);
    for (uint32_t i = 0; i < sent; ++i) ASSERT_TRUE(left_.Receive(kPatience).ok());
  });
  EXPECT_TRUE(PollReadable(right_, true, true, kPatience));
  EXPECT_TRUE(right_.Send(Numbered(sent), {}, kPatience).ok());
  reader.join();
}

}  // namespace
}  // namespace anex::shm
