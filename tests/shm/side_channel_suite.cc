// What every side channel must do, written once against the interface and run on all of them.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "proto/shm/shared_region.h"
#include "proto/shm/side_channel.h"

namespace anex::shm {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);
constexpr absl::Duration kShort = absl::Milliseconds(20);

struct ChannelKind {
  std::string name;
  std::function<SideChannelPair()> make;
};
void PrintTo(const ChannelKind& it, std::ostream* out) { *out << it.name; }

SideChannelPair MakeUnixPair() {
  int ends[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  return {*AdoptSideChannel(OwnedDescriptor(ends[0])), *AdoptSideChannel(OwnedDescriptor(ends[1]))};
}

class SideChannelSuite : public ::testing::TestWithParam<ChannelKind> {
 protected:
  SideChannelPair pair_ = GetParam().make();
  SideChannel& left_ = *pair_.first;
  SideChannel& right_ = *pair_.second;
};

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
  for (absl::StatusOr<bool> taken = true; *taken && sent < 100'000; sent += *taken) {
    taken = left_.TrySend(Numbered(sent));
    ASSERT_TRUE(taken.ok()) << taken.status();
  }
  ASSERT_GT(sent, 10u);
  ASSERT_LT(sent, 100'000u) << "no bound";
  EXPECT_EQ(left_.Send(Numbered(sent), -1, kShort).code(), absl::StatusCode::kDeadlineExceeded);
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

TEST_P(SideChannelSuite, SendingToNobodyIsAnErrorAndNoSignal) {
  pair_.second.reset();
  EXPECT_EQ(left_.Send(SideChannelFrame::Wake(), -1, kPatience).code(),
            absl::StatusCode::kUnavailable);
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

INSTANTIATE_TEST_SUITE_P(Kinds, SideChannelSuite,
                         ::testing::Values(ChannelKind{"Unix", MakeUnixPair},
                                           ChannelKind{"Pair",
                                                       [] { return MakeSideChannelPair(); }}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace anex::shm
