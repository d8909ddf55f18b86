#include "server/door/peer.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "proto/shm/owned_descriptor.h"
#include "server/door/accept.h"
#include "server/door/instance_lock.h"
#include "server/door/listen_sockets.h"
#include "server/door/peer_exit.h"
#include "tests/door/child.h"
#include "tests/door/temp_dir.h"

namespace anex::door {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);

// A listener, and children that connect to it.
class Peers : public ::testing::Test {
 protected:
  struct Connected {
    std::unique_ptr<Child> child;
    shm::OwnedDescriptor socket;
  };
  Connected Connect(const std::string& role = "client") {
    Connected made{
        .child = std::make_unique<Child>(std::vector<std::string>{role, listener_->path(), "1"})};
    // The listener does not block; wait for the child to come.
    for (;;) {
      made.socket = AcceptConnection(listener_->descriptor());
      if (made.socket.valid()) return made;
      fd_set set;
      FD_ZERO(&set);
      FD_SET(listener_->descriptor(), &set);
      timeval patience{20, 0};
      if (::select(listener_->descriptor() + 1, &set, nullptr, nullptr, &patience) != 1)
        return made;
    }
  }

  TempDir dir_;
  absl::StatusOr<InstanceLock> lock_ = InstanceLock::Acquire(dir_.path());
  absl::StatusOr<ListenSocket> listener_ = ListenOwn(*lock_, ListenerRole::kSideChannel, "p.sock");
  std::unique_ptr<PeerExit> exits_ = *PeerExit::Start();
};

TEST_F(Peers, AreWhatTheKernelSaysOfTheProcessThatConnected) {
  Connected one = Connect(), two = Connect();
  absl::StatusOr<Peer> first = PeerOf(one.socket.get()), second = PeerOf(two.socket.get());
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(first->pid, one.child->pid());
  EXPECT_EQ(second->pid, two.child->pid());
  EXPECT_EQ(first->uid, ::geteuid());
  EXPECT_EQ(first->gid, ::getegid());
  EXPECT_GT(first->start_time, 0u);
  EXPECT_LE(first->start_time, second->start_time);
  EXPECT_EQ(*PeerOf(one.socket.get()), *first);
}

TEST_F(Peers, ThatHaveGoneAreUnavailable) {
  Connected one = Connect();
  one.child->Signal(SIGKILL);
  one.child->Reap();
  EXPECT_EQ(PeerOf(one.socket.get()).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(Peers, AnExitIsToldOnce) {
  Connected one = Connect();
  const Peer peer = *PeerOf(one.socket.get());
  std::atomic<int> told{0};
  absl::Notification gone, other_gone;
  ASSERT_TRUE(exits_
                  ->Watch(one.socket.get(), peer,
                          [&] {
                            if (++told == 1) gone.Notify();
                          })
                  .ok());
  EXPECT_EQ(exits_->watched(), 1u);
  EXPECT_FALSE(gone.HasBeenNotified());
  one.child->Signal(SIGKILL);
  EXPECT_TRUE(gone.WaitForNotificationWithTimeout(kPatience));
  // Another exit passes through the same thread after it: a second telling would have come before.
  Connected two = Connect();
  ASSERT_TRUE(
      exits_->Watch(two.socket.get(), *PeerOf(two.socket.get()), [&] { other_gone.Notify(); })
          .ok());
  two.child->Signal(SIGKILL);
  EXPECT_TRUE(other_gone.WaitForNotificationWithTimeout(kPatience));
  EXPECT_EQ(told, 1);
  EXPECT_EQ(exits_->watched(), 0u);
}

TEST_F(Peers, SeveralWatchesOfOneProcessAreAllTold) {
  Connected one = Connect();
  const Peer peer = *PeerOf(one.socket.get());
  absl::Notification first, second;
  ASSERT_TRUE(exits_->Watch(one.socket.get(), peer, [&] { first.Notify(); }).ok());
  ASSERT_TRUE(exits_->Watch(one.socket.get(), peer, [&] { second.Notify(); }).ok());
  one.child->Signal(SIGKILL);
  EXPECT_TRUE(first.WaitForNotificationWithTimeout(kPatience));
  EXPECT_TRUE(second.WaitForNotificationWithTimeout(kPatience));
}

TEST_F(Peers, AnExitIsNotToldAfterUnwatch) {
  Connected one = Connect(), two = Connect();
  std::atomic<bool> told{false};
  absl::Notification other_gone;
  auto watch = exits_->Watch(one.socket.get(), *PeerOf(one.socket.get()), [&] { told = true; });
  ASSERT_TRUE(watch.ok());
  ASSERT_TRUE(
      exits_->Watch(two.socket.get(), *PeerOf(two.socket.get()), [&] { other_gone.Notify(); })
          .ok());
  exits_->Unwatch(*watch);
  exits_->Unwatch(*watch);  // twice is nothing
  exits_->Unwatch(12345);
  one.child->Signal(SIGKILL);
  one.child->Reap();
  two.child->Signal(SIGKILL);
  EXPECT_TRUE(other_gone.WaitForNotificationWithTimeout(kPatience));
  EXPECT_FALSE(told);
}

TEST_F(Peers, ACallbackMayUnwatchItself) {
  Connected one = Connect();
  absl::Notification done;
  PeerExit::WatchId id = 0;
  absl::Notification id_known;
  auto watch = exits_->Watch(one.socket.get(), *PeerOf(one.socket.get()), [&] {
    id_known.WaitForNotification();
    exits_->Unwatch(id);
    done.Notify();
  });
  ASSERT_TRUE(watch.ok());
  id = *watch;
  id_known.Notify();
  one.child->Signal(SIGKILL);
  EXPECT_TRUE(done.WaitForNotificationWithTimeout(kPatience));
}

TEST_F(Peers, ADeadOrReusedProcessIsNotWatched) {
  Connected one = Connect(), two = Connect();
  Peer reused = *PeerOf(one.socket.get());
  reused.start_time += 1;  // the same number, another process
  EXPECT_EQ(exits_->Watch(one.socket.get(), reused, [] {}).status().code(),
            absl::StatusCode::kUnavailable);
  const Peer peer = *PeerOf(two.socket.get());
  two.child->Signal(SIGKILL);
  two.child->Reap();
  EXPECT_EQ(exits_->Watch(two.socket.get(), peer, [] {}).status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(exits_->watched(), 0u);
}

}  // namespace
}  // namespace anex::door
