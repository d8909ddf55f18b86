// Tells, once, that a process has gone: also when a forked child still holds its sockets, so that
// no end of file comes. One thread for all watched processes. A stopped process is alive.
//
// Threads: all methods from any thread. Callbacks run on the watcher's thread, one at a time; they
// must be short and may not destroy the PeerExit. Invariant: a callback runs at most once, and not
// after Unwatch has returned.
#ifndef ANEX_SERVER_DOOR_PEER_EXIT_H_
#define ANEX_SERVER_DOOR_PEER_EXIT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <unordered_map>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/door/exit_poller.h"
#include "server/door/peer.h"

namespace anex::door {

class PeerExit {
 public:
  using WatchId = uint64_t;  // never reused

  static absl::StatusOr<std::unique_ptr<PeerExit>> Start();
  ~PeerExit();
  PeerExit(const PeerExit&) = delete;
  PeerExit& operator=(const PeerExit&) = delete;

  // Calls `gone` once when the process that connected `socket` has exited. `peer` is
  // PeerOf(socket); the socket may be closed afterwards. UNAVAILABLE if the process has gone
  // already (then `gone` is not called), RESOURCE_EXHAUSTED if descriptors are short.
  absl::StatusOr<WatchId> Watch(int socket, const Peer& peer, std::function<void()> gone);
  // After this the callback of `id` is not running and will not run. From within that callback it
  // only returns. Unknown ids are ignored.
  void Unwatch(WatchId id);
  size_t watched() const;

 private:
  explicit PeerExit(std::unique_ptr<ExitPoller> poller);
  void Loop();
  void Tell(WatchId id);

  const std::unique_ptr<ExitPoller> poller_;
  mutable absl::Mutex mutex_;
  std::unordered_map<WatchId, std::function<void()>> watches_ ABSL_GUARDED_BY(mutex_);
  WatchId last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  WatchId telling_ ABSL_GUARDED_BY(mutex_) = 0;  // whose callback runs; 0 = none
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace anex::door

#endif  // ANEX_SERVER_DOOR_PEER_EXIT_H_
