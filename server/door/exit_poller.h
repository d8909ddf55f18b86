// The part of PeerExit that each system has its own of: pidfd and epoll on Linux, kqueue on macOS.
//
// Threads: Wait from one thread, the others from any.
#ifndef ANEX_SERVER_DOOR_EXIT_POLLER_H_
#define ANEX_SERVER_DOOR_EXIT_POLLER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/door/peer.h"

namespace anex::door {

class ExitPoller {
 public:
  static absl::StatusOr<std::unique_ptr<ExitPoller>> Create();
  virtual ~ExitPoller() = default;

  // Adds the process that connected `socket` under `id`, which is new and not 0.
  virtual absl::Status Add(uint64_t id, int socket, const Peer& peer) = 0;
  virtual void Remove(uint64_t id) = 0;  // unknown ids are ignored
  // Blocks until processes have gone or Interrupt was called; the ids of those gone, each told
  // once.
  virtual std::vector<uint64_t> Wait() = 0;
  virtual void Interrupt() = 0;
};

}  // namespace anex::door

#endif  // ANEX_SERVER_DOOR_EXIT_POLLER_H_
