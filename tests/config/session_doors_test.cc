// The engine behind the side-channel door: real engine, real tokens, no sockets but the door's own.
#include "server/session_doors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <sstream>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "proto/wire/token_hex.h"
#include "server/device/cpu/cpu_device.h"
#include "server/device/device_list.h"
#include "server/engine_log.h"
#include "spdlog/sinks/ostream_sink.h"

namespace anex::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class SessionDoorsTest : public ::testing::Test {
 protected:
  SessionDoorsTest() {
    owner_.identity.kind = engine::Identity::Kind::kLocalUser;
    owner_.identity.uid = 501;
    owner_.identity.pid = 77;
  }
  SessionGrant Open() { return *engine_->Open(owner_, {}); }
  static SideChannelToken Token(const std::string& hex) { return *SideChannelTokenFromHex(hex); }
  static std::string HexOf(const SideChannelToken& token) {
    return absl::BytesToHexString(SideChannelTokenToBytes(token));
  }
  engine::Caller In(const SessionGrant& grant) const {
    engine::Caller caller = owner_;
    caller.session = grant.id;
    return caller;
  }
  std::string logged() const { return out_.str(); }
  size_t CountLogged(const std::string& part) const {
    size_t count = 0;
    for (size_t at = 0; (at = logged().find(part, at)) != std::string::npos; ++at) ++count;
    return count;
  }

  std::ostringstream out_;
  const Log log_{LogLevel::kDebug, LogFormat::kJson,
                 std::make_shared<spdlog::sinks::ostream_sink_mt>(out_)};
  EngineLog events_{log_};
  const std::unique_ptr<engine::Engine> engine_ = *engine::Engine::Create(
      {.devices = *device::DeviceList::Make({device::cpu::CpuDeviceFactory({.threads = 1})}),
       .events = &events_});
  EngineSideChannelHost host_{*engine_, log_};
  engine::Caller owner_;
  const door::Peer peer_{.uid = 501, .gid = 20, .pid = 77, .start_time = 5};
};

TEST_F(SessionDoorsTest, AttachTakesTheTokenThatOpenGaveOnceAndFromItsUserOnly) {
  const SessionGrant grant = Open();
  const SideChannelToken token = Token(grant.side_channel_token);
  door::Peer stranger = peer_;
  stranger.uid = 502;
  EXPECT_FALSE(host_.Attach(token, stranger).ok());
  const SessionGrant second = Open();
  const auto session = host_.Attach(Token(second.side_channel_token), peer_);
  ASSERT_TRUE(session.ok()) << session.status();
  EXPECT_EQ(*session, second.id);
  EXPECT_FALSE(host_.Attach(Token(second.side_channel_token), peer_).ok());
}

TEST_F(SessionDoorsTest, AHandoverComesWithTheAccessThatWasAskedFor) {
  const SessionGrant grant = Open(), other = Open();
  SurfaceSpec spec;
  spec.dtype = DType::kFp16;
  spec.shape = {3, 5};
  const SurfaceInfo surface = *engine_->CreateSurface(In(grant), spec);
  const std::string bytes = "the 30 bytes of 3 x 5 halves..";
  ASSERT_TRUE(engine_->WriteSurface(In(grant), surface.id, {}, bytes).ok());
  for (const Access access : {Access::kReadOnly, Access::kReadWrite}) {
    const std::string token = *engine_->PrepareHandover(In(grant), surface.id, access);
    EXPECT_FALSE(host_.TakeHandover(other.id, Token(token)).ok());
    const auto delivery = host_.TakeHandover(grant.id, Token(token));
    ASSERT_TRUE(delivery.ok()) << delivery.status();
    EXPECT_EQ(std::memcmp(std::as_const(*delivery->region).data(), bytes.data(), bytes.size()), 0);
    EXPECT_EQ(delivery->access, access == Access::kReadOnly ? shm::RegionAccess::kReadOnly
                                                            : shm::RegionAccess::kReadWrite);
    EXPECT_FALSE(host_.TakeHandover(grant.id, Token(token)).ok());
  }
}

TEST_F(SessionDoorsTest, AnOfferedRegionIsImportedByTheTokenThatTheDoorSends) {
  const SessionGrant grant = Open();
  const TensorLayout layout = *MakePackedLayout(DType::kFp16, {3, 5});
  const auto region = *shm::CreateHeapRegion(layout.allocation_bytes);
  const auto token = host_.OfferRegion(grant.id, region);
  ASSERT_TRUE(token.ok()) << token.status();
  const auto surface = engine_->ImportSurface(In(grant), HexOf(*token), layout, "mine");
  ASSERT_TRUE(surface.ok()) << surface.status();
  const std::string bytes = "the 30 bytes of 3 x 5 halves..";
  std::memcpy(region->data(), bytes.data(), bytes.size());
  EXPECT_EQ(*engine_->ReadSurface(In(grant), surface->id, {}), bytes);
}

TEST_F(SessionDoorsTest, ASessionMayGoTwiceAndAfterItWasClosed) {
  const SessionGrant one = Open(), two = Open();
  ASSERT_TRUE(engine_->Close(In(one)).ok());
  host_.SessionGone(one.id, door::SessionEnd::kNotified);
  host_.SessionGone(two.id, door::SessionEnd::kProcessExit);
  host_.SessionGone(two.id, door::SessionEnd::kEndOfFile);
  EXPECT_FALSE(engine_->Authenticate(two.secret, owner_.identity).ok()) << "gone at once";
  // What it had is freed, and that is logged, by another thread.
  for (const absl::Time end = absl::Now() + absl::Seconds(20);
       CountLogged("session ended") < 2 && absl::Now() < end;) {
    absl::SleepFor(absl::Milliseconds(1));
  }
  EXPECT_EQ(CountLogged("session opened"), 2u);
  EXPECT_EQ(CountLogged("session ended"), 2u) << "once each";
  EXPECT_THAT(logged(), HasSubstr("\"reason\":\"closed\""));
  EXPECT_THAT(logged(),
              HasSubstr(std::string(door::SessionEndName(door::SessionEnd::kProcessExit))));
  EXPECT_FALSE(engine_->Authenticate(two.secret, owner_.identity).ok());
  EXPECT_TRUE(engine_->GetStatus(owner_).sessions.empty());
}

TEST_F(SessionDoorsTest, NoSecretIsLoggedAndRefusalsAreBounded) {
  const SessionGrant grant = Open();
  ASSERT_TRUE(host_.Attach(Token(grant.side_channel_token), peer_).ok());
  SideChannelToken guess{};
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(host_.Attach(guess, peer_).ok());
  EXPECT_GE(CountLogged("side channel refused"), 1u);
  EXPECT_LE(CountLogged("side channel refused"), 16u) << "two intervals at most";
  EXPECT_THAT(logged(), HasSubstr("side channel attached"));
  EXPECT_THAT(logged(), Not(HasSubstr(grant.side_channel_token)));
  EXPECT_THAT(logged(), Not(HasSubstr(grant.secret)));
  EXPECT_THAT(logged(), Not(HasSubstr(std::string(64, '0'))));
}

TEST_F(SessionDoorsTest, TheGoodbyeTellsEvictionFromClosing) {
  EXPECT_EQ(ByeReasonOf("evicted by an operator"), ByeReason::kEvicted);
  EXPECT_EQ(ByeReasonOf("closed"), ByeReason::kClosed);
  EXPECT_EQ(ByeReasonOf(""), ByeReason::kClosed);
}

class DoorKeeperTest : public SessionDoorsTest {
 protected:
  // The near end of a connection of this process.
  shm::OwnedDescriptor Connect() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    far_ = shm::OwnedDescriptor(ends[1]);
    return shm::OwnedDescriptor(ends[0]);
  }

  const std::unique_ptr<door::PeerExit> exits_ = *door::PeerExit::Start();
  const std::unique_ptr<door::SideChannelDoor> side_door_ =
      *door::SideChannelDoor::Start({.max_connections = 1}, host_, *exits_);
  std::vector<std::pair<int, door::ListenerRole>> adopted_;
  DoorKeeper keeper_{*side_door_,
                     [this](shm::OwnedDescriptor fd, door::ListenerRole role) {
                       adopted_.emplace_back(fd.get(), role);
                     },
                     log_};
  shm::OwnedDescriptor far_;
};

TEST_F(DoorKeeperTest, OwnersAndObserversGoToGrpcAndNotToTheSideDoor) {
  shm::OwnedDescriptor owner = Connect();
  const int number = owner.get();
  keeper_.OnConnection(std::move(owner), peer_, door::ListenerRole::kOwner);
  keeper_.OnConnection(Connect(), peer_, door::ListenerRole::kObserver);
  ASSERT_EQ(adopted_.size(), 2u);
  EXPECT_EQ(adopted_[0], std::pair(number, door::ListenerRole::kOwner));
  EXPECT_EQ(adopted_[1].second, door::ListenerRole::kObserver);
  EXPECT_EQ(side_door_->connections(), 0u);
}

TEST_F(DoorKeeperTest, SideChannelsGoToTheSideDoorAndOverItsBoundAreLogged) {
  shm::OwnedDescriptor first = Connect();
  const door::Peer self = *door::PeerOf(first.get());
  keeper_.OnConnection(std::move(first), self, door::ListenerRole::kSideChannel);
  const shm::OwnedDescriptor kept = std::move(far_);
  EXPECT_EQ(side_door_->connections(), 1u);
  keeper_.OnConnection(Connect(), self, door::ListenerRole::kSideChannel);
  EXPECT_TRUE(adopted_.empty());
  EXPECT_THAT(logged(), HasSubstr("connection refused"));
  EXPECT_THAT(logged(), HasSubstr("side channel"));
}

TEST_F(DoorKeeperTest, PeersOfTheSurfaceServiceGoToTheSideDoorTooAndShareItsBound) {
  shm::SideChannelPair first = shm::MakeSideChannelPair(), second = shm::MakeSideChannelPair();
  keeper_.OnPeer(std::move(first.second), peer_);
  EXPECT_EQ(side_door_->connections(), 1u);
  keeper_.OnPeer(std::move(second.second), peer_);
  EXPECT_EQ(side_door_->connections(), 1u);
  EXPECT_EQ(second.first->Receive(absl::Seconds(20))->frame,
            SideChannelFrame::Bye(ByeReason::kOverloaded));
  EXPECT_THAT(logged(), HasSubstr(door::kSurfaceServiceName));
}

TEST_F(DoorKeeperTest, ALostServiceIsAnErrorInTheLog) {
  keeper_.OnServiceLost(absl::FailedPreconditionError("somebody else has it"));
  EXPECT_THAT(logged(), HasSubstr("\"error\""));
  EXPECT_THAT(logged(), HasSubstr("somebody else has it"));
}

TEST_F(DoorKeeperTest, RefusalsAtTheRateOfConnectsStayAFewLines) {
  for (int i = 0; i < 10000; ++i) {
    keeper_.OnRefused(door::ListenerRole::kOwner, absl::PermissionDeniedError("uid 502"));
  }
  EXPECT_GE(CountLogged("connection refused"), 8u);
  EXPECT_LE(CountLogged("connection refused"), 16u);
}

}  // namespace
}  // namespace anex::server
