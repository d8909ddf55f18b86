// What tests of the side channel over XPC share: services on the double, pairs of ends, and the
// counts by which leaks show.
#ifndef ANEX_TESTS_APPLE_XPC_RIG_H_
#define ANEX_TESTS_APPLE_XPC_RIG_H_

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "proto/shm/side_channel.h"
#include "server/door/surface_service.h"
#include "tests/doubles/apple/xpc_double.h"

namespace anex::door {

// Keeps what a surface service tells.
class HeardService final : public SurfaceServiceEvents {
 public:
  void OnPeer(std::unique_ptr<shm::SideChannel> channel, const Peer& peer) override;
  void OnPeerRefused(const absl::Status& why) override;
  void OnServiceLost(const absl::Status& why) override;

  // The next peer; null after 20 s.
  std::unique_ptr<shm::SideChannel> WaitForPeer(Peer* who = nullptr);
  absl::Status WaitForRefusal();
  absl::Status WaitForLoss();
  size_t waiting();

 private:
  absl::Status WaitFor(absl::Status HeardService::*what);
  absl::Mutex mutex_;
  std::vector<std::pair<std::unique_ptr<shm::SideChannel>, Peer>> peers_ ABSL_GUARDED_BY(mutex_);
  absl::Status refusal_, loss_;
};

// A name that stands in a property list, another for each call.
std::string NewServiceName();

// The client's end first, the daemon's second.
shm::SideChannelPair MakeXpcPair();

// Everything that a leak would leave behind.
struct Holdings {
  size_t descriptors, objects;  // ports are descriptors here
  friend bool operator==(const Holdings&, const Holdings&) = default;

  static Holdings Now();
  static Holdings AtRest();  // once they change no more: what ends, ends on other threads
};
// Waits until it is so.
::testing::AssertionResult ComesBackTo(const Holdings& before);

}  // namespace anex::door

#endif  // ANEX_TESTS_APPLE_XPC_RIG_H_
