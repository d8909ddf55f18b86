#include "proto/shm/xpc_line.h"

#import <Foundation/Foundation.h>
#include <dispatch/dispatch.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace anex::shm {
namespace {

absl::Status EndOf(xpc_object_t error) {
  if (error == XPC_ERROR_CONNECTION_INTERRUPTED) {
    return absl::UnavailableError("side channel: the daemon ended");
  }
  if (error == XPC_ERROR_TERMINATION_IMMINENT) {
    return absl::UnavailableError("side channel: the system ends this process");
  }
  return absl::UnavailableError("side channel: the peer closed it, or nobody serves its name");
}

}  // namespace

void XpcLine::Start() {
  // The block keeps the line by this copy; XPC lets go of the block with the connection.
  const std::shared_ptr<XpcLine> line = shared_from_this();
  const XpcPtr kept = connection();
  xpc_connection_set_event_handler(kept.get(), ^(xpc_object_t event) {
    line->Handle(event);
  });
  xpc_connection_activate(kept.get());
}

XpcPtr XpcLine::connection() {
  absl::MutexLock lock(&mutex_);
  return XpcPtr::Retain(connection_.get());
}

void XpcLine::Handle(xpc_object_t event_untrusted) {
  if (xpc_get_type(event_untrusted) == XPC_TYPE_ERROR) return HandleError(event_untrusted);
  {
    absl::MutexLock lock(&mutex_);
    if (ended()) return;  // what rides on it is not even looked at
  }
  if (!IsServedByTheRightUser()) return;
  Receive(OpenXpcMessageUntrusted(event_untrusted));
}

void XpcLine::HandleError(xpc_object_t error) {
  End(EndOf(error), error != XPC_ERROR_TERMINATION_IMMINENT);
  if (error != XPC_ERROR_CONNECTION_INVALID) {
    // An interrupted connection would start a new daemon, which knows nothing of this session, with
    // the next message. On a listener's side the owner closes.
    if (error == XPC_ERROR_CONNECTION_INTERRUPTED) Cancel();
    return;
  }
  XpcPtr last;  // with its handler, which holds this line: released without the mutex
  absl::MutexLock lock(&mutex_);
  std::swap(last, connection_);
  unsent_ = 0;
}

// Known from its first message on.
bool XpcLine::IsServedByTheRightUser() {
  XpcPtr kept;
  {
    absl::MutexLock lock(&mutex_);
    if (!served_by_ || known_user_ || !connection_) return true;
    kept = XpcPtr::Retain(connection_.get());
  }
  const uid_t uid = xpc_connection_get_euid(kept.get());
  if (uid != *served_by_) {
    End(absl::FailedPreconditionError(
            absl::StrCat("side channel: the service of this name is user ", uid,
                         "'s: anexd must be run by the user of its clients")),
        /*gone=*/true);
    Cancel();
    return false;
  }
  absl::MutexLock lock(&mutex_);
  known_user_ = true;
  return true;
}

void XpcLine::Receive(absl::StatusOr<XpcMessage> message) {
  if (!message.ok()) return End(message.status(), /*gone=*/false);  // a goodbye can be sent
  absl::MutexLock lock(&mutex_);
  if (ended()) return;
  received_.push_back(*std::move(message));
  if (received_.size() >= kMostXpcReceived && !suspended_ && connection_) {
    suspended_ = true;  // holds before the handler is called again, as this is the handler
    xpc_connection_suspend(connection_.get());
  }
  UpdateBell();
}

void XpcLine::End(absl::Status why, bool gone) {
  absl::MutexLock lock(&mutex_);
  if (end_.ok()) end_ = std::move(why);
  gone_ |= gone;
  UpdateBell();
}

void XpcLine::Close() {
  XpcPtr kept;
  bool held_up = false;
  {
    absl::MutexLock lock(&mutex_);
    if (end_.ok()) end_ = absl::UnavailableError("side channel: it was closed on this side");
    gone_ = true;
    UpdateBell();
    if (std::exchange(closed_, true) || !connection_) return;
    if (std::exchange(suspended_, false)) xpc_connection_resume(connection_.get());
    kept = XpcPtr::Retain(connection_.get());
    held_up = unsent_ > 0;
  }
  const std::shared_ptr<XpcLine> line = shared_from_this();
  xpc_connection_send_barrier(kept.get(), ^{
    line->Cancel();
  });
  if (!held_up) return;
  const std::weak_ptr<XpcLine> by_then = line;  // what is over by then is not kept for this
  dispatch_after(dispatch_time(DISPATCH_TIME_NOW, absl::ToInt64Nanoseconds(kGoodbye)),
                 dispatch_get_global_queue(QOS_CLASS_DEFAULT, 0), ^{
                   if (const std::shared_ptr<XpcLine> still = by_then.lock()) still->Cancel();
                 });
}

void XpcLine::Cancel() {
  XpcPtr kept;
  {
    absl::MutexLock lock(&mutex_);
    if (!connection_ || std::exchange(cancelled_, true)) return;
    // XPC says that it is invalid through the handler, which a suspended connection does not call.
    if (std::exchange(suspended_, false)) xpc_connection_resume(connection_.get());
    kept = XpcPtr::Retain(connection_.get());
  }
  xpc_connection_cancel(kept.get());
}

absl::StatusOr<bool> XpcLine::HasRoom() {
  absl::MutexLock lock(&mutex_);
  if (gone_) return absl::UnavailableError("side channel: the peer closed it");
  return has_room();
}

absl::Status XpcLine::Send(const XpcPtr& message) {
  XpcPtr kept;
  {
    absl::MutexLock lock(&mutex_);
    if (gone_ || !connection_) return absl::UnavailableError("side channel: the peer closed it");
    ++unsent_;
    kept = XpcPtr::Retain(connection_.get());
  }
  const std::shared_ptr<XpcLine> line = shared_from_this();
  xpc_connection_send_message(kept.get(), message.get());
  xpc_connection_send_barrier(kept.get(), ^{
    line->Sent();
  });
  return absl::OkStatus();
}

void XpcLine::Sent() {
  absl::MutexLock lock(&mutex_);
  if (unsent_ > 0) --unsent_;
  UpdateBell();
}

absl::StatusOr<std::optional<XpcMessage>> XpcLine::Take() {
  absl::MutexLock lock(&mutex_);
  if (received_.empty()) {
    if (ended()) return end_;
    return std::optional<XpcMessage>();
  }
  std::optional<XpcMessage> oldest = std::move(received_.front());
  received_.pop_front();
  if (suspended_ && received_.size() <= kMostXpcReceived / 2 && connection_) {
    suspended_ = false;
    xpc_connection_resume(connection_.get());
  }
  UpdateBell();
  return oldest;
}

bool XpcLine::WaitToTake(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  const auto ready = [this] {
    mutex_.AssertHeld();
    return can_take();
  };
  return mutex_.AwaitWithTimeout(absl::Condition(&ready), timeout);
}

bool XpcLine::WaitForRoom(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  const auto ready = [this] {
    mutex_.AssertHeld();
    return has_room();
  };
  return mutex_.AwaitWithTimeout(absl::Condition(&ready), timeout);
}

void XpcLine::RingFor(bool something_to_take, bool room) {
  absl::MutexLock lock(&mutex_);
  ring_to_take_ = something_to_take;
  ring_for_room_ = room;
  UpdateBell();
}

void XpcLine::UpdateBell() {
  if (!bell_) return;
  const bool ring = (ring_to_take_ && can_take()) || (ring_for_room_ && has_room());
  if (ring == ringing_) return;
  ring ? bell_->Ring() : bell_->Drain();
  ringing_ = ring;
}

}  // namespace anex::shm
