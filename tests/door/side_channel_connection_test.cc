// The protocol of one connection without a thread and without a clock: every step is a call.
#include "server/door/side_channel_connection.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <optional>

#include "gtest/gtest.h"
#include "proto/shm/shared_region.h"
#include "tests/door/fake_host.h"
#include "tests/system/descriptors.h"
#include "tests/system/processes.h"

namespace anex::door {
namespace {

using State = SideChannelConnection::State;

constexpr uint64_t kPage = 16384;  // of Apple's processors; others' are parts of it
constexpr SessionId kSession = SessionId::Make(3, 8);
constexpr SessionId kOther = SessionId::Make(4, 8);
constexpr Peer kPeer{.uid = 1000, .gid = 100, .pid = 4711, .start_time = 99};

class Connection : public ::testing::Test {
 protected:
  void SetUp() override { Make(); }
  void Make(size_t channel_capacity = 64) {
    shm::SideChannelPair pair = shm::MakeSideChannelPair(channel_capacity);
    client_ = std::move(pair.first);
    connection_.emplace(std::move(pair.second), kPeer, host_, options_, now_);
  }
  void Attach() {
    host_.Admit(TestToken(1), kSession);
    Send(SideChannelFrame::Hello(TestToken(1)));
    ASSERT_EQ(Answer()->kind, FrameKind::kWelcome);
    ASSERT_EQ(connection_->state(), State::kAttached);
  }
  void Send(const SideChannelFrame& frame, int fd = -1) {
    ASSERT_TRUE(*client_->TrySend(frame, fd));
    connection_->Receive(now_);
  }
  // What the client hears next; nothing if nothing waits. Its descriptor is in descriptor_.
  std::optional<SideChannelFrame> Answer() {
    auto got = client_->TryReceive();
    if (!got.ok() || !got->has_value()) return std::nullopt;
    descriptor_ = std::move((*got)->descriptor);
    return (*got)->frame;
  }
  void ExpectEnded(SessionEnd end) {
    const auto ended = host_.ended();
    ASSERT_EQ(ended.size(), 1u);
    EXPECT_EQ(ended[0].session, kSession);
    EXPECT_EQ(ended[0].end, end) << SessionEndName(ended[0].end);
  }
  // Memory of the client as it should be, and what it hands over of it.
  struct ClientMemory {
    explicit ClientMemory(uint64_t size)
        : region(*shm::CreateRegion(size, "client")),
          descriptor(*region->Share(shm::RegionAccess::kReadWrite)) {}
    int get() const { return descriptor.get(); }
    const std::shared_ptr<shm::SharedRegion> region;
    const shm::OwnedDescriptor descriptor;
  };

  SideChannelConnection::Options options_{.outbound_frames = 4,
                                          .max_offer_bytes = uint64_t{1} << 20};
  SideChannelConnection::Instant now_ = std::chrono::steady_clock::now();
  FakeHost host_;
  std::unique_ptr<shm::SideChannel> client_;
  std::optional<SideChannelConnection> connection_;
  shm::OwnedDescriptor descriptor_;
};

TEST_F(Connection, AttachesWithAGoodTokenAndTheKernelsPeer) {
  Attach();
  EXPECT_EQ(connection_->session(), kSession);
  EXPECT_EQ(host_.PeerOfSession(kSession), kPeer);
  EXPECT_EQ(connection_->deadline(), SideChannelConnection::Instant::max());
}

TEST_F(Connection, IsRefusedWithABadTokenAndWithOneThatWasUsed) {
  host_.Admit(TestToken(1), kSession);
  Send(SideChannelFrame::Hello(TestToken(2)));
  EXPECT_EQ(Answer(),
            SideChannelFrame::Bye(ByeReason::kRefused, absl::StatusCode::kUnauthenticated));
  EXPECT_EQ(connection_->state(), State::kGone);
  EXPECT_TRUE(host_.ended().empty());  // there was no session
  Make();
  Send(SideChannelFrame::Hello(TestToken(1)));
  EXPECT_EQ(Answer()->kind, FrameKind::kWelcome);
  SideChannelConnection first = [&] {  // a replay on a second connection
    shm::SideChannelPair pair = shm::MakeSideChannelPair();
    client_ = std::move(pair.first);
    return SideChannelConnection(std::move(pair.second), kPeer, host_, options_, now_);
  }();
  ASSERT_TRUE(*client_->TrySend(SideChannelFrame::Hello(TestToken(1))));
  first.Receive(now_);
  EXPECT_EQ(Answer()->reason, ByeReason::kRefused);
}

TEST_F(Connection, NothingButHelloIsHeardBeforeHello) {
  for (const SideChannelFrame& frame :
       {SideChannelFrame::Claim(1, TestToken(5)), SideChannelFrame::Wake(),
        SideChannelFrame::Welcome(), SideChannelFrame::Accepted(1, TestToken(5), kPage)}) {
    Make();
    Send(frame);
    EXPECT_EQ(Answer(), SideChannelFrame::Bye(ByeReason::kProtocolError));
    EXPECT_EQ(connection_->state(), State::kGone);
  }
  EXPECT_EQ(host_.wakes(), 0);
}

TEST_F(Connection, ASilentOneIsDroppedAtItsDeadlineAndNotBefore) {
  connection_->Tick(now_ + std::chrono::milliseconds(4999));
  EXPECT_EQ(connection_->state(), State::kSilent);
  connection_->Tick(now_ + std::chrono::milliseconds(5000));
  EXPECT_EQ(Answer(), SideChannelFrame::Bye(ByeReason::kTimeout));
  EXPECT_EQ(connection_->state(), State::kGone);
}

TEST_F(Connection, AnAttachedOneMayBeSilentForEver) {
  Attach();
  connection_->Tick(now_ + std::chrono::hours(24 * 365));
  EXPECT_EQ(connection_->state(), State::kAttached);
}

TEST_F(Connection, ASecondHelloEndsTheSession) {
  Attach();
  host_.Admit(TestToken(2), kOther);
  Send(SideChannelFrame::Hello(TestToken(2)));
  EXPECT_EQ(Answer(), SideChannelFrame::Bye(ByeReason::kProtocolError));
  ExpectEnded(SessionEnd::kProtocolError);
}

TEST_F(Connection, DeliversAPreparedRegionOnce) {
  Attach();
  auto region = *shm::CreateRegion(3 * kPage, "x");
  host_.Prepare(TestToken(7), kSession, {region, shm::RegionAccess::kReadWrite});
  Send(SideChannelFrame::Claim(41, TestToken(7)));
  EXPECT_EQ(Answer(), SideChannelFrame::Deliver(41, TestToken(7), 3 * kPage, true));
  auto mapped =
      shm::MapRegionUntrusted(std::move(descriptor_), 3 * kPage, shm::RegionAccess::kReadWrite);
  ASSERT_TRUE(mapped.ok()) << mapped.status();
  (*mapped)->data()[9000] = std::byte{9};
  EXPECT_EQ(region->data()[9000], std::byte{9});
  Send(SideChannelFrame::Claim(42, TestToken(7)));  // a replay
  EXPECT_EQ(Answer(),
            SideChannelFrame::DeliverError(42, TestToken(7), absl::StatusCode::kNotFound));
  EXPECT_EQ(connection_->state(), State::kAttached);
}

TEST_F(Connection, DeliversAReadOnlyRegionReadOnly) {
  Attach();
  host_.Prepare(TestToken(7), kSession,
                {*shm::CreateRegion(kPage, "x"), shm::RegionAccess::kReadOnly});
  Send(SideChannelFrame::Claim(1, TestToken(7)));
  EXPECT_EQ(Answer(), SideChannelFrame::Deliver(1, TestToken(7), kPage, false));
  EXPECT_FALSE(
      shm::MapRegionUntrusted(std::move(descriptor_), 1, shm::RegionAccess::kReadWrite).ok());
}

TEST_F(Connection, DeliversNothingThatWasPreparedForAnotherSession) {
  Attach();
  host_.Prepare(TestToken(7), kOther,
                {*shm::CreateRegion(kPage, "x"), shm::RegionAccess::kReadWrite});
  Send(SideChannelFrame::Claim(1, TestToken(7)));
  EXPECT_EQ(Answer()->status, absl::StatusCode::kNotFound);
  EXPECT_FALSE(descriptor_.valid());
}

TEST_F(Connection, ARegionThatCannotBeSharedIsAnErrorOfTheClaimOnly) {
  Attach();
  host_.Prepare(TestToken(7), kSession,
                {*shm::CreateHeapRegion(kPage), shm::RegionAccess::kReadWrite});
  Send(SideChannelFrame::Claim(1, TestToken(7)));
  EXPECT_EQ(Answer()->status, absl::StatusCode::kUnimplemented);
  EXPECT_EQ(connection_->state(), State::kAttached);
}

// As a port is, on a socket.
class PortRegion final : public shm::SharedRegion {
 public:
  std::byte* data() override { return nullptr; }
  const std::byte* data() const override { return nullptr; }
  uint64_t size() const override { return 4096; }
  shm::RegionAccess access() const override { return shm::RegionAccess::kReadWrite; }
  absl::StatusOr<shm::OwnedDescriptor> Share(shm::RegionAccess) const override {
    return shm::OwnedDescriptor::OfPort(static_cast<uint32_t>(::dup(0)));
  }
};

TEST_F(Connection, ARegionThatTheChannelCannotCarryIsAnErrorOfTheClaimOnly) {
  Attach();
  host_.Prepare(TestToken(7), kSession,
                {std::make_shared<PortRegion>(), shm::RegionAccess::kReadWrite});
  Send(SideChannelFrame::Claim(3, TestToken(7)));
  EXPECT_EQ(Answer(),
            SideChannelFrame::DeliverError(3, TestToken(7), absl::StatusCode::kUnimplemented));
  EXPECT_EQ(connection_->state(), State::kAttached);
}

TEST_F(Connection, AcceptsSealedMemoryOfTheClientWithItsTrueSize) {
  Attach();
  const ClientMemory memory(3 * kPage);
  Send(SideChannelFrame::Offer(5, 10000, true), memory.get());
  EXPECT_EQ(Answer(), SideChannelFrame::Accepted(5, TestToken(201), 3 * kPage));
  ASSERT_EQ(host_.offered().size(), 1u);
  EXPECT_EQ(host_.offered()[0].first, kSession);
  EXPECT_EQ(host_.offered()[0].second->access(), shm::RegionAccess::kReadWrite);
  memory.region->data()[3 * kPage - 1] = std::byte{'Q'};
  EXPECT_EQ(host_.offered()[0].second->data()[3 * kPage - 1], std::byte{'Q'});
}

TEST_F(Connection, RefusesMemoryThatLiesAndGoesOn) {
  Attach();
  const ClientMemory small(kPage), big(2 << 20);
  const shm::OwnedDescriptor loose(test::NewLooseFile(kPage)),
      program(::open(test::OwnProgram().c_str(), O_RDONLY | O_CLOEXEC));
  const struct {
    int fd;
    uint64_t bytes;
    absl::StatusCode code;
  } offers[] = {
      {small.get(), kPage + 1, absl::StatusCode::kOutOfRange},
      {small.get(), uint64_t{2} << 20, absl::StatusCode::kResourceExhausted},  // claims too much
      {big.get(), kPage, absl::StatusCode::kResourceExhausted},                // is too much
      {loose.get(), kPage, absl::StatusCode::kFailedPrecondition},
      {program.get(), 1, absl::StatusCode::kFailedPrecondition},
  };
  uint32_t request = 0;
  for (const auto& offer : offers) {
    Send(SideChannelFrame::Offer(++request, offer.bytes, false), offer.fd);
    EXPECT_EQ(Answer(), SideChannelFrame::Refused(request, offer.code)) << request;
  }
  EXPECT_TRUE(host_.offered().empty());
  EXPECT_EQ(connection_->state(), State::kAttached);
}

TEST_F(Connection, EndOfFileEndsTheSessionOnce) {
  Attach();
  client_.reset();
  connection_->Receive(now_);
  ExpectEnded(SessionEnd::kEndOfFile);
  connection_->ProcessExited();
  connection_->Receive(now_);
  connection_->Flush();
  connection_->Tick(now_ + std::chrono::hours(1));
  connection_.reset();
  ExpectEnded(SessionEnd::kEndOfFile);
}

TEST_F(Connection, AProcessThatHasGoneEndsTheSessionThoughTheSocketIsHeld) {
  Attach();
  connection_->ProcessExited();
  ExpectEnded(SessionEnd::kProcessExit);
  EXPECT_EQ(connection_->state(), State::kGone);
}

TEST_F(Connection, AGoodbyeOfTheClientEndsTheSession) {
  Attach();
  Send(SideChannelFrame::Bye(ByeReason::kClosed));
  ExpectEnded(SessionEnd::kClientBye);
}

TEST_F(Connection, AGoodbyeOfTheDaemonIsTheLastFrame) {
  Attach();
  connection_->Leave(ByeReason::kEvicted, SessionEnd::kNotified, now_);
  ExpectEnded(SessionEnd::kNotified);
  EXPECT_EQ(Answer(), SideChannelFrame::Bye(ByeReason::kEvicted));
  EXPECT_EQ(connection_->state(), State::kGone);
  connection_.reset();
  EXPECT_EQ(client_->TryReceive().status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(Connection, AGoodbyeThatNobodyReadsIsGivenUpAfterTheLinger) {
  Make(/*channel_capacity=*/1);
  Attach();
  connection_->Wake();  // fills the channel
  connection_->Leave(ByeReason::kDraining, SessionEnd::kShutdown, now_);
  ExpectEnded(SessionEnd::kShutdown);  // the session does not wait for it
  EXPECT_EQ(connection_->state(), State::kLeaving);
  connection_->Tick(now_ + std::chrono::milliseconds(999));
  EXPECT_EQ(connection_->state(), State::kLeaving);
  connection_->Tick(now_ + std::chrono::milliseconds(1000));
  EXPECT_EQ(connection_->state(), State::kGone);
}

TEST_F(Connection, AClientThatDoesNotReadIsDroppedWhenItsQueueIsFull) {
  Make(/*channel_capacity=*/1);
  Attach();
  connection_->Wake();  // fills the channel
  for (uint32_t i = 0; i < 4; ++i) {
    Send(SideChannelFrame::Claim(i, TestToken(9)));
    ASSERT_EQ(connection_->state(), State::kAttached) << i;
  }
  Send(SideChannelFrame::Claim(4, TestToken(9)));
  ExpectEnded(SessionEnd::kOverloaded);
}

TEST_F(Connection, WhatWaitsIsWrittenInOrderOnceThereIsRoom) {
  Make(/*channel_capacity=*/1);
  Attach();
  for (uint32_t i = 0; i < 4; ++i) Send(SideChannelFrame::Claim(i, TestToken(9)));
  for (uint32_t i = 0; i < 4; ++i) {
    EXPECT_EQ(connection_->wants_write(), i < 3);
    EXPECT_EQ(Answer()->request, i);
    connection_->Flush();
  }
  EXPECT_FALSE(Answer().has_value());
}

TEST_F(Connection, WakesThatWaitAreOne) {
  Make(/*channel_capacity=*/1);
  Attach();
  for (int i = 0; i < 100; ++i) connection_->Wake();  // a stopped client is not overloaded by these
  EXPECT_EQ(connection_->state(), State::kAttached);
  int wakes = 0;
  while (Answer() == SideChannelFrame::Wake()) {
    ++wakes;
    connection_->Flush();
  }
  EXPECT_EQ(wakes, 2);  // one in the channel, one that waited
}

TEST_F(Connection, AWakeOfTheClientReachesTheHost) {
  Attach();
  Send(SideChannelFrame::Wake());
  EXPECT_EQ(host_.wakes(), 1);
}

TEST_F(Connection, AFloodIsTakenInPieces) {
  Attach();
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(*client_->TrySend(SideChannelFrame::Wake()));
  connection_->Receive(now_);
  EXPECT_GT(host_.wakes(), 0);
  EXPECT_LT(host_.wakes(), 40);  // others get their turn
  for (int i = 0; i < 40; ++i) connection_->Receive(now_);
  EXPECT_EQ(host_.wakes(), 40);
}

}  // namespace
}  // namespace anex::door
