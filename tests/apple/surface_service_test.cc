// Who gets in by the agent's XPC service, and who does not.
#include "server/door/surface_service.h"

#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/shm/side_channel_xpc.h"
#include "server/door/surface_service_xpc.h"
#include "tests/apple/raw_xpc.h"
#include "tests/apple/xpc_rig.h"

namespace anex::door {
namespace {

using ::testing::HasSubstr;

constexpr absl::Duration kPatience = absl::Seconds(20);

class SurfaceServiceTest : public ::testing::Test {
 protected:
  ~SurfaceServiceTest() override { xpc_double::ConnectAs(xpc_double::ThisProcess()); }
  absl::Status Start(const std::string& client_requirement = "") {
    auto service = StartXpcSurfaceService(
        {.name = name_, .allowed_uid = ::geteuid(), .client_requirement = client_requirement},
        heard_);
    if (service.ok()) service_ = *std::move(service);
    return service.status();
  }
  std::unique_ptr<shm::SideChannel> ConnectAs(const xpc_double::Identity& who) {
    xpc_double::ConnectAs(who);
    return *shm::ConnectXpcSideChannel(name_);
  }

  const std::string name_ = NewServiceName();
  HeardService heard_;
  std::unique_ptr<SurfaceService> service_;
  xpc_double::Identity me_ = xpc_double::ThisProcess();
};

TEST_F(SurfaceServiceTest, ListensOnTheNameOfThePropertyList) {
  std::ifstream file(ANEX_SOURCE_DIR "/launchd/com.anexd.agent.plist.in");
  std::stringstream text;
  text << file.rdbuf();
  const size_t services = text.str().find("<key>MachServices</key>");
  ASSERT_NE(services, std::string::npos);
  EXPECT_NE(text.str().find(std::string("<key>") + kSurfaceServiceName + "</key>", services),
            std::string::npos);
}

TEST_F(SurfaceServiceTest, TellsWhoCameAsTheSystemSays) {
  ASSERT_TRUE(Start().ok());
  me_.gid = 4711;
  me_.pid = 815;
  const auto client = ConnectAs(me_);
  Peer peer;
  ASSERT_NE(heard_.WaitForPeer(&peer), nullptr);
  EXPECT_EQ(peer, (Peer{.uid = me_.uid, .gid = 4711, .pid = 815}));
}

TEST_F(SurfaceServiceTest, AnotherUserIsTurnedAway) {
  ASSERT_TRUE(Start().ok());
  const Holdings before = Holdings::AtRest();
  me_.uid += 1;
  auto client = ConnectAs(me_);
  const absl::Status refused = heard_.WaitForRefusal();
  EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(refused.message()), HasSubstr(std::to_string(me_.uid)));
  EXPECT_EQ(client->Receive(kPatience).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(heard_.waiting(), 0u);
  client.reset();
  EXPECT_TRUE(ComesBackTo(before));
}

TEST_F(SurfaceServiceTest, WithARequirementOnlySignedClientsGetIn) {
  ASSERT_TRUE(Start("identifier \"com.example.trainer\"").ok());
  const auto unsigned_one = ConnectAs(me_);
  EXPECT_EQ(unsigned_one->Receive(kPatience).status().code(), absl::StatusCode::kUnavailable);
  me_.signature = "com.example.other";
  EXPECT_EQ(ConnectAs(me_)->Receive(kPatience).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(heard_.waiting(), 0u);
  me_.signature = "com.example.trainer";
  const auto client = ConnectAs(me_);
  const auto peer = heard_.WaitForPeer();
  ASSERT_NE(peer, nullptr);
  ASSERT_TRUE(client->Send(SideChannelFrame::Wake(), {}, kPatience).ok());
  EXPECT_TRUE(peer->Receive(kPatience).ok());
}

TEST_F(SurfaceServiceTest, WithoutOneUnsignedClientsGetIn) {
  ASSERT_TRUE(Start().ok());
  const auto client = ConnectAs(me_);
  EXPECT_NE(heard_.WaitForPeer(), nullptr);
}

TEST_F(SurfaceServiceTest, WhatIsNoRequirementIsSaidAtTheStart) {
  const absl::Status refused = Start("whoever comes");
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("whoever comes"));
  EXPECT_TRUE(Start().ok()) << "the name is free again";
  const auto client = ConnectAs(me_);
  EXPECT_NE(heard_.WaitForPeer(), nullptr);
}

TEST_F(SurfaceServiceTest, SaysThatTheNameIsNotItsOwn) {
  xpc_double::Withdraw(name_);
  ASSERT_TRUE(Start().ok());
  const absl::Status lost = heard_.WaitForLoss();
  EXPECT_EQ(lost.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(lost.message()), HasSubstr(name_));
}

TEST_F(SurfaceServiceTest, AfterItsEndClientsStayAndNewOnesWaitForTheNext) {
  ASSERT_TRUE(Start().ok());
  const auto early = ConnectAs(me_);
  const auto kept = heard_.WaitForPeer();
  ASSERT_NE(kept, nullptr);
  service_->Stop();
  service_->Stop();
  ASSERT_TRUE(kept->Send(SideChannelFrame::Wake(), {}, kPatience).ok());
  EXPECT_TRUE(early->Receive(kPatience).ok());
  service_.reset();
  // One that comes while the listener goes is turned away; those after it wait.
  std::unique_ptr<shm::SideChannel> late;
  absl::StatusCode answer = absl::StatusCode::kUnavailable;
  for (const absl::Time until = absl::Now() + kPatience;
       answer == absl::StatusCode::kUnavailable && absl::Now() < until;) {
    late = ConnectAs(me_);
    answer = late->Receive(absl::Milliseconds(20)).status().code();
  }
  EXPECT_EQ(answer, absl::StatusCode::kDeadlineExceeded);
  ASSERT_TRUE(Start().ok());
  EXPECT_NE(heard_.WaitForPeer(), nullptr);
}

TEST_F(SurfaceServiceTest, NothingIsLeftOfManyThatComeAndGo) {
  ASSERT_TRUE(Start().ok());
  {
    const auto warm = ConnectAs(me_);
    heard_.WaitForPeer();
  }
  const Holdings before = Holdings::AtRest();
  for (int i = 0; i < 500; ++i) {
    me_.uid = ::geteuid() + (i % 3 == 0);
    auto client = ConnectAs(me_);
    if (i % 3 != 0) {
      auto peer = heard_.WaitForPeer();
      if (i % 3 == 1) client.reset();  // now one end goes first, now the other
    }
  }
  EXPECT_TRUE(ComesBackTo(before));
}

}  // namespace
}  // namespace anex::door
