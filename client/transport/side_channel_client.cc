#include "client/transport/side_channel_client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "proto/wire/token_hex.h"

namespace anex {
namespace {

// The reader wakes this often at most; the end of the channel wakes it at once.
constexpr absl::Duration kReadSlice = absl::Hours(1);
constexpr absl::Duration kGoodbyeTimeout = absl::Milliseconds(100);

absl::StatusOr<SideChannelToken> TokenFromHex(std::string_view hex) {
  if (hex.size() != 2 * sizeof(SideChannelToken)) {
    return absl::InternalError(absl::StrCat("the daemon gave a token of ", hex.size(),
                                            " characters, not ", 2 * sizeof(SideChannelToken)));
  }
  const std::optional<SideChannelToken> token = SideChannelTokenFromHex(hex);
  if (!token) return absl::InternalError("the daemon gave a token that is not hexadecimal");
  return *token;
}

absl::Status GoodbyeStatus(const SideChannelFrame& bye) {
  const std::string reason(ByeReasonName(bye.reason));
  if (bye.reason == ByeReason::kRefused) {
    return absl::Status(
        bye.status == absl::StatusCode::kOk ? absl::StatusCode::kInternal : bye.status,
        "the daemon refused the side channel: the session's token is "
        "used, expired or of another user; open a new session");
  }
  return absl::UnavailableError(
      absl::StrCat("the daemon ended the session (", reason, "): open a new one"));
}

// The system's words alone do not say who was at the other end, nor what to do.
absl::Status LostChannel(const absl::Status& raw) {
  if (absl::IsDeadlineExceeded(raw)) {
    return absl::DeadlineExceededError(
        "the daemon did not take up the session's side channel in time: it may be stopped or "
        "overloaded");
  }
  if (!absl::IsUnavailable(raw)) return raw;
  return absl::UnavailableError(
      absl::StrCat("the session's side channel to the daemon broke: the daemon ended, or has no "
                   "descriptor left for another client (its log says which; raise its ulimit -n) [",
                   std::string(raw.message()), "]"));
}

absl::Status OutOfDescriptors() {
  return absl::ResourceExhaustedError(
      "this process has no file descriptor left to receive the memory with: raise ulimit -n, or "
      "release surfaces");
}

}  // namespace

SideChannelClient::SideChannelClient(std::unique_ptr<shm::SideChannel> channel)
    : channel_(std::move(channel)) {}

SideChannelClient::~SideChannelClient() {
  if (gone().ok()) {
    absl::MutexLock sending(&send_mutex_);
    channel_->Send(SideChannelFrame::Bye(ByeReason::kClosed), -1, kGoodbyeTimeout).IgnoreError();
  }
  channel_->Shutdown();
  if (reader_.joinable()) reader_.join();
}

absl::StatusOr<std::unique_ptr<SideChannelClient>> SideChannelClient::Connect(
    const std::string& endpoint, std::string_view token_hex, absl::Duration timeout) {
  absl::StatusOr<std::unique_ptr<shm::SideChannel>> channel =
      shm::ConnectEndpoint(endpoint, timeout);
  if (!channel.ok()) return LostChannel(channel.status());
  return Attach(*std::move(channel), token_hex, timeout);
}

absl::StatusOr<std::unique_ptr<SideChannelClient>> SideChannelClient::Attach(
    std::unique_ptr<shm::SideChannel> channel, std::string_view token_hex, absl::Duration timeout) {
  const absl::StatusOr<SideChannelToken> token = TokenFromHex(token_hex);
  if (!token.ok()) return token.status();
  std::unique_ptr<SideChannelClient> client(new SideChannelClient(std::move(channel)));
  const absl::Status greeted = client->Greet(*token, timeout);
  if (!greeted.ok()) {
    client->MarkGone(greeted);
    return greeted;
  }
  client->reader_ = std::thread([raw = client.get()] { raw->ReadLoop(); });
  return client;
}

absl::Status SideChannelClient::Greet(const SideChannelToken& token, absl::Duration timeout) {
  absl::Status sent;
  {
    absl::MutexLock sending(&send_mutex_);
    sent = channel_->Send(SideChannelFrame::Hello(token), -1, timeout);
  }
  // A daemon that refuses may have closed before our hello was out; its goodbye says more.
  absl::StatusOr<shm::ReceivedFrame> answer = channel_->Receive(timeout);
  if (answer.ok() && answer->frame.kind == FrameKind::kBye) return GoodbyeStatus(answer->frame);
  if (!sent.ok()) return LostChannel(sent);
  if (!answer.ok()) return LostChannel(answer.status());
  if (answer->frame.kind == FrameKind::kWelcome) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("the side channel answered the hello with ",
                                          std::string(FrameKindName(answer->frame.kind)),
                                          "; is this socket anexd's?"));
}

void SideChannelClient::ReadLoop() {
  for (;;) {
    absl::StatusOr<shm::ReceivedFrame> received = channel_->Receive(kReadSlice);
    if (absl::IsDeadlineExceeded(received.status())) continue;
    absl::Status taken =
        received.ok()
            ? Take(*std::move(received))
            : absl::UnavailableError(absl::StrCat(
                  "the daemon ended or cut the session off: open a new session [side channel: ",
                  std::string(received.status().message()), "]"));
    if (taken.ok()) continue;
    MarkGone(std::move(taken));
    channel_->Shutdown();
    return;
  }
}

absl::Status SideChannelClient::Take(shm::ReceivedFrame received) {
  const SideChannelFrame& frame = received.frame;
  const std::string kind(FrameKindName(frame.kind));
  switch (frame.kind) {
    case FrameKind::kWake:
      return absl::OkStatus();  // for rings; without one there is nothing to do
    case FrameKind::kBye:
      return GoodbyeStatus(frame);
    case FrameKind::kDeliver:
    case FrameKind::kBell:
    case FrameKind::kAccepted:
    case FrameKind::kRefused:
      break;
    default:
      return absl::UnavailableError(
          absl::StrCat("the daemon sent ", kind, ", which only a client may: open a new session"));
  }
  absl::MutexLock lock(&mutex_);
  const auto found = pending_.find(frame.request);
  if (found == pending_.end()) {
    // A late answer to a request that timed out is no offence; its descriptor closes here.
    if (frame.request <= last_request_) return absl::OkStatus();
    return absl::UnavailableError(
        absl::StrCat("the daemon answered (", kind, ") what nobody asked: open a new session"));
  }
  const FrameKind good = found->second.good;
  const bool refusal =
      (frame.kind == FrameKind::kRefused && good == FrameKind::kAccepted) ||
      (frame.kind == FrameKind::kDeliver && good == FrameKind::kBell && !frame.has_descriptor);
  if (frame.kind != good && !refusal) {
    return absl::UnavailableError(
        absl::StrCat("the daemon gave the wrong answer (", kind, "): open a new session"));
  }
  found->second.answer = std::move(received);
  return absl::OkStatus();
}

void SideChannelClient::MarkGone(absl::Status why) {
  std::vector<std::weak_ptr<const GoneListener>> listeners;
  {
    absl::MutexLock lock(&mutex_);
    if (gone_.ok()) gone_ = std::move(why);
    listeners.swap(listeners_);
  }
  for (const auto& each : listeners) {
    if (const auto told = each.lock()) (*told)();
  }
}

void SideChannelClient::TellWhenGone(std::weak_ptr<const GoneListener> told) {
  {
    absl::MutexLock lock(&mutex_);
    if (gone_.ok()) {
      std::erase_if(listeners_, [](const auto& each) { return each.expired(); });
      listeners_.push_back(std::move(told));
      return;
    }
  }
  if (const auto now = told.lock()) (*now)();
}

absl::Status SideChannelClient::gone() const {
  absl::MutexLock lock(&mutex_);
  return gone_;
}

absl::StatusOr<shm::ReceivedFrame> SideChannelClient::Ask(SideChannelFrame frame,
                                                          shm::BorrowedDescriptor descriptor,
                                                          FrameKind good, absl::Duration timeout) {
  {
    absl::MutexLock lock(&mutex_);
    if (!gone_.ok()) return gone_;
    frame.request = ++last_request_;
    pending_.emplace(frame.request, Request{good, std::nullopt});
  }
  absl::Status sent;
  {
    absl::MutexLock sending(&send_mutex_);
    sent = channel_->Send(frame, descriptor, timeout);
  }
  absl::MutexLock lock(&mutex_);
  Request& request = pending_.at(frame.request);
  const auto settled = [&] {
    mutex_.AssertReaderHeld();
    return request.answer.has_value() || !gone_.ok();
  };
  if (sent.ok()) mutex_.AwaitWithTimeout(absl::Condition(&settled), timeout);
  std::optional<shm::ReceivedFrame> answer = std::move(request.answer);
  pending_.erase(frame.request);
  if (answer.has_value()) return *std::move(answer);
  if (!gone_.ok()) return gone_;
  if (!sent.ok()) return LostChannel(sent);
  return absl::DeadlineExceededError(absl::StrCat(
      "the daemon did not answer on the side channel within ", absl::FormatDuration(timeout)));
}

absl::StatusOr<shm::ReceivedFrame> SideChannelClient::AskFor(std::string_view token_hex,
                                                             FrameKind good,
                                                             absl::Duration timeout) {
  const absl::StatusOr<SideChannelToken> token = TokenFromHex(token_hex);
  if (!token.ok()) return token.status();
  absl::StatusOr<shm::ReceivedFrame> answer =
      Ask(SideChannelFrame::Claim(0, *token), -1, good, timeout);
  if (!answer.ok()) return answer.status();
  const SideChannelFrame& frame = answer->frame;
  if (frame.token != *token) {
    return absl::DataLossError("the daemon delivered memory for another token");
  }
  if (frame.status != absl::StatusCode::kOk) {
    return absl::Status(frame.status, "the daemon did not hand the memory over");
  }
  if (answer->descriptor_lost) return OutOfDescriptors();
  return answer;
}

absl::StatusOr<shm::Doorbell> SideChannelClient::ClaimBell(std::string_view token_hex,
                                                           absl::Duration timeout) {
  absl::StatusOr<shm::ReceivedFrame> answer = AskFor(token_hex, FrameKind::kBell, timeout);
  if (!answer.ok()) return answer.status();
  return shm::Doorbell::AdoptRinger(std::move(answer->descriptor));
}

absl::StatusOr<std::shared_ptr<shm::SharedRegion>> SideChannelClient::Claim(
    std::string_view token_hex, uint64_t minimum_bytes, shm::RegionAccess access,
    absl::Duration timeout) {
  absl::StatusOr<shm::ReceivedFrame> answer = AskFor(token_hex, FrameKind::kDeliver, timeout);
  if (!answer.ok()) return answer.status();
  const SideChannelFrame& frame = answer->frame;
  if (access == shm::RegionAccess::kReadWrite && !frame.writable) {
    return absl::PermissionDeniedError("the daemon handed the memory over for reading only");
  }
  absl::StatusOr<std::shared_ptr<shm::SharedRegion>> region = channel_->MapUntrusted(
      std::move(answer->descriptor), std::max(minimum_bytes, frame.bytes), access);
  if (!region.ok()) return region.status();
  if (absl::Status touched = (*region)->Touch(); !touched.ok()) return touched;
  return region;
}

absl::StatusOr<std::string> SideChannelClient::Offer(const shm::SharedRegion& region,
                                                     absl::Duration timeout) {
  const absl::StatusOr<shm::OwnedDescriptor> descriptor = region.Share(region.access());
  if (!descriptor.ok()) return descriptor.status();
  const bool writable = region.access() == shm::RegionAccess::kReadWrite;
  const absl::StatusOr<shm::ReceivedFrame> answer =
      Ask(SideChannelFrame::Offer(0, region.size(), writable), *descriptor, FrameKind::kAccepted,
          timeout);
  if (!answer.ok()) return answer.status();
  if (answer->frame.kind == FrameKind::kRefused) {
    return absl::Status(answer->frame.status,
                        "the daemon refused the memory: it must be sealed against shrinking, and "
                        "as large as offered");
  }
  return absl::BytesToHexString(SideChannelTokenToBytes(answer->frame.token));
}

}  // namespace anex
