// One XPC connection and what came over it, between XPC's threads and one owner. For .mm files.
//
// XPC sends without waiting and without a bound, and calls a handler for each message as fast as
// they come. Here both have a bound: at most kMostXpcUnsent messages wait to be sent (a barrier
// after each tells when it is out), and when kMostXpcReceived wait to be looked at the connection
// is suspended, so that the rest stays with the peer.
//
// Life. The connection, its handler and the line hold each other until XPC has said that the
// connection is invalid, which it does last and once. Close asks for that, after what was sent is
// out, or after kGoodbye if a peer that does not read holds it up.
//
// Threads: any. The handler runs on XPC's threads, one call at a time. XPC is not called with the
// mutex held, but for suspending and resuming, whose order the mutex gives.
#ifndef ANEX_PROTO_SHM_XPC_LINE_H_
#define ANEX_PROTO_SHM_XPC_LINE_H_

#include <sys/types.h>

#include <deque>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "proto/shm/doorbell.h"
#include "proto/shm/side_channel_xpc.h"
#include "proto/shm/xpc_message.h"
#include "proto/shm/xpc_ptr.h"

namespace anex::shm {

class XpcLine : public std::enable_shared_from_this<XpcLine> {
 public:
  static constexpr absl::Duration kGoodbye = absl::Seconds(2);

  // `bell`: for an owner that polls. `served_by`: the only user whose messages are taken.
  XpcLine(XpcPtr connection, std::optional<Doorbell> bell, std::optional<uid_t> served_by)
      : served_by_(served_by), bell_(std::move(bell)), connection_(std::move(connection)) {}

  // Once. The connection gets this as its handler and is activated.
  void Start();
  // Idempotent. What was received may still be taken; nothing more comes.
  void Close();

  // False: kMostXpcUnsent wait already. UNAVAILABLE after the end.
  absl::StatusOr<bool> HasRoom();
  // REQUIRES: HasRoom was true, and no other sender.
  absl::Status Send(const XpcPtr& message);
  // The oldest that waits; after the last one the reason of the end.
  absl::StatusOr<std::optional<XpcMessage>> Take();
  // True when Take, or Send, is worth trying again; false when `timeout` has passed first.
  bool WaitToTake(absl::Duration timeout);
  bool WaitForRoom(absl::Duration timeout);

  // The bell rings as long as one of these is so, and is asked for: there is something to take (or
  // an end), there is room to send (or an end). The former is asked for at first.
  void RingFor(bool something_to_take, bool room);
  int poll_descriptor() const { return bell_ ? bell_->poll_descriptor() : -1; }

 private:
  void Handle(xpc_object_t event_untrusted);
  void HandleError(xpc_object_t error);
  bool IsServedByTheRightUser();
  void Receive(absl::StatusOr<XpcMessage> message);
  void Sent();
  // No more is received; nor sent, if the connection is `gone`. The first reason stays.
  void End(absl::Status why, bool gone);
  void Cancel();
  XpcPtr connection() ABSL_LOCKS_EXCLUDED(mutex_);

  bool ended() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !end_.ok(); }
  bool can_take() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !received_.empty() || ended();
  }
  bool has_room() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return unsent_ < kMostXpcUnsent || gone_;
  }
  void UpdateBell() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::optional<uid_t> served_by_;
  const std::optional<Doorbell> bell_;
  absl::Mutex mutex_;
  XpcPtr connection_ ABSL_GUARDED_BY(mutex_);  // empty once it is invalid
  std::deque<XpcMessage> received_ ABSL_GUARDED_BY(mutex_);
  absl::Status end_ ABSL_GUARDED_BY(mutex_);  // OK until the end
  bool gone_ ABSL_GUARDED_BY(mutex_) = false;
  size_t unsent_ ABSL_GUARDED_BY(mutex_) = 0;
  bool known_user_ ABSL_GUARDED_BY(mutex_) = false;
  bool suspended_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  bool ring_to_take_ ABSL_GUARDED_BY(mutex_) = true;
  bool ring_for_room_ ABSL_GUARDED_BY(mutex_) = false;
  bool ringing_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace anex::shm

#endif  // ANEX_PROTO_SHM_XPC_LINE_H_
