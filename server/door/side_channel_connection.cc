#include "server/door/side_channel_connection.h"

#include <utility>

namespace anex::door {
namespace {

// Frames taken from one connection before the others get their turn.
constexpr int kReceiveBatch = 16;

}  // namespace

std::string_view SessionEndName(SessionEnd end) {
  switch (end) {
    case SessionEnd::kEndOfFile:
      return "end of file";
    case SessionEnd::kProcessExit:
      return "process exited";
    case SessionEnd::kClientBye:
      return "client closed";
    case SessionEnd::kProtocolError:
      return "protocol error";
    case SessionEnd::kOverloaded:
      return "client does not read";
    case SessionEnd::kNotified:
      return "ended by the daemon";
    case SessionEnd::kShutdown:
      return "daemon shut down";
  }
  return "?";
}

SideChannelConnection::SideChannelConnection(std::unique_ptr<shm::SideChannel> channel,
                                             const Peer& peer, SideChannelHost& host,
                                             const Options& options, Instant now)
    : channel_(std::move(channel)),
      peer_(peer),
      host_(host),
      options_(options),
      deadline_(now + absl::ToChronoNanoseconds(options.hello_deadline)) {}

SideChannelConnection::~SideChannelConnection() { EndSession(SessionEnd::kShutdown); }

void SideChannelConnection::EndSession(SessionEnd end) {
  if (!session_) return;
  const SessionId session = std::exchange(session_, SessionId());
  host_.SessionGone(session, end);
}

void SideChannelConnection::Gone(SessionEnd end) {
  state_ = State::kGone;
  queue_.clear();
  flushing_ = false;
  EndSession(end);
}

void SideChannelConnection::Leave(ByeReason reason, SessionEnd end, Instant now,
                                  absl::StatusCode status) {
  if (!wants_read()) return;
  state_ = State::kLeaving;
  deadline_ = now + absl::ToChronoNanoseconds(options_.bye_linger);
  queue_.push_back(
      {.frame = SideChannelFrame::Bye(reason, status)});  // one past the bound is allowed
  Flush();
  EndSession(end);
}

void SideChannelConnection::ProcessExited() { Gone(SessionEnd::kProcessExit); }

void SideChannelConnection::Tick(Instant now) {
  if (now < deadline_) return;
  if (state_ == State::kSilent) {
    Leave(ByeReason::kTimeout, SessionEnd::kProtocolError, now);
  } else if (state_ == State::kLeaving) {
    state_ = State::kGone;
  }
}

void SideChannelConnection::Wake() {
  if (state_ != State::kAttached) return;
  for (const Outgoing& waiting : queue_) {
    if (waiting.frame.kind == FrameKind::kWake) return;
  }
  Queue(SideChannelFrame::Wake());
}

void SideChannelConnection::Queue(SideChannelFrame frame, shm::OwnedDescriptor descriptor) {
  if (queue_.size() >= options_.outbound_frames) {
    Gone(SessionEnd::kOverloaded);
    return;
  }
  queue_.push_back({.frame = frame, .descriptor = std::move(descriptor)});
  Flush();
}

absl::StatusOr<bool> SideChannelConnection::SendFront() {
  Outgoing& front = queue_.front();
  absl::StatusOr<bool> sent = channel_->TrySend(front.frame, front.descriptor);
  if ((absl::IsResourceExhausted(sent.status()) || absl::IsUnimplemented(sent.status())) &&
      front.descriptor.valid()) {
    // The kernel passes no more descriptors for now, or this channel never does. The client hears
    // so, and the session goes on.
    front.frame = SideChannelFrame::DeliverError(front.frame.request, front.frame.token,
                                                 sent.status().code());
    front.descriptor.Reset();
    sent = channel_->TrySend(front.frame);
  }
  if (sent.ok() && *sent) queue_.pop_front();
  return sent;
}

void SideChannelConnection::Flush() {
  if (state_ == State::kGone) return;
  absl::StatusOr<bool> going = channel_->Flush();
  while (going.ok() && *going && !queue_.empty()) going = SendFront();
  if (going.ok() && *going) going = channel_->Flush();
  if (!going.ok()) {
    Gone(SessionEnd::kEndOfFile);
    return;
  }
  flushing_ = !*going;
  if (state_ == State::kLeaving && !wants_write()) state_ = State::kGone;
}

void SideChannelConnection::Receive(Instant now) {
  for (int i = 0; i < kReceiveBatch && wants_read(); ++i) {
    absl::StatusOr<std::optional<shm::ReceivedFrame>> got = channel_->TryReceive();
    if (!got.ok()) {
      const bool broke_rules =
          absl::IsInvalidArgument(got.status()) || absl::IsFailedPrecondition(got.status());
      if (broke_rules) {
        Leave(ByeReason::kProtocolError, SessionEnd::kProtocolError, now);
      } else {
        Gone(SessionEnd::kEndOfFile);
      }
      return;
    }
    if (!got->has_value()) return;
    Handle(*std::move(*got), now);
  }
}

void SideChannelConnection::Handle(shm::ReceivedFrame received, Instant now) {
  const FrameKind kind = received.frame.kind;
  if (kind == FrameKind::kHello && state_ == State::kSilent) {
    HandleHello(received.frame, now);
  } else if (kind == FrameKind::kClaim && state_ == State::kAttached) {
    HandleClaim(received.frame);
  } else if (kind == FrameKind::kOffer && state_ == State::kAttached) {
    HandleOffer(std::move(received));
  } else if (kind == FrameKind::kWake && state_ == State::kAttached) {
    host_.Woken(session_);
  } else if (kind == FrameKind::kBye) {
    Gone(SessionEnd::kClientBye);
  } else {  // a daemon's frame from a client, a second hello, or anything before the first
    Leave(ByeReason::kProtocolError, SessionEnd::kProtocolError, now);
  }
}

void SideChannelConnection::HandleHello(const SideChannelFrame& frame, Instant now) {
  absl::StatusOr<SessionId> session = host_.Attach(frame.token, peer_);
  if (!session.ok()) {
    Leave(ByeReason::kRefused, SessionEnd::kProtocolError, now, session.status().code());
    return;
  }
  session_ = *session;
  state_ = State::kAttached;
  deadline_ = Instant::max();
  Queue(SideChannelFrame::Welcome());
}

void SideChannelConnection::HandleClaim(const SideChannelFrame& frame) {
  absl::StatusOr<Delivery> delivery = host_.TakeHandover(session_, frame.token);
  const auto share = [&]() -> absl::StatusOr<shm::OwnedDescriptor> {
    if (!delivery.ok()) return delivery.status();
    return delivery->bell ? delivery->bell->Share() : delivery->region->Share(delivery->access);
  };
  absl::StatusOr<shm::OwnedDescriptor> descriptor = share();
  if (!descriptor.ok()) {
    Queue(SideChannelFrame::DeliverError(frame.request, frame.token, descriptor.status().code()));
    return;
  }
  if (delivery->bell) {
    return Queue(SideChannelFrame::Bell(frame.request, frame.token), *std::move(descriptor));
  }
  Queue(SideChannelFrame::Deliver(frame.request, frame.token, delivery->region->size(),
                                  delivery->access == shm::RegionAccess::kReadWrite),
        *std::move(descriptor));
}

absl::StatusOr<SideChannelFrame> SideChannelConnection::TakeOffer(shm::ReceivedFrame received) {
  const SideChannelFrame& offer = received.frame;
  if (received.descriptor_lost) return absl::ResourceExhaustedError("descriptors");
  if (offer.bytes > options_.max_offer_bytes) return absl::ResourceExhaustedError("offer_bytes");
  absl::StatusOr<std::shared_ptr<shm::SharedRegion>> region = channel_->MapUntrusted(
      std::move(received.descriptor), offer.bytes,
      offer.writable ? shm::RegionAccess::kReadWrite : shm::RegionAccess::kReadOnly);
  if (!region.ok()) return region.status();
  const uint64_t bytes = (*region)->size();  // at least what the offer says; may be more
  if (bytes > options_.max_offer_bytes) return absl::ResourceExhaustedError("offer_bytes");
  absl::StatusOr<SideChannelToken> token = host_.OfferRegion(session_, *std::move(region));
  if (!token.ok()) return token.status();
  return SideChannelFrame::Accepted(offer.request, *token, bytes);
}

void SideChannelConnection::HandleOffer(shm::ReceivedFrame received) {
  const uint32_t request = received.frame.request;
  absl::StatusOr<SideChannelFrame> accepted = TakeOffer(std::move(received));
  Queue(accepted.ok() ? *accepted : SideChannelFrame::Refused(request, accepted.status().code()));
}

}  // namespace anex::door
