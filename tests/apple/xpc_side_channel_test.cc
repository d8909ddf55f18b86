// The side channel over XPC: the suite that every side channel passes, and what only XPC can do to
// one.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/shm/iosurface_region.h"
#include "proto/shm/side_channel_xpc.h"
#include "server/door/surface_service_xpc.h"
#include "tests/apple/raw_xpc.h"
#include "tests/apple/xpc_rig.h"
#include "tests/shm/side_channel_suite.h"

namespace anex::shm {
namespace {

using door::ComesBackTo;
using door::HeardService;
using door::Holdings;
using door::NewServiceName;
using ::testing::HasSubstr;

constexpr absl::Duration kPatience = absl::Seconds(20);

std::shared_ptr<SharedRegion> NewSurface(uint64_t bytes = 16384) {
  return *CreateIosurfaceRegion(bytes, "test");
}
// A port of the double is a descriptor of the memory.
bool SameMemory(const OwnedDescriptor& a, const OwnedDescriptor& b) {
  struct stat one, two;
  return ::fstat(a.get(), &one) == 0 && ::fstat(b.get(), &two) == 0 && one.st_ino == two.st_ino;
}

INSTANTIATE_TEST_SUITE_P(Kinds, SideChannelSuite,
                         ::testing::Values(ChannelKind{
                             .name = "Xpc",
                             .make = door::MakeXpcPair,
                             .make_port =
                                 [] { return *NewSurface()->Share(RegionAccess::kReadWrite); },
                             .same_memory = SameMemory}),
                         [](const auto& info) { return info.param.name; });

// A daemon's end of a channel, and a peer that lies at the other.
class LyingXpcPeer : public ::testing::Test {
 protected:
  void SetUp() override { Start(); }
  void Start() {
    channel_.reset();
    peer_.reset();
    const std::string name = NewServiceName();
    service_ = *door::StartXpcSurfaceService({.name = name, .allowed_uid = ::geteuid()}, heard_);
    peer_.emplace(RawXpc::Connect(name));
    channel_ = heard_.WaitForPeer();
    ASSERT_NE(channel_, nullptr);
  }
  absl::Status Received() { return channel_->Receive(kPatience).status(); }

  HeardService heard_;
  std::unique_ptr<door::SurfaceService> service_;
  std::optional<RawXpc> peer_;
  std::unique_ptr<SideChannel> channel_;
  const std::string wake_ = *RawMessage::Of(SideChannelFrame::Wake()).frame;
  const std::string offer_ = *RawMessage::Of(SideChannelFrame::Offer(1, 4096, true)).frame;
};

TEST_F(LyingXpcPeer, WhatIsNoFrameIsRefusedWithTheReasonAndLeavesNothing) {
  const std::shared_ptr<SharedRegion> surface = NewSurface();
  std::string bad_magic = wake_;
  bad_magic[0] = 'x';
  const struct {
    RawMessage message;
    const char* reason;
  } lies[] = {
      {{}, "no frame of 64 bytes"},
      {{.frame = ""}, "no frame of 64 bytes"},
      {{.frame = wake_.substr(1)}, "no frame of 64 bytes"},
      {{.frame = wake_ + "x"}, "no frame of 64 bytes"},
      {{.frame = std::string(1 << 20, 'x')}, "no frame of 64 bytes"},
      {{.frame_text = wake_}, "no frame of 64 bytes"},
      {{.frame = wake_, .extra_key = "more"}, "more than a frame"},
      {{.frame = offer_, .descriptor = 0, .extra_key = "more"}, "more than a frame"},
      {{.frame = offer_, .descriptor = 0, .surface = surface.get()}, "two descriptors"},
      {{.frame = offer_, .number_as_descriptor = true}, "where its file descriptor should be"},
      {{.frame = offer_, .text_as_surface = true}, "where its surface should be"},
      {{.frame = offer_, .descriptor = 0, .descriptor_as_surface = true},
       "where its surface should be"},
      {{.frame = offer_}, "descriptor is missing"},
      {{.frame = wake_, .descriptor = 0}, "does not name"},
      {{.frame = wake_, .surface = surface.get()}, "does not name"},
      {{.frame = bad_magic}, "not a frame"},
  };
  peer_->Send({.frame = offer_, .surface = surface.get()});  // whatever is made once, is made
  ASSERT_TRUE(Received().ok());
  Start();
  const Holdings before = Holdings::AtRest();
  for (const auto& lie : lies) {
    peer_->Send(lie.message);
    peer_->Send(SideChannelFrame::Wake());
    const absl::Status refused = Received();
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << lie.reason;
    EXPECT_THAT(std::string(refused.message()), HasSubstr(lie.reason));
    EXPECT_EQ(Received(), refused) << "nothing is received after it";
    // The other direction still works: a goodbye says why.
    EXPECT_TRUE(*channel_->TrySend(SideChannelFrame::Bye(ByeReason::kProtocolError)));
    EXPECT_EQ(peer_->Receive()->reason, ByeReason::kProtocolError);
    Start();
  }
  EXPECT_TRUE(ComesBackTo(before));
}

TEST_F(LyingXpcPeer, AFloodStaysWithWhoSendsIt) {
  const size_t before = xpc_double::Delivered();
  for (int i = 0; i < 5000; ++i) peer_->Send(SideChannelFrame::Wake());
  ::usleep(50'000);
  EXPECT_LE(xpc_double::Delivered() - before, kMostXpcReceived);
  for (int i = 0; i < 5000; ++i) ASSERT_TRUE(Received().ok()) << i;
}

TEST_F(LyingXpcPeer, APeerThatDoesNotReadFillsItsChannelAndNothingElse) {
  peer_->StopReading();
  size_t sent = 0;
  while (channel_->Send(SideChannelFrame::Wake(), {}, absl::Milliseconds(20)).ok()) {
    ASSERT_LT(++sent, 1000u);
  }
  EXPECT_GE(sent, kMostXpcUnsent);
  EXPECT_FALSE(*channel_->TrySend(SideChannelFrame::Wake())) << "and it lives";
}

TEST_F(LyingXpcPeer, WhatAPeerDoesNotReadIsGivenUpAfterAMoment) {
  peer_->StopReading();
  const std::shared_ptr<SharedRegion> surface = NewSurface();
  const Holdings before = Holdings::AtRest();
  const OwnedDescriptor port = *surface->Share(RegionAccess::kReadWrite);
  while (*channel_->TrySend(SideChannelFrame::Deliver(1, {}, 16384, true), port)) {
  }
  const auto start = std::chrono::steady_clock::now();
  channel_.reset();
  const auto closed = std::chrono::steady_clock::now() - start;
  EXPECT_LT(closed, std::chrono::milliseconds(500)) << "closing does not wait";
  // All that is left is in the port of a peer that is alive: the kernel's, not this process's.
  const auto end = start + std::chrono::seconds(20);
  while (Holdings::Now().descriptors > before.descriptors + 5 &&
         std::chrono::steady_clock::now() < end) {
    ::usleep(5000);
  }
  EXPECT_LE(Holdings::Now().descriptors, before.descriptors + 5);
  peer_.reset();
}

TEST_F(LyingXpcPeer, ADescriptorThatDoesNotFitIsLostButTheChannelIsNot) {
  xpc_double::FailNextDescriptor();
  peer_->Send({.frame = offer_, .descriptor = 0});  // the double looks for room when it arrives
  absl::StatusOr<ReceivedFrame> got = channel_->Receive(kPatience);
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_TRUE(got->descriptor_lost);
  EXPECT_FALSE(got->descriptor.valid());
  peer_->Send({.frame = offer_, .descriptor = 0});
  EXPECT_TRUE(channel_->Receive(kPatience)->descriptor.valid());
}

TEST_F(LyingXpcPeer, WhatCannotBeSentForWantOfDescriptorsIsNotTaken) {
  const auto deliver = SideChannelFrame::Bell(1, {});
  EXPECT_EQ(channel_->TrySend(deliver, 9999).status().code(),
            absl::StatusCode::kResourceExhausted);  // it cannot be duplicated
  EXPECT_TRUE(*channel_->TrySend(deliver, 0));
  EXPECT_EQ(peer_->Receive()->kind, FrameKind::kBell);
}

TEST_F(LyingXpcPeer, AKilledPeersLastWordsArriveAndThenTheEnd) {
  peer_->Send(SideChannelFrame::Claim(1, {}));
  ASSERT_TRUE(Received().ok());
  peer_->Send(SideChannelFrame::Claim(2, {}));
  xpc_double::KillClients();
  absl::StatusOr<ReceivedFrame> last = channel_->Receive(kPatience);
  if (last.ok()) {  // it was out of the process
    EXPECT_EQ(last->frame.request, 2u);
    last = channel_->Receive(kPatience);
  }
  EXPECT_EQ(last.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(channel_->TrySend(SideChannelFrame::Wake()).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(LyingXpcPeer, WhenTheSystemEndsTheProcessNothingMoreIsReceived) {
  xpc_double::AnnounceTermination();
  EXPECT_EQ(Received().code(), absl::StatusCode::kUnavailable);
}

TEST(XpcClient, SaysWhatIsWrongWithTheName) {
  for (const std::string& name : {std::string(), std::string(128, 'n'), std::string("a\0b", 3)}) {
    EXPECT_EQ(ConnectXpcSideChannel(name).status().code(), absl::StatusCode::kInvalidArgument);
  }
  auto nobody = ConnectXpcSideChannel("test.in.no.property.list");
  ASSERT_TRUE(nobody.ok());
  const absl::Status gone = (*nobody)->Receive(kPatience).status();
  EXPECT_EQ(gone.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(gone.message()), HasSubstr("nobody serves its name"));
}

TEST(XpcClient, IsConnectedByItsEndpoint) {
  const std::string name = NewServiceName();
  RawXpc daemon = RawXpc::Serve(name);
  auto client = ConnectEndpoint("xpc:" + name, kPatience);
  ASSERT_TRUE(client.ok()) << client.status();
  ASSERT_TRUE((*client)->Send(SideChannelFrame::Hello({}), {}, kPatience).ok());
  EXPECT_EQ(daemon.Receive()->kind, FrameKind::kHello);
  EXPECT_EQ(ConnectEndpoint("/nowhere/at/all.sock", kPatience).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(XpcClient, WaitsForADaemonThatIsBeingStarted) {
  const std::string name = NewServiceName();
  auto client = *ConnectXpcSideChannel(name);
  ASSERT_TRUE(client->Send(SideChannelFrame::Hello({}), {}, kPatience).ok());
  EXPECT_EQ(client->Receive(absl::Milliseconds(20)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  RawXpc daemon = RawXpc::Serve(name);
  EXPECT_EQ(daemon.Receive()->kind, FrameKind::kHello);
  daemon.Send(SideChannelFrame::Welcome());
  EXPECT_EQ(client->Receive(kPatience)->frame.kind, FrameKind::kWelcome);
}

// With the next message on an interrupted connection the system would start another daemon, which
// knows nothing of this session.
TEST(XpcClient, ADaemonThatCrashedIsTheEndAndIsNotStartedAgain) {
  const std::string name = NewServiceName();
  const size_t before = xpc_double::Reconnects();
  RawXpc daemon = RawXpc::Serve(name);
  auto client = *ConnectXpcSideChannel(name);
  daemon.Send(SideChannelFrame::Welcome());
  ASSERT_TRUE(client->Receive(kPatience).ok());
  xpc_double::CrashService(name);
  EXPECT_EQ(client->Receive(kPatience).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(client->TrySend(SideChannelFrame::Wake()).status().code(),
            absl::StatusCode::kUnavailable);
  client.reset();
  EXPECT_EQ(xpc_double::Reconnects(), before);
}

TEST(XpcClient, TakesNothingFromAServiceOfAnotherUser) {
  const std::string name = NewServiceName();
  xpc_double::Identity other = xpc_double::ThisProcess();
  other.uid += 1;
  xpc_double::ListenAs(other);
  RawXpc daemon = RawXpc::Serve(name);
  xpc_double::ListenAs(xpc_double::ThisProcess());
  auto client = *ConnectXpcSideChannel(name);
  daemon.Send(SideChannelFrame::Welcome());
  const absl::Status refused = client->Receive(kPatience).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr(std::to_string(other.uid)));
  EXPECT_TRUE(daemon.WaitForEnd());
}

}  // namespace
}  // namespace anex::shm
