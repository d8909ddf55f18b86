// The whole way of a surface over XPC: service, side-channel door, a client's end; and what a
// client can do to it.
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "absl/strings/escaping.h"
#include "client/transport/side_channel_client.h"
#include "gtest/gtest.h"
#include "proto/shm/iosurface_region.h"
#include "proto/shm/side_channel_xpc.h"
#include "server/door/side_channel_door.h"
#include "server/door/surface_service_xpc.h"
#include "tests/apple/raw_xpc.h"
#include "tests/apple/xpc_rig.h"
#include "tests/door/fake_host.h"

namespace anex::door {
namespace {

using shm::RawMessage;
using shm::RawXpc;
using shm::RegionAccess;

constexpr absl::Duration kPatience = absl::Seconds(20);
constexpr SessionId kSession = SessionId::Make(5, 3);

std::string Hex(const SideChannelToken& token) {
  return absl::BytesToHexString(SideChannelTokenToBytes(token));
}
std::shared_ptr<shm::SharedRegion> NewSurface(uint64_t bytes) {
  return *shm::CreateIosurfaceRegion(bytes, "test");
}
uint32_t IdOf(const shm::SharedRegion& region) {
  return static_cast<const shm::IosurfaceRegion&>(region).id();
}

class XpcHandover : public ::testing::Test, public SurfaceServiceEvents {
 protected:
  void SetUp() override { Start({}); }
  void TearDown() override {
    client_.reset();
    service_.reset();
    door_.reset();
  }
  void Start(const SideChannelDoor::Options& options) {
    service_.reset();
    door_ = *SideChannelDoor::Start(options, host_, *exits_);
    name_ = NewServiceName();
    service_ = *StartXpcSurfaceService({.name = name_, .allowed_uid = ::geteuid()}, *this);
  }
  void OnPeer(std::unique_ptr<shm::SideChannel> channel, const Peer& peer) override {
    adopted_ = door_->Adopt(std::move(channel), peer).code();
  }
  void Attach(uint8_t token = 1) {
    host_.Admit(TestToken(token), kSession);
    auto client = SideChannelClient::Connect("xpc:" + name_, Hex(TestToken(token)), kPatience);
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }
  // A peer that has said hello and been let in.
  RawXpc AttachRaw(uint8_t token) {
    host_.Admit(TestToken(token), kSession);
    RawXpc peer = RawXpc::Connect(name_);
    peer.Send(SideChannelFrame::Hello(TestToken(token)));
    EXPECT_EQ(peer.Receive()->kind, FrameKind::kWelcome);
    return peer;
  }
  void ExpectEnded(SessionEnd end) {
    const auto ended = host_.WaitForEnded(1);
    ASSERT_EQ(ended.size(), 1u);
    EXPECT_EQ(ended[0].session, kSession);
    EXPECT_EQ(ended[0].end, end) << SessionEndName(ended[0].end);
  }
  bool WaitForConnections(size_t count) {
    for (int i = 0; i < 20'000 && door_->connections() != count; ++i) ::usleep(1000);
    return door_->connections() == count;
  }

  std::string name_;
  FakeHost host_;
  std::unique_ptr<PeerExit> exits_ = *PeerExit::Start();
  std::unique_ptr<SideChannelDoor> door_;
  std::unique_ptr<SurfaceService> service_;
  std::unique_ptr<SideChannelClient> client_;
  std::atomic<absl::StatusCode> adopted_{absl::StatusCode::kOk};
};

TEST_F(XpcHandover, ASurfaceOfTheDaemonIsTheClientsToo) {
  Attach();
  const auto surface = NewSurface(40'000);
  host_.Prepare(TestToken(7), kSession, {surface, RegionAccess::kReadWrite});
  auto mine = client_->Claim(Hex(TestToken(7)), 40'000, RegionAccess::kReadWrite, kPatience);
  ASSERT_TRUE(mine.ok()) << mine.status();
  EXPECT_NE(IdOf(**mine), IdOf(*surface)) << "the double gives the same memory two numbers";
  EXPECT_EQ((*mine)->size(), surface->size());
  (*mine)->data()[39'999] = std::byte{7};
  surface->data()[17] = std::byte{9};
  EXPECT_EQ(surface->data()[39'999], std::byte{7});
  EXPECT_EQ((*mine)->data()[17], std::byte{9});
}

TEST_F(XpcHandover, ATokenIsGoodOnce) {
  Attach();
  host_.Prepare(TestToken(7), kSession, {NewSurface(1), RegionAccess::kReadWrite});
  ASSERT_TRUE(client_->Claim(Hex(TestToken(7)), 1, RegionAccess::kReadWrite, kPatience).ok());
  EXPECT_EQ(
      client_->Claim(Hex(TestToken(7)), 1, RegionAccess::kReadWrite, kPatience).status().code(),
      absl::StatusCode::kNotFound);
  // And the session's own: a second connection that shows it is no session.
  const auto again = SideChannelClient::Connect("xpc:" + name_, Hex(TestToken(1)), kPatience);
  EXPECT_EQ(again.status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_TRUE(client_->gone().ok());
}

TEST_F(XpcHandover, ASurfaceThatIsSmallerThanNeededIsNotMapped) {
  Attach();
  host_.Prepare(TestToken(7), kSession, {NewSurface(16384), RegionAccess::kReadWrite});
  EXPECT_EQ(
      client_->Claim(Hex(TestToken(7)), 16385, RegionAccess::kReadWrite, kPatience).status().code(),
      absl::StatusCode::kOutOfRange);
}

TEST_F(XpcHandover, ASurfaceIsNotHandedOverForReadingOnly) {
  Attach();
  host_.Prepare(TestToken(7), kSession, {NewSurface(1), RegionAccess::kReadOnly});
  EXPECT_EQ(
      client_->Claim(Hex(TestToken(7)), 1, RegionAccess::kReadOnly, kPatience).status().code(),
      absl::StatusCode::kUnimplemented);
  EXPECT_TRUE(client_->gone().ok());
}

TEST_F(XpcHandover, ADoorbellGoesOverItToo) {
  Attach();
  auto bell = std::make_shared<const shm::Doorbell>(*shm::Doorbell::Create());
  host_.Prepare(TestToken(7), kSession, {.bell = bell});
  const auto ringer = client_->ClaimBell(Hex(TestToken(7)), kPatience);
  ASSERT_TRUE(ringer.ok()) << ringer.status();
  ringer->Ring();
  pollfd entry{bell->poll_descriptor(), POLLIN, 0};
  EXPECT_EQ(::poll(&entry, 1, 20'000), 1);
}

TEST_F(XpcHandover, ASurfaceOfTheClientIsImportedWithItsTrueSize) {
  Attach();
  const auto mine = NewSurface(30'000);
  const auto token = client_->Offer(*mine, kPatience);
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ(*token, Hex(TestToken(201)));
  ASSERT_EQ(host_.offered().size(), 1u);
  const auto theirs = host_.offered()[0].second;
  EXPECT_EQ(theirs->size(), mine->size());
  mine->data()[29'999] = std::byte{5};
  EXPECT_EQ(theirs->data()[29'999], std::byte{5});
}

TEST_F(XpcHandover, ASurfaceThatLiesAboutItsSizeIsRefusedAndTheSessionGoesOn) {
  SideChannelDoor::Options options;
  options.connection.max_offer_bytes = 1 << 20;
  Start(options);
  RawXpc peer = AttachRaw(1);
  const auto small = NewSurface(16384), big = NewSurface(2 << 20);
  const struct {
    const shm::SharedRegion* surface;
    uint64_t bytes;
    absl::StatusCode code;
  } offers[] = {{small.get(), 16385, absl::StatusCode::kOutOfRange},
                {small.get(), 2 << 20, absl::StatusCode::kResourceExhausted},
                {big.get(), 4096, absl::StatusCode::kResourceExhausted}};
  uint32_t request = 0;
  for (const auto& offer : offers) {
    RawMessage message = RawMessage::Of(SideChannelFrame::Offer(++request, offer.bytes, true));
    message.surface = offer.surface;
    peer.Send(message);
    EXPECT_EQ(peer.Receive(), SideChannelFrame::Refused(request, offer.code));
  }
  RawMessage good = RawMessage::Of(SideChannelFrame::Offer(9, 16384, true));
  good.surface = small.get();
  peer.Send(good);
  EXPECT_EQ(peer.Receive(), SideChannelFrame::Accepted(9, TestToken(201), 16384));
}

TEST_F(XpcHandover, AFrameThatIsNoneEndsTheSessionWithAWord) {
  RawXpc peer = AttachRaw(1);
  peer.Send(RawMessage{.frame = "hello?"});
  EXPECT_EQ(peer.Receive(), SideChannelFrame::Bye(ByeReason::kProtocolError));
  ExpectEnded(SessionEnd::kProtocolError);
  EXPECT_TRUE(peer.WaitForEnd());
  EXPECT_TRUE(WaitForConnections(0));
}

TEST_F(XpcHandover, WhoSaysNothingIsSentAwayAtTheDeadline) {
  SideChannelDoor::Options options;
  options.connection.hello_deadline = absl::Milliseconds(50);
  Start(options);
  RawXpc silent = RawXpc::Connect(name_);
  EXPECT_EQ(silent.Receive(), SideChannelFrame::Bye(ByeReason::kTimeout));
  EXPECT_TRUE(silent.WaitForEnd());
  EXPECT_TRUE(WaitForConnections(0));
}

TEST_F(XpcHandover, MoreThanTheBoundAreToldSo) {
  SideChannelDoor::Options options;
  options.max_connections = 1;
  Start(options);
  Attach();
  RawXpc second = RawXpc::Connect(name_);
  EXPECT_EQ(second.Receive(), SideChannelFrame::Bye(ByeReason::kOverloaded));
  EXPECT_TRUE(second.WaitForEnd());
  EXPECT_TRUE(client_->gone().ok());
}

TEST_F(XpcHandover, AKilledClientsSessionEndsOnce) {
  RawXpc peer = AttachRaw(1);
  xpc_double::KillClients();
  ExpectEnded(SessionEnd::kEndOfFile);
  EXPECT_TRUE(WaitForConnections(0));
  EXPECT_EQ(host_.ended().size(), 1u);
}

TEST_F(XpcHandover, AClientThatDoesNotReadIsLetGoOf) {
  Attach(2);
  const Holdings before = Holdings::AtRest();
  {
    RawXpc peer = AttachRaw(1);
    peer.StopReading();
    for (uint32_t i = 0; i < 200; ++i) peer.Send(SideChannelFrame::Claim(i, TestToken(9)));
    EXPECT_TRUE(WaitForConnections(1)) << "its queue is full";
    ExpectEnded(SessionEnd::kOverloaded);
  }
  EXPECT_TRUE(ComesBackTo(before));
  EXPECT_TRUE(client_->gone().ok()) << "another client's";
}

TEST_F(XpcHandover, TheDaemonsGoodbyeArrives) {
  Attach();
  door_->Notify(kSession, ByeReason::kEvicted);
  for (int i = 0; i < 20'000 && client_->gone().ok(); ++i) ::usleep(1000);
  EXPECT_NE(std::string(client_->gone().message()).find("evicted"), std::string::npos)
      << client_->gone();
}

TEST_F(XpcHandover, ADaemonThatNeverAnswersIsGivenUp) {
  const std::string name = NewServiceName();
  RawXpc mute = RawXpc::Serve(name);
  const auto client =
      SideChannelClient::Connect("xpc:" + name, Hex(TestToken(1)), absl::Milliseconds(100));
  EXPECT_EQ(client.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(mute.Receive()->kind, FrameKind::kHello);
}

// Ports and descriptors are what a daemon runs out of: each hand-over here takes one of each end.
TEST_F(XpcHandover, TenThousandOfThemLeaveNothingBehind) {
  Attach();
  const auto hand_over = [this] {
    host_.Prepare(TestToken(7), kSession, {NewSurface(1), RegionAccess::kReadWrite});
    const auto mine = client_->Claim(Hex(TestToken(7)), 1, RegionAccess::kReadWrite, kPatience);
    ASSERT_TRUE(mine.ok()) << mine.status();
  };
  hand_over();
  const Holdings before = Holdings::AtRest();
  for (int i = 0; i < 10'000; ++i) hand_over();
  EXPECT_TRUE(ComesBackTo(before));
}

// Whatever clients do, in any order: nothing stays, and another client is served all the while.
TEST_F(XpcHandover, ClientsThatMisbehaveLeaveNothingBehind) {
  Attach(2);
  const auto surface = NewSurface(16384);
  { RawXpc warm = AttachRaw(1); }
  ASSERT_TRUE(WaitForConnections(1));
  const Holdings before = Holdings::AtRest();
  std::srand(20);
  for (int round = 0; round < 600; ++round) {
    const uint8_t token = static_cast<uint8_t>(10 + round % 100);
    RawXpc peer = std::rand() % 5 == 0 ? RawXpc::Connect(name_) : AttachRaw(token);
    for (int step = std::rand() % 6; step > 0; --step) {
      switch (std::rand() % 7) {
        case 0: {
          RawMessage offer = RawMessage::Of(SideChannelFrame::Offer(1, 16384, true));
          offer.surface = surface.get();
          peer.Send(offer);
          break;
        }
        case 1:
          host_.Prepare(TestToken(7), kSession, {surface, RegionAccess::kReadWrite});
          peer.Send(SideChannelFrame::Claim(1, TestToken(7)));
          break;
        case 2:
          peer.Send({.frame = RawMessage::Of(SideChannelFrame::Wake()).frame, .descriptor = 0});
          break;
        case 3:
          peer.Send({.frame = "x", .surface = surface.get()});
          break;
        case 4:
          peer.StopReading();
          step = 1;  // for good
          break;
        case 5:
          peer.Send(RawMessage::Of(SideChannelFrame::Bye(ByeReason::kClosed)));
          break;
        default:
          peer.Send(SideChannelFrame::Claim(2, TestToken(99)));
      }
    }
  }
  host_.ForgetOffers();
  EXPECT_TRUE(WaitForConnections(1));
  EXPECT_TRUE(ComesBackTo(before));
  host_.Prepare(TestToken(7), kSession, {surface, RegionAccess::kReadWrite});
  EXPECT_TRUE(client_->Claim(Hex(TestToken(7)), 1, RegionAccess::kReadWrite, kPatience).ok());
}

}  // namespace
}  // namespace anex::door
