#include "tests/apple/xpc_rig.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <thread>

#include "absl/strings/str_cat.h"
#include "proto/shm/side_channel_xpc.h"
#include "server/door/surface_service_xpc.h"
#include "tests/system/processes.h"

namespace anex::door {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);

}  // namespace

void HeardService::OnPeer(std::unique_ptr<shm::SideChannel> channel, const Peer& peer) {
  absl::MutexLock lock(&mutex_);
  peers_.emplace_back(std::move(channel), peer);
}
void HeardService::OnPeerRefused(const absl::Status& why) {
  absl::MutexLock lock(&mutex_);
  refusal_ = why;
}
void HeardService::OnServiceLost(const absl::Status& why) {
  absl::MutexLock lock(&mutex_);
  loss_ = why;
}

std::unique_ptr<shm::SideChannel> HeardService::WaitForPeer(Peer* who) {
  const auto ready = [this] {
    mutex_.AssertHeld();
    return !peers_.empty();
  };
  absl::MutexLock lock(&mutex_);
  if (!mutex_.AwaitWithTimeout(absl::Condition(&ready), kPatience)) return nullptr;
  auto [channel, peer] = std::move(peers_.front());
  peers_.erase(peers_.begin());
  if (who != nullptr) *who = peer;
  return std::move(channel);
}
absl::Status HeardService::WaitFor(absl::Status HeardService::*what) {
  const auto ready = [this, what] {
    mutex_.AssertHeld();
    return !(this->*what).ok();
  };
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&ready), kPatience);
  return this->*what;
}
absl::Status HeardService::WaitForRefusal() { return WaitFor(&HeardService::refusal_); }
absl::Status HeardService::WaitForLoss() { return WaitFor(&HeardService::loss_); }
size_t HeardService::waiting() {
  absl::MutexLock lock(&mutex_);
  return peers_.size();
}

std::string NewServiceName() {
  static std::atomic<int> number{0};
  const std::string name = absl::StrCat("test.surfaces.", ++number);
  xpc_double::Advertise(name);
  return name;
}

shm::SideChannelPair MakeXpcPair() {
  const std::string name = NewServiceName();
  HeardService heard;
  auto service = StartXpcSurfaceService({.name = name, .allowed_uid = ::geteuid()}, heard);
  EXPECT_TRUE(service.ok()) << service.status();
  shm::SideChannelPair pair;
  pair.first = *shm::ConnectXpcSideChannel(name);
  pair.second = heard.WaitForPeer();
  EXPECT_NE(pair.second, nullptr);
  return pair;
}

Holdings Holdings::Now() {
  return {static_cast<size_t>(test::OpenDescriptors(::getpid())), xpc_double::LiveObjects()};
}

Holdings Holdings::AtRest() {
  Holdings last = Now();
  for (int unchanged = 0; unchanged < 20; ++unchanged) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    const Holdings now = Now();
    if (now != last) unchanged = 0;
    last = now;
  }
  return last;
}

::testing::AssertionResult ComesBackTo(const Holdings& before) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  Holdings now = Holdings::Now();
  while (now != before && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    now = Holdings::Now();
  }
  if (now == before) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << now.descriptors << " descriptors and " << now.objects
         << " objects are left, there were " << before.descriptors << " and " << before.objects;
}

}  // namespace anex::door
