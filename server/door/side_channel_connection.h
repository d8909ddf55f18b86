// One client's side channel on the daemon's side: the protocol as a state machine, without a thread
// and without a clock of its own. SideChannelDoor drives it.
//
// Threads: one at a time (the door's).
// Invariants: the host hears SessionGone exactly once for each Attach that succeeded, at the
// transition out of kAttached. Nothing here blocks. At most Options::outbound_frames wait to be
// written.
#ifndef ANEX_SERVER_DOOR_SIDE_CHANNEL_CONNECTION_H_
#define ANEX_SERVER_DOOR_SIDE_CHANNEL_CONNECTION_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>

#include "absl/time/time.h"
#include "proto/shm/side_channel.h"
#include "server/door/peer.h"
#include "server/door/side_channel_host.h"

namespace anex::door {

class SideChannelConnection {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  struct Options {
    size_t outbound_frames = 64;
    absl::Duration hello_deadline = absl::Seconds(5);  // silent connections are dropped
    absl::Duration bye_linger = absl::Seconds(1);      // for the last frame to be written
    uint64_t max_offer_bytes = uint64_t{8} << 30;      // of one client-made region
  };

  //   kSilent --hello accepted--> kAttached --bye sent or received--> kLeaving --written--> kGone
  //      |                            |                                  ^
  //      +--hello refused, silence----|----------------------------------+
  //      +--end of file---------------+--end of file, exit, overload--> kGone
  enum class State {
    kSilent,    // connected, no hello yet; until the hello deadline
    kAttached,  // speaks for a session
    kLeaving,   // the last frame waits to be written; until the linger bound
    kGone,      // to be destroyed
  };

  SideChannelConnection(std::unique_ptr<shm::SideChannel> channel, const Peer& peer,
                        SideChannelHost& host, const Options& options, Instant now);
  // Ends with SessionEnd::kShutdown if it is still attached.
  ~SideChannelConnection();

  void Receive(Instant now);  // takes what is there, a bounded number of frames per call
  void Flush();               // writes what waits
  void Tick(Instant now);     // acts on deadlines
  void ProcessExited();
  void Leave(ByeReason reason, SessionEnd end, Instant now,
             absl::StatusCode status = absl::StatusCode::kOk);
  void Wake();  // one wake frame, unless one waits already

  State state() const { return state_; }
  bool wants_read() const { return state_ == State::kSilent || state_ == State::kAttached; }
  bool wants_write() const { return !queue_.empty() || flushing_; }
  // The session it speaks for; empty unless kAttached.
  SessionId session() const { return session_; }
  // When Tick is due; Instant::max() if never.
  Instant deadline() const { return deadline_; }
  int poll_descriptor() const { return channel_->poll_descriptor(); }
  short PollEvents() { return channel_->PollFor(wants_read(), wants_write()); }

 private:
  struct Outgoing {
    SideChannelFrame frame;
    shm::OwnedDescriptor descriptor;
  };

  void Handle(shm::ReceivedFrame received, Instant now);
  void HandleHello(const SideChannelFrame& frame, Instant now);
  void HandleClaim(const SideChannelFrame& frame);
  void HandleOffer(shm::ReceivedFrame received);
  absl::StatusOr<SideChannelFrame> TakeOffer(shm::ReceivedFrame received);
  void Queue(SideChannelFrame frame, shm::OwnedDescriptor descriptor = {});
  // Writes the frame at the front. True: it is out of the queue.
  absl::StatusOr<bool> SendFront();
  void EndSession(SessionEnd end);
  void Gone(SessionEnd end);

  const std::unique_ptr<shm::SideChannel> channel_;
  const Peer peer_;
  SideChannelHost& host_;
  const Options options_;
  State state_ = State::kSilent;
  SessionId session_;
  Instant deadline_;
  std::deque<Outgoing> queue_;
  bool flushing_ = false;  // the channel holds the tail of a frame
};

}  // namespace anex::door

#endif  // ANEX_SERVER_DOOR_SIDE_CHANNEL_CONNECTION_H_
