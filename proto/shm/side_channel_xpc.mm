#include "proto/shm/side_channel_xpc.h"

#import <Foundation/Foundation.h>
#include <poll.h>
#include <unistd.h>
#include <xpc/xpc.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/shm/iosurface_region.h"
#include "proto/shm/xpc_line.h"
#include "proto/shm/xpc_message.h"

namespace anex::shm {
namespace {

constexpr size_t kMostName = 127;  // BOOTSTRAP_MAX_NAME_LEN has room for the final zero too

absl::StatusOr<ReceivedFrame> Open(XpcMessage message) {
  absl::StatusOr<SideChannelFrame> frame = DecodeUntrusted(message.bytes);
  if (!frame.ok()) return frame.status();
  const bool came = message.descriptor.valid() || message.descriptor_lost;
  if (frame->has_descriptor != came) {
    return absl::InvalidArgumentError(
        came ? "side channel: a descriptor came that the frame does not name"
             : "side channel: the frame's descriptor is missing");
  }
  return ReceivedFrame{.frame = *frame,
                       .descriptor = std::move(message.descriptor),
                       .descriptor_lost = message.descriptor_lost};
}

class XpcSideChannel final : public SideChannel {
 public:
  explicit XpcSideChannel(std::shared_ptr<XpcLine> line) : line_(std::move(line)) {
    line_->Start();
  }
  ~XpcSideChannel() override { line_->Close(); }

  absl::StatusOr<bool> TrySend(const SideChannelFrame& frame,
                               BorrowedDescriptor descriptor) override {
    if (frame.has_descriptor != descriptor.valid()) {
      return absl::InternalError(
          "side channel: the frame's descriptor flag and the descriptor disagree");
    }
    absl::StatusOr<bool> room = line_->HasRoom();
    if (!room.ok() || !*room) return room;
    const absl::StatusOr<XpcPtr> message = MakeXpcMessage(Encode(frame), descriptor);
    if (!message.ok()) return message.status();
    if (absl::Status sent = line_->Send(*message); !sent.ok()) return sent;
    return true;
  }

  // A message is taken whole, so nothing is left behind.
  absl::StatusOr<bool> Flush() override {
    const absl::StatusOr<bool> room = line_->HasRoom();
    if (!room.ok()) return room.status();
    return true;
  }

  absl::StatusOr<std::optional<ReceivedFrame>> TryReceive() override {
    if (!broken_.ok()) return broken_;
    absl::StatusOr<std::optional<XpcMessage>> message = line_->Take();
    if (!message.ok()) return broken_ = message.status();
    if (!message->has_value()) return std::optional<ReceivedFrame>();
    absl::StatusOr<ReceivedFrame> frame = Open(**std::move(message));
    if (!frame.ok()) return broken_ = frame.status();
    return std::optional<ReceivedFrame>(*std::move(frame));
  }

  absl::StatusOr<std::shared_ptr<SharedRegion>> MapUntrusted(OwnedDescriptor descriptor,
                                                             uint64_t minimum_bytes,
                                                             RegionAccess access) override {
    if (!descriptor.is_port()) {
      return SideChannel::MapUntrusted(std::move(descriptor), minimum_bytes, access);
    }
    return MapIosurfaceUntrusted(std::move(descriptor), minimum_bytes, access);
  }

  void Shutdown() override { line_->Close(); }
  int poll_descriptor() const override { return line_->poll_descriptor(); }
  short PollFor(bool receiving, bool sending) override {
    line_->RingFor(receiving, sending);
    return POLLIN;
  }

 protected:
  bool Wait(WaitFor what, absl::Duration timeout) override {
    return what == WaitFor::kReceive ? line_->WaitToTake(timeout) : line_->WaitForRoom(timeout);
  }

 private:
  const std::shared_ptr<XpcLine> line_;
  absl::Status broken_;  // sticky
};

}  // namespace

absl::StatusOr<std::unique_ptr<SideChannel>> ConnectXpcSideChannel(const std::string& name) {
  if (name.empty() || name.size() > kMostName || name.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat("side channel: a service's name has 1 to ",
                                                   kMostName, " bytes, this one has ",
                                                   name.size()));
  }
  XpcPtr connection = XpcPtr::Adopt(xpc_connection_create_mach_service(name.c_str(), nullptr, 0));
  return std::make_unique<XpcSideChannel>(
      std::make_shared<XpcLine>(std::move(connection), std::nullopt, ::geteuid()));
}

absl::StatusOr<std::unique_ptr<SideChannel>> AdoptXpcPeer(void* connection) {
  xpc_connection_t peer = (__bridge xpc_connection_t)connection;
  absl::StatusOr<Doorbell> bell = Doorbell::Create();
  if (!bell.ok()) {
    xpc_connection_cancel(peer);
    return bell.status();
  }
  return std::make_unique<XpcSideChannel>(
      std::make_shared<XpcLine>(XpcPtr::Retain(peer), *std::move(bell), std::nullopt));
}

}  // namespace anex::shm
