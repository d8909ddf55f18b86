// Owns the side channels after they were accepted: one thread waits on all of them, on the exit of
// the processes behind them, and on what the daemon wants to tell them. The end of a side channel
// is the end of its session.
//
// Death. End of file or the exit notice of the process that connected, whichever comes first, ends
// the session, exactly once. A forked child that holds the socket does not keep the session. A
// stopped process is alive: nothing is ever concluded from silence after hello.
//
// Threads: all methods from any thread but Stop, which is for one. Lock order: none of the door's
// locks is held while the host or PeerExit is called.
#ifndef ANEX_SERVER_DOOR_SIDE_CHANNEL_DOOR_H_
#define ANEX_SERVER_DOOR_SIDE_CHANNEL_DOOR_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "proto/shm/doorbell.h"
#include "proto/shm/owned_descriptor.h"
#include "server/door/peer.h"
#include "server/door/peer_exit.h"
#include "server/door/side_channel_connection.h"
#include "server/door/side_channel_host.h"

namespace anex::door {

class SideChannelDoor {
 public:
  struct Options {
    size_t max_connections = 512;  // those that have not said hello count too
    SideChannelConnection::Options connection;
  };

  // `host` and `exits` must outlive the door.
  static absl::StatusOr<std::unique_ptr<SideChannelDoor>> Start(const Options& options,
                                                                SideChannelHost& host,
                                                                PeerExit& exits);
  ~SideChannelDoor();
  SideChannelDoor(const SideChannelDoor&) = delete;
  SideChannelDoor& operator=(const SideChannelDoor&) = delete;

  // For connections that come from now on.
  void SetOptions(const Options& options);

  // Takes an accepted connection of `peer`. Over the bound it says bye{overloaded} and closes:
  // RESOURCE_EXHAUSTED. UNAVAILABLE if the process has exited already.
  absl::Status Adopt(shm::OwnedDescriptor socket, const Peer& peer);
  // The same for a channel that itself ends with the process of `peer`, as an XPC connection does:
  // ports are not inherited by children, so there is no exit to watch for.
  absl::Status Adopt(std::unique_ptr<shm::SideChannel> channel, const Peer& peer);
  // Says goodbye to a session's client and ends its side channel. SessionGone(kNotified) follows.
  // Unknown sessions are ignored. Never blocks.
  void Notify(SessionId session, ByeReason reason);
  // Sends a wake frame to a session's client. Several before the client looks are one.
  void Wake(SessionId session);
  // Says goodbye to everybody, ends all sessions (SessionEnd::kShutdown), ends the thread.
  // Idempotent.
  void Stop(ByeReason reason = ByeReason::kDraining);
  size_t connections() const;

 private:
  struct Held {
    std::unique_ptr<SideChannelConnection> connection;
    std::optional<PeerExit::WatchId> watch;  // none for what tells by itself
    // Set before the exit notice is posted: a notice that overtakes its connection is not lost.
    std::shared_ptr<std::atomic<bool>> exited;
  };
  // What other threads ask of the door's thread.
  struct Inbox {
    std::vector<std::pair<uint64_t, Held>> adopted;
    std::vector<uint64_t> exited;  // connection ids
    std::vector<std::pair<SessionId, ByeReason>> byes;
    std::vector<SessionId> wakes;
  };

  SideChannelDoor(const Options& options, SideChannelHost& host, PeerExit& exits,
                  shm::Doorbell bell)
      : host_(host), exits_(exits), bell_(std::move(bell)), options_(options) {}
  Options options() const;
  absl::StatusOr<uint64_t> Reserve();  // a place and a connection id
  void Unreserve();
  // `socket`: by which the exit of its process is watched; -1 for none.
  absl::Status Take(std::unique_ptr<shm::SideChannel> channel, const Peer& peer, int socket);
  void Exited(uint64_t id);
  void Unwatch(const Held& held);
  void Loop();
  void PollOnce();
  void EmptyInbox();
  void RemoveGone();
  SideChannelConnection* Find(SessionId session);

  SideChannelHost& host_;
  PeerExit& exits_;
  const shm::Doorbell bell_;
  std::unordered_map<uint64_t, Held> held_;       // the loop's thread only; by connection id
  ByeReason stop_reason_ = ByeReason::kDraining;  // written before stop_

  mutable absl::Mutex mutex_;
  Options options_ ABSL_GUARDED_BY(mutex_);
  Inbox inbox_ ABSL_GUARDED_BY(mutex_);
  size_t places_taken_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace anex::door

#endif  // ANEX_SERVER_DOOR_SIDE_CHANNEL_DOOR_H_
