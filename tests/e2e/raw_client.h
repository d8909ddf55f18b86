// A client that speaks the protocol itself, so that it can do what the SDK never does: go without a
// word, and write what it likes into its ring.
//
// Threads: one owner. Everything is on the daemon's side as it is for any client.
#ifndef ANEX_TESTS_E2E_RAW_CLIENT_H_
#define ANEX_TESTS_E2E_RAW_CLIENT_H_

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/shm/ring.h"
#include "proto/shm/side_channel.h"
#include "proto/wire/ring_entry.h"

namespace anex::test {

// A connection of its own.
std::shared_ptr<grpc::Channel> NewChannel(const std::string& socket);

class RawClient {
 public:
  // A session with its side channel.
  static absl::StatusOr<std::unique_ptr<RawClient>> Open(std::shared_ptr<grpc::Channel> channel,
                                                         const std::string& name);
  // The side channel closes without a goodbye, as when the process dies.
  ~RawClient() = default;

  // MatmulProgram (fixture.h) with surfaces for all ports, prepared; a lane with a ring of
  // `entries`; a fence that stays at 0; `kernel_digest` is that of a kernel which is loaded.
  absl::Status MakeWork(const std::string& kernel_digest, uint32_t entries);

  RingSubmission Run(uint64_t user_data = 0) const {
    return {.user_data = user_data, .target = invocation_};
  }
  // Is not over before somebody signals the fence.
  RingSubmission Wait(uint64_t user_data = 0) const {
    return {.verb = RingVerb::kFenceWait, .user_data = user_data, .target = fence_, .argument = 1};
  }
  // Another ring of `entries` instead of the one that it has, with a lane of its own as that had.
  absl::Status RenewRing(uint32_t entries);
  size_t Put(const RingSubmission& entry) { return ring_->Submit(std::span(&entry, 1)); }
  shm::ClientRing& ring() { return *ring_; }
  // The ring's memory as a client may write it.
  shm::RingParts Parts() const;

 private:
  RawClient() = default;
  absl::Status Attach(const std::string& path, const std::string& token_hex);
  absl::StatusOr<shm::ReceivedFrame> Claim(const std::string& token_hex);
  absl::Status OpenRing(uint32_t entries);

  std::shared_ptr<grpc::Channel> channel_;
  std::string secret_;
  std::unique_ptr<shm::SideChannel> side_;
  uint32_t requests_ = 0;
  uint64_t invocation_ = 0, lane_ = 0, fence_ = 0;
  std::vector<std::shared_ptr<shm::SharedRegion>> mapped_;
  std::shared_ptr<shm::SharedRegion> region_;
  std::unique_ptr<shm::ClientRing> ring_;
};

}  // namespace anex::test

#endif  // ANEX_TESTS_E2E_RAW_CLIENT_H_
