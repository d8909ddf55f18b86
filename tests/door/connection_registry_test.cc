#include "server/door/connection_registry.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/system/descriptors.h"

namespace anex::door {
namespace {

constexpr Peer kAlice{.uid = 1000, .gid = 100, .pid = 71, .start_time = 5};
constexpr Peer kAliceLater{.uid = 1000, .gid = 100, .pid = 72, .start_time = 9};
constexpr Peer kBob{.uid = 2000, .gid = 100, .pid = 81, .start_time = 6};

shm::OwnedDescriptor NewSocket() { return shm::OwnedDescriptor(test::NewSocket()); }

TEST(ConnectionRegistry, FindsAConnectionByItsNumberAndByGrpcsNameOfIt) {
  ConnectionRegistry registry(8);
  auto owner = registry.Register(NewSocket(), kAlice, ListenerRole::kOwner);
  auto observer = registry.Register(NewSocket(), kBob, ListenerRole::kObserver);
  ASSERT_TRUE(owner.ok() && observer.ok());
  EXPECT_EQ(registry.Find(owner->get())->peer, kAlice);
  const auto found = registry.FindGrpcPeer("fd:" + std::to_string(observer->get()));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->peer, kBob);
  EXPECT_EQ(found->role, ListenerRole::kObserver);
  EXPECT_FALSE(registry.Find(12345).has_value());
}

TEST(ConnectionRegistry, TakesNoOtherTextForAPeer) {
  ConnectionRegistry registry(8);
  auto fd = registry.Register(NewSocket(), kAlice, ListenerRole::kOwner);
  const std::string number = std::to_string(fd->get());
  const std::vector<std::string> texts = {"",
                                          number,
                                          "unix:" + number,
                                          "fd:",
                                          "fd:x",
                                          "fd:" + number + "x",
                                          "fd:-" + number,
                                          "fd:99999999999999999999",
                                          "ipv4:127.0.0.1:" + number};
  for (const std::string& text : texts) {
    EXPECT_FALSE(registry.FindGrpcPeer(text).has_value()) << text;
  }
}

TEST(ConnectionRegistry, OneProcessHasAQuarterOfThePlaces) {
  ConnectionRegistry registry(72);
  std::vector<shm::OwnedDescriptor> open;
  for (int i = 0; i < 18; ++i) {
    open.push_back(*registry.Register(NewSocket(), kAlice, ListenerRole::kOwner));
  }
  const absl::Status refused =
      registry.Register(NewSocket(), kAlice, ListenerRole::kObserver).status();
  EXPECT_EQ(refused.message(), "connections_per_process=18: pid 71 has that many open");
  open.push_back(*registry.Register(NewSocket(), kAliceLater, ListenerRole::kOwner));
  open.erase(open.begin());  // closed by whoever has it now, which nobody tells
  EXPECT_TRUE(registry.Register(NewSocket(), kAlice, ListenerRole::kOwner).ok());
}

TEST(ConnectionRegistry, ANumberThatIsUsedAgainStandsForItsNewConnection) {
  ConnectionRegistry registry(8);
  auto first = registry.Register(NewSocket(), kAlice, ListenerRole::kOwner);
  const int number = first->get();
  first->Reset();
  shm::OwnedDescriptor socket = NewSocket();
  ASSERT_EQ(socket.get(), number);
  auto second = registry.Register(std::move(socket), kAliceLater, ListenerRole::kOwner);
  EXPECT_EQ(second->get(), number);
  EXPECT_EQ(registry.Find(number)->peer, kAliceLater);
  EXPECT_EQ(registry.CountOpen(), 1u);
}

// A call of a closed observer connection that is still being handled must not turn into an owner's.
TEST(ConnectionRegistry, ANumberNeverChangesItsUserOrRole) {
  ConnectionRegistry registry(8);
  auto observer = registry.Register(NewSocket(), kAlice, ListenerRole::kObserver);
  const int number = observer->get();
  observer->Reset();
  auto owner = registry.Register(NewSocket(), kAlice, ListenerRole::kOwner);
  ASSERT_TRUE(owner.ok());
  EXPECT_NE(owner->get(), number);
  EXPECT_EQ(::fcntl(owner->get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  EXPECT_EQ(registry.Find(number)->role, ListenerRole::kObserver);
  EXPECT_EQ(registry.Find(owner->get())->role, ListenerRole::kOwner);
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);  // the number it had before was given back
  auto bob = registry.Register(NewSocket(), kBob, ListenerRole::kObserver);
  EXPECT_NE(bob->get(), number);
  EXPECT_EQ(registry.CountOpen(), 2u);
}

TEST(ConnectionRegistry, CountsOnlyWhatIsOpenAgainstItsBound) {
  ConnectionRegistry registry(3);
  std::vector<shm::OwnedDescriptor> open;
  for (int i = 0; i < 3; ++i) {
    open.push_back(*registry.Register(NewSocket(), kAlice, ListenerRole::kOwner));
  }
  shm::OwnedDescriptor fourth = NewSocket();
  const int number = fourth.get();
  const absl::Status full =
      registry.Register(std::move(fourth), kAlice, ListenerRole::kOwner).status();
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(full.message(), "connections=3");
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);  // closed
  open[1].Reset();                          // as gRPC does, without a word
  EXPECT_TRUE(registry.Register(NewSocket(), kAlice, ListenerRole::kOwner).ok());
}

// The number is open again, but as something that the registry knows nothing of.
TEST(ConnectionRegistry, IsNotFooledByANumberThatBecameSomethingElse) {
  ConnectionRegistry registry(1);
  auto first = registry.Register(NewSocket(), kAlice, ListenerRole::kOwner);
  const int number = first->get();
  first->Reset();
  const shm::OwnedDescriptor other = NewSocket();
  ASSERT_EQ(other.get(), number);
  EXPECT_EQ(registry.CountOpen(), 0u);
}

}  // namespace
}  // namespace anex::door
