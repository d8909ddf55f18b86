#include "server/door/front_door.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/door/instance_lock.h"
#include "tests/door/child.h"
#include "tests/door/temp_dir.h"
#include "tests/system/descriptors.h"

namespace anex::door {
namespace {

using ::testing::HasSubstr;

class Events final : public FrontDoorEvents {
 public:
  struct Connection {
    shm::OwnedDescriptor socket;
    Peer peer;
    ListenerRole role;
  };
  void OnConnection(shm::OwnedDescriptor socket, const Peer& peer, ListenerRole role) override {
    absl::MutexLock lock(&mutex_);
    connections_.push_back({std::move(socket), peer, role});
  }
  void OnRefused(ListenerRole, const absl::Status& status) override {
    absl::MutexLock lock(&mutex_);
    refused_.push_back(status);
  }
  void OnListenerLost(ListenerRole, const absl::Status& status) override {
    absl::MutexLock lock(&mutex_);
    lost_.push_back(status);
  }

  // True once `count` have come.
  bool WaitForConnections(size_t count) { return Wait(connections_, count); }
  bool WaitForRefusals(size_t count) { return Wait(refused_, count); }
  bool WaitForLosses(size_t count) { return Wait(lost_, count); }
  // The connections so far; they are the caller's now.
  std::vector<Connection> Take() {
    absl::MutexLock lock(&mutex_);
    return std::exchange(connections_, {});
  }
  std::vector<absl::Status> refused() {
    absl::MutexLock lock(&mutex_);
    return refused_;
  }
  std::vector<absl::Status> lost() {
    absl::MutexLock lock(&mutex_);
    return lost_;
  }

 private:
  template <typename T>
  bool Wait(const std::vector<T>& list, size_t count) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    const auto enough = [&] { return list.size() >= count; };
    absl::MutexLock lock(&mutex_);
    return mutex_.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(20));
  }
  absl::Mutex mutex_;
  std::vector<Connection> connections_ ABSL_GUARDED_BY(mutex_);
  std::vector<absl::Status> refused_ ABSL_GUARDED_BY(mutex_);
  std::vector<absl::Status> lost_ ABSL_GUARDED_BY(mutex_);
};

// True when the other end has been closed.
bool IsClosedByPeer(const shm::OwnedDescriptor& socket) {
  pollfd entry{socket.get(), POLLIN, 0};
  char byte;
  return ::poll(&entry, 1, 20'000) == 1 && ::recv(socket.get(), &byte, 1, MSG_DONTWAIT) <= 0;
}

class FrontDoorTest : public ::testing::Test {
 protected:
  void Start(FrontDoor::Options options, size_t max_connections = 64) {
    registry_.emplace(max_connections);
    std::vector<ListenSocket> listeners;
    listeners.push_back(*ListenOwn(*lock_, ListenerRole::kOwner, "owner.sock"));
    listeners.push_back(*ListenOwn(*lock_, ListenerRole::kObserver, "observer.sock"));
    listeners.push_back(*ListenOwn(*lock_, ListenerRole::kSideChannel, "side.sock"));
    door_ = *FrontDoor::Start(options, std::move(listeners), *registry_, events_);
  }
  void Start() { Start({.allowed_uid = ::geteuid()}); }

  static shm::OwnedDescriptor NewSocket() { return shm::OwnedDescriptor(test::NewSocket()); }
  // Connects a socket that exists already, so that it needs no new descriptor.
  bool Connect(const shm::OwnedDescriptor& socket, const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, (dir_ / name).c_str());
    return ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }

  TempDir dir_;
  absl::StatusOr<InstanceLock> lock_ = InstanceLock::Acquire(dir_.path());
  Events events_;
  std::optional<ConnectionRegistry> registry_;
  std::unique_ptr<FrontDoor> door_;
};

TEST_F(FrontDoorTest, HandsOnWhoCameAndThroughWhichDoor) {
  Start();
  const shm::OwnedDescriptor side = NewSocket(), owner = NewSocket(), observer = NewSocket();
  ASSERT_TRUE(Connect(side, "side.sock"));
  ASSERT_TRUE(events_.WaitForConnections(1));
  ASSERT_TRUE(Connect(owner, "owner.sock"));
  ASSERT_TRUE(events_.WaitForConnections(2));
  ASSERT_TRUE(Connect(observer, "observer.sock"));
  ASSERT_TRUE(events_.WaitForConnections(3));
  const std::vector<Events::Connection> connections = events_.Take();
  EXPECT_EQ(connections[0].role, ListenerRole::kSideChannel);
  EXPECT_EQ(connections[1].role, ListenerRole::kOwner);
  EXPECT_EQ(connections[2].role, ListenerRole::kObserver);
  for (const Events::Connection& c : connections) {
    EXPECT_EQ(c.peer.pid, ::getpid());
    EXPECT_EQ(c.peer.uid, ::geteuid());
    EXPECT_NE(::fcntl(c.socket.get(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(::fcntl(c.socket.get(), F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_EQ(registry_->Find(c.socket.get())->role, c.role);
  }
  ASSERT_EQ(::send(owner.get(), "hi", 2, 0), 2);
  char text[2];
  pollfd entry{connections[1].socket.get(), POLLIN, 0};
  ASSERT_EQ(::poll(&entry, 1, 20'000), 1);
  EXPECT_EQ(::recv(connections[1].socket.get(), text, 2, 0), 2);
  EXPECT_EQ(door_->stats().accepted, 3u);
}

TEST_F(FrontDoorTest, RefusesAnotherUser) {
  Start({.allowed_uid = ::geteuid() + 1});
  const shm::OwnedDescriptor socket = NewSocket();
  ASSERT_TRUE(Connect(socket, "owner.sock"));
  ASSERT_TRUE(events_.WaitForRefusals(1));
  EXPECT_EQ(events_.refused()[0].code(), absl::StatusCode::kPermissionDenied);
  EXPECT_TRUE(IsClosedByPeer(socket));
  EXPECT_EQ(door_->stats().accepted, 0u);
  EXPECT_EQ(registry_->CountOpen(), 0u);
}

TEST_F(FrontDoorTest, ShedsWhatIsOverItsBoundAndGoesOn) {
  Start({.allowed_uid = ::geteuid()}, /*max_connections=*/2);
  const shm::OwnedDescriptor one = NewSocket(), two = NewSocket(), three = NewSocket(),
                             four = NewSocket();
  ASSERT_TRUE(Connect(one, "owner.sock"));
  ASSERT_TRUE(Connect(two, "owner.sock"));
  ASSERT_TRUE(events_.WaitForConnections(2));
  ASSERT_TRUE(Connect(three, "owner.sock"));
  ASSERT_TRUE(events_.WaitForRefusals(1));
  EXPECT_EQ(events_.refused()[0].message(), "connections=2");
  EXPECT_TRUE(IsClosedByPeer(three));
  events_.Take();  // closes both
  ASSERT_TRUE(Connect(four, "owner.sock"));
  EXPECT_TRUE(events_.WaitForConnections(1));
}

// gRPC 1.51 left alone never answers again after this.
TEST_F(FrontDoorTest, RecoversFromDescriptorExhaustionAndDoesNotSpin) {
  Start();
  std::vector<shm::OwnedDescriptor> clients;
  for (int i = 0; i < 40; ++i) clients.push_back(NewSocket());
  rlimit limit;
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const shm::OwnedDescriptor next(::dup(0));
  const rlimit tight{static_cast<rlim_t>(next.get()) + 1, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  size_t connected = 0;
  for (int i = 0; i < 39; ++i) connected += Connect(clients[i], "owner.sock");
  const bool all_refused = events_.WaitForRefusals(39);
  const uint64_t wakeups = door_->stats().wakeups;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(connected, 39u);
  EXPECT_TRUE(all_refused);
  for (const absl::Status& s : events_.refused()) {
    EXPECT_EQ(s.code(), absl::StatusCode::kResourceExhausted) << s;
  }
  EXPECT_TRUE(IsClosedByPeer(clients[0]));  // told, not left hanging
  EXPECT_LE(wakeups, 39u + 10u);
  ASSERT_TRUE(Connect(clients[39], "owner.sock"));
  EXPECT_TRUE(events_.WaitForConnections(1));
  EXPECT_EQ(door_->stats().accepted, 1u);
}

TEST_F(FrontDoorTest, ServesAThousandConnectionsThatComeAtOnce) {
  rlimit limit;
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const size_t count = std::min<size_t>(1000, (limit.rlim_cur - 100) / 2);
  Start({.allowed_uid = ::geteuid()}, /*max_connections=*/4 * count);
  std::vector<shm::OwnedDescriptor> clients;
  for (size_t i = 0; i < count; ++i) {
    clients.push_back(NewSocket());
    ASSERT_TRUE(Connect(clients.back(), i % 2 == 0 ? "owner.sock" : "observer.sock"));
  }
  EXPECT_TRUE(events_.WaitForConnections(count));
  EXPECT_EQ(door_->stats().accepted, count);
}

// --- who says nothing, or something else ---

constexpr std::string_view kOpening = "HELLO DAEMON\r\n";

class LobbyTest : public FrontDoorTest {
 protected:
  void StartWith(Lobby::Options lobby) {
    lobby.opening = kOpening;
    Start({.allowed_uid = ::geteuid(), .check_interval = absl::Milliseconds(10), .lobby = lobby});
  }
  shm::OwnedDescriptor Come(const std::string& name = "owner.sock") {
    shm::OwnedDescriptor socket = NewSocket();
    EXPECT_TRUE(Connect(socket, name));
    return socket;
  }
  static void Say(const shm::OwnedDescriptor& socket, std::string_view words) {
    EXPECT_EQ(::send(socket.get(), words.data(), words.size(), 0),
              static_cast<ssize_t>(words.size()));
  }
  // The door has looked at everything that came before.
  void SeveralTurns() {
    const uint64_t turns = door_->stats().wakeups;
    while (door_->stats().wakeups < turns + 4) ::usleep(1000);
  }
};

TEST_F(LobbyTest, HandsOnWhoBeginsAsClientsDoAndReadsNothing) {
  StartWith({});
  const shm::OwnedDescriptor slow = Come(), quick = Come("observer.sock");
  Say(quick, std::string(kOpening) + "and more");
  ASSERT_TRUE(events_.WaitForConnections(1));
  Say(slow, kOpening.substr(0, 5));
  SeveralTurns();
  std::vector<Events::Connection> handed = events_.Take();
  ASSERT_EQ(handed.size(), 1u) << "a part of the opening is not enough";
  EXPECT_EQ(handed[0].role, ListenerRole::kObserver);
  char heard[64];
  EXPECT_EQ(::recv(handed[0].socket.get(), heard, sizeof(heard), 0),
            static_cast<ssize_t>(kOpening.size()) + 8);
  Say(slow, kOpening.substr(5));
  ASSERT_TRUE(events_.WaitForConnections(1));
  EXPECT_EQ(events_.Take()[0].role, ListenerRole::kOwner);
  EXPECT_EQ(door_->stats().accepted, 2u);
  EXPECT_EQ(door_->stats().refused, 0u);
}

TEST_F(LobbyTest, TheSideChannelNeedsNoOpening) {
  StartWith({});
  const shm::OwnedDescriptor side = Come("side.sock");
  EXPECT_TRUE(events_.WaitForConnections(1));
}

TEST_F(LobbyTest, SendsAwayWhoSaysNothingInTime) {
  StartWith({.within = absl::Milliseconds(30)});
  const shm::OwnedDescriptor silent = Come(), stuck = Come();
  Say(stuck, kOpening.substr(0, 3));
  ASSERT_TRUE(events_.WaitForRefusals(2));
  EXPECT_TRUE(IsClosedByPeer(silent));
  EXPECT_TRUE(IsClosedByPeer(stuck));
  for (const absl::Status& why : events_.refused()) {
    EXPECT_EQ(why.code(), absl::StatusCode::kDeadlineExceeded) << why;
  }
  EXPECT_EQ(registry_->CountOpen(), 0u);
}

TEST_F(LobbyTest, SendsAwayWhoSaysSomethingElseOrLeaves) {
  StartWith({});
  const shm::OwnedDescriptor other = Come();
  Say(other, "HELP");
  ASSERT_TRUE(events_.WaitForRefusals(1));
  EXPECT_EQ(events_.refused()[0].code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(IsClosedByPeer(other));
  shm::OwnedDescriptor quiet = Come(), begun = Come();
  Say(begun, kOpening.substr(0, 3));
  quiet.Reset();
  begun.Reset();
  ASSERT_TRUE(events_.WaitForRefusals(3));
  EXPECT_EQ(events_.refused()[1].code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(events_.refused()[2].code(), absl::StatusCode::kUnavailable);
}

TEST_F(LobbyTest, AFloodOfSilentOnesKeepsNobodyOut) {
  StartWith({.most = 4});
  std::vector<shm::OwnedDescriptor> silent;
  for (int i = 0; i < 4; ++i) silent.push_back(Come());
  const shm::OwnedDescriptor speaker = Come();
  Say(speaker, kOpening);
  ASSERT_TRUE(events_.WaitForConnections(1));
  ASSERT_TRUE(events_.WaitForRefusals(1));
  EXPECT_EQ(events_.refused()[0].code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(IsClosedByPeer(silent[0])) << "who came first leaves first";
  Say(silent[3], kOpening);
  EXPECT_TRUE(events_.WaitForConnections(2));
}

// A half said opening lies readable in the socket: the door looks at it now and then, not always.
TEST_F(LobbyTest, DoesNotSpinOverHalfAnOpening) {
  StartWith({});
  const shm::OwnedDescriptor begun = Come();
  Say(begun, kOpening.substr(0, 1));
  SeveralTurns();
  const auto from = std::chrono::steady_clock::now();
  const uint64_t before = door_->stats().wakeups;
  SeveralTurns();
  const double ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - from).count();
  EXPECT_LE(static_cast<double>(door_->stats().wakeups - before), ms / 10 + 2);
}

TEST_F(FrontDoorTest, PutsARemovedSocketBack) {
  Start({.allowed_uid = ::geteuid(), .check_interval = absl::Milliseconds(10)});
  std::filesystem::remove(dir_ / "owner.sock");
  ASSERT_TRUE(events_.WaitForLosses(1));
  EXPECT_TRUE(events_.lost()[0].ok()) << events_.lost()[0];
  const shm::OwnedDescriptor socket = NewSocket();
  ASSERT_TRUE(Connect(socket, "owner.sock"));
  EXPECT_TRUE(events_.WaitForConnections(1));
}

TEST_F(FrontDoorTest, TellsOnceOfAStolenSocketAndTakesItBackWhenTheThiefHasGone) {
  Start({.allowed_uid = ::geteuid(), .check_interval = absl::Milliseconds(10)});
  Child thief({"steal", dir_ / "owner.sock"});
  ASSERT_EQ(thief.ReadLine(), "listening");
  const size_t told = 1;
  ASSERT_TRUE(events_.WaitForLosses(told));
  EXPECT_EQ(events_.lost()[told - 1].code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(events_.lost()[told - 1].message()),
              HasSubstr(std::to_string(thief.pid())));
  const uint64_t turns = door_->stats().wakeups;
  while (door_->stats().wakeups < turns + 5) ::usleep(1000);  // several checks later
  EXPECT_EQ(events_.lost().size(), told);                     // not told again
  thief.Signal(SIGKILL);
  thief.Reap();
  ASSERT_TRUE(events_.WaitForLosses(told + 1));
  EXPECT_TRUE(events_.lost()[told].ok());
}

TEST_F(FrontDoorTest, StopsAtOnceAndRemovesItsSockets) {
  Start();
  EXPECT_TRUE(std::filesystem::exists(dir_ / "owner.sock"));
  door_->Stop();
  door_->Stop();
  for (const char* name : {"owner.sock", "observer.sock", "side.sock"}) {
    EXPECT_FALSE(std::filesystem::exists(dir_ / name)) << name;
  }
  EXPECT_FALSE(Connect(NewSocket(), "owner.sock"));
}

}  // namespace
}  // namespace anex::door
