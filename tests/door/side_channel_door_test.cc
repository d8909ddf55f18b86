// The whole way: a real socket, real client processes, and how their deaths are noticed.
#include "server/door/side_channel_door.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "server/door/front_door.h"
#include "server/door/instance_lock.h"
#include "tests/door/child.h"
#include "tests/door/fake_host.h"
#include "tests/door/temp_dir.h"
#include "tests/system/descriptors.h"

namespace anex::door {
namespace {

using std::chrono::steady_clock;

constexpr absl::Duration kPatience = absl::Seconds(20);
constexpr SessionId kSession = SessionId::Make(11, 1);
constexpr SessionId kOther = SessionId::Make(12, 1);

double MillisecondsSince(steady_clock::time_point start, steady_clock::time_point end) {
  return std::chrono::duration<double, std::milli>(end - start).count();
}

class SideChannelDoorTest : public ::testing::Test, public FrontDoorEvents {
 protected:
  void SetUp() override { Start({}); }
  void TearDown() override {
    front_.reset();
    door_.reset();
  }
  void Start(const SideChannelDoor::Options& options) {
    front_.reset();
    door_ = *SideChannelDoor::Start(options, host_, *exits_);
    std::vector<ListenSocket> listeners;
    listeners.push_back(*ListenOwn(*lock_, ListenerRole::kSideChannel, "side.sock"));
    front_ =
        *FrontDoor::Start({.allowed_uid = ::geteuid()}, std::move(listeners), registry_, *this);
  }
  void OnConnection(shm::OwnedDescriptor socket, const Peer& peer, ListenerRole) override {
    adopted_ = door_->Adopt(std::move(socket), peer).code();
  }
  std::string path() const { return dir_ / "side.sock"; }

  // A client of this process.
  std::unique_ptr<shm::SideChannel> Connect() {
    return *shm::ConnectSideChannel(path(), kPatience);
  }
  SideChannelFrame Ask(shm::SideChannel& client, const SideChannelFrame& frame) {
    EXPECT_TRUE(client.Send(frame, -1, kPatience).ok());
    auto answer = client.Receive(kPatience);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? answer->frame : SideChannelFrame();
  }
  std::unique_ptr<shm::SideChannel> Attach(uint8_t token, SessionId session) {
    host_.Admit(TestToken(token), session);
    auto client = Connect();
    EXPECT_EQ(Ask(*client, SideChannelFrame::Hello(TestToken(token))).kind, FrameKind::kWelcome);
    return client;
  }
  // Waits until the door holds `count` connections.
  bool WaitForConnections(size_t count) {
    const auto end = steady_clock::now() + std::chrono::seconds(20);
    while (door_->connections() != count && steady_clock::now() < end) ::usleep(500);
    return door_->connections() == count;
  }

  TempDir dir_;
  absl::StatusOr<InstanceLock> lock_ = InstanceLock::Acquire(dir_.path());
  FakeHost host_;
  std::unique_ptr<PeerExit> exits_ = *PeerExit::Start();
  ConnectionRegistry registry_{64};
  std::unique_ptr<SideChannelDoor> door_;
  std::unique_ptr<FrontDoor> front_;
  std::atomic<absl::StatusCode> adopted_{absl::StatusCode::kOk};
};

TEST_F(SideChannelDoorTest, ServesSeveralClientsAndKeepsThemApart) {
  auto one = Attach(1, kSession), two = Attach(2, kOther);
  host_.Prepare(TestToken(7), kOther,
                {*shm::CreateRegion(16384, "x"), shm::RegionAccess::kReadWrite});
  EXPECT_EQ(Ask(*one, SideChannelFrame::Claim(1, TestToken(7))).status,
            absl::StatusCode::kNotFound);
  EXPECT_EQ(Ask(*two, SideChannelFrame::Claim(2, TestToken(7))).bytes, 16384u);
  EXPECT_EQ(host_.PeerOfSession(kSession).pid, ::getpid());
}

TEST_F(SideChannelDoorTest, AKilledClientsSessionEndsAtOnce) {
  host_.Admit(TestToken(1), kSession);
  Child client({"client", path(), "1"});
  ASSERT_EQ(client.ReadLine(), "welcome");
  EXPECT_EQ(host_.PeerOfSession(kSession).pid, client.pid());
  const auto killed = steady_clock::now();
  client.Signal(SIGKILL);
  const auto ended = host_.WaitForEnded(1);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].session, kSession);
  const double ms = MillisecondsSince(killed, ended[0].when);
  RecordProperty("kill_to_session_gone_ms", std::to_string(ms));
  std::printf("  SIGKILL to SessionGone: %.2f ms (aim: under 100)\n", ms);
  EXPECT_TRUE(WaitForConnections(0));
  EXPECT_EQ(exits_->watched(), 0u);
  EXPECT_EQ(host_.ended().size(), 1u);  // end of file and exit notice together are one end
}

// Without the exit notice this session would live as long as the grandchild.
TEST_F(SideChannelDoorTest, AForkedChildThatHoldsTheSocketDoesNotKeepTheSession) {
  host_.Admit(TestToken(1), kSession);
  Child client({"forker", path(), "1"});
  ASSERT_EQ(client.ReadLine(), "welcome");
  const pid_t grandchild = std::atoi(client.ReadLine().c_str());
  ASSERT_GT(grandchild, 0);
  const auto killed = steady_clock::now();
  client.Signal(SIGKILL);
  const auto ended = host_.WaitForEnded(1);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].end, SessionEnd::kProcessExit);
  std::printf("  the same with a grandchild holding the socket: %.2f ms\n",
              MillisecondsSince(killed, ended[0].when));
  EXPECT_EQ(::kill(grandchild, 0), 0) << "it must still hold the socket for this to mean anything";
  ::kill(grandchild, SIGKILL);
}

TEST_F(SideChannelDoorTest, AStoppedClientIsAlive) {
  host_.Admit(TestToken(1), kSession);
  Child client({"client", path(), "1"});
  ASSERT_EQ(client.ReadLine(), "welcome");
  client.Signal(SIGSTOP);
  int status = 0;
  ASSERT_EQ(::waitpid(client.pid(), &status, WUNTRACED), client.pid());
  ASSERT_TRUE(WIFSTOPPED(status));
  for (int i = 0; i < 1000; ++i) door_->Wake(kSession);
  // Another session comes and goes meanwhile: the door has turned, and nobody waited for the first.
  Attach(2, kOther).reset();
  const auto ended = host_.WaitForEnded(1);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].session, kOther);
  client.Signal(SIGCONT);
  EXPECT_EQ(client.ReadLine(), "wake");
  door_->Notify(kSession, ByeReason::kEvicted);
  std::string line;
  while ((line = client.ReadLine()) == "wake") {
  }
  EXPECT_EQ(line, "bye");
  EXPECT_EQ(client.ReadLine(), "end");
  EXPECT_EQ(client.Reap(), 0);
}

TEST_F(SideChannelDoorTest, EndOfFileEndsTheSessionOfALivingProcess) {
  auto client = Attach(1, kSession);
  client.reset();
  ASSERT_EQ(host_.WaitForEnded(1).size(), 1u);
  EXPECT_EQ(host_.ended()[0].end, SessionEnd::kEndOfFile);
  EXPECT_TRUE(WaitForConnections(0));
  EXPECT_EQ(exits_->watched(), 0u);
}

TEST_F(SideChannelDoorTest, ASilentConnectionIsDroppedAfterItsDeadline) {
  Start({.connection = {.hello_deadline = absl::Milliseconds(20)}});
  auto client = Connect();
  auto last = client->Receive(kPatience);
  ASSERT_TRUE(last.ok()) << last.status();
  EXPECT_EQ(last->frame, SideChannelFrame::Bye(ByeReason::kTimeout));
  EXPECT_EQ(client->Receive(kPatience).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(WaitForConnections(0));
}

TEST_F(SideChannelDoorTest, OverItsBoundItSaysSo) {
  Start({.max_connections = 1});
  auto first = Attach(1, kSession);
  auto second = Connect();
  auto answer = second->Receive(kPatience);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->frame, SideChannelFrame::Bye(ByeReason::kOverloaded));
  first.reset();
  ASSERT_TRUE(WaitForConnections(0));
  Attach(2, kOther);
}

TEST_F(SideChannelDoorTest, NotifySaysGoodbyeAndEndsOnlyThatSession) {
  auto one = Attach(1, kSession), two = Attach(2, kOther);
  door_->Notify(kSession, ByeReason::kEvicted);
  EXPECT_EQ(one->Receive(kPatience)->frame, SideChannelFrame::Bye(ByeReason::kEvicted));
  EXPECT_EQ(one->Receive(kPatience).status().code(), absl::StatusCode::kUnavailable);
  ASSERT_EQ(host_.WaitForEnded(1).size(), 1u);
  EXPECT_EQ(host_.ended()[0].session, kSession);
  EXPECT_EQ(host_.ended()[0].end, SessionEnd::kNotified);
  door_->Notify(SessionId::Make(99, 9), ByeReason::kEvicted);  // nobody
  door_->Notify(SessionId(), ByeReason::kEvicted);
  door_->Wake(kOther);
  EXPECT_EQ(two->Receive(kPatience)->frame, SideChannelFrame::Wake());
}

TEST_F(SideChannelDoorTest, StoppingSaysGoodbyeToEverybody) {
  auto one = Attach(1, kSession), two = Attach(2, kOther);
  auto silent = Connect();
  ASSERT_TRUE(WaitForConnections(3));
  door_->Stop(ByeReason::kDraining);
  for (shm::SideChannel* client : {one.get(), two.get(), silent.get()}) {
    auto last = client->Receive(kPatience);
    ASSERT_TRUE(last.ok()) << last.status();
    EXPECT_EQ(last->frame, SideChannelFrame::Bye(ByeReason::kDraining));
  }
  ASSERT_EQ(host_.ended().size(), 2u);
  EXPECT_EQ(host_.ended()[0].end, SessionEnd::kShutdown);
  EXPECT_EQ(exits_->watched(), 0u);
  EXPECT_EQ(door_->connections(), 0u);
  auto late = Connect();  // the front door is still open
  auto refused = late->Receive(kPatience);
  ASSERT_TRUE(refused.ok()) << refused.status();
  EXPECT_EQ(refused->frame, SideChannelFrame::Bye(ByeReason::kDraining));
  front_->Stop();  // so that Adopt has returned
  EXPECT_EQ(adopted_, absl::StatusCode::kUnavailable);
}

TEST_F(SideChannelDoorTest, GarbageOnTheSocketEndsThatConnectionOnly) {
  auto good = Attach(1, kSession);
  const shm::OwnedDescriptor raw(test::NewSocket());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path().c_str());
  ASSERT_EQ(::connect(raw.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  const std::string http = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string(200, '\0');
  ASSERT_EQ(::send(raw.get(), http.data(), http.size(), 0), static_cast<ssize_t>(http.size()));
  EXPECT_TRUE(WaitForConnections(1));
  EXPECT_TRUE(host_.ended().empty());
  EXPECT_EQ(Ask(*good, SideChannelFrame::Claim(1, TestToken(3))).status,
            absl::StatusCode::kNotFound);
}

// Every client of a row is killed at another moment of its life; nothing may be left of any.
TEST_F(SideChannelDoorTest, ManyKilledClientsLeaveNothingBehind) {
  constexpr int kClients = 24;
  size_t attached = 0;
  for (int i = 0; i < kClients; ++i) {
    const uint8_t token = static_cast<uint8_t>(20 + i);
    host_.Admit(TestToken(token), SessionId::Make(100 + i, 1));
    Child client({"client", path(), std::to_string(token)});
    if (i % 3 == 0) ::usleep(300 * i);  // somewhere between exec and welcome
    if (i % 3 == 1) attached += client.ReadLine() == "welcome";
    client.Signal(SIGKILL);
  }
  front_->Stop();  // nobody is on the way in any more
  EXPECT_TRUE(WaitForConnections(0));
  EXPECT_GE(host_.ended().size(), attached);
  EXPECT_EQ(attached, 8u);
  EXPECT_EQ(exits_->watched(), 0u);
}

}  // namespace
}  // namespace anex::door
