// Side channel over a unix stream socket. A stream rather than SOCK_SEQPACKET because macOS has
// none of the latter; frames of a fixed size make up for it. The descriptor is attached to a
// frame's first byte, and a receive never asks for more than the rest of one frame, so a descriptor
// that arrives belongs to the frame being assembled.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/shm/side_channel.h"

namespace anex::shm {
namespace {

// The most that Linux passes in one message (SCM_MAX_FD). Room for all of them: those that are too
// many must arrive to be closed, since macOS leaks what does not fit.
constexpr int kMaxDescriptors = 253;

#ifdef MSG_NOSIGNAL
constexpr int kSendFlags = MSG_NOSIGNAL;
#else
constexpr int kSendFlags = 0;     // SO_NOSIGPIPE is set on the socket
#endif
#ifdef MSG_CMSG_CLOEXEC
constexpr int kReceiveFlags = MSG_CMSG_CLOEXEC;
#else
constexpr int kReceiveFlags = 0;  // set on each descriptor below
#endif

absl::Status SystemError(int error, const char* call) {
  const std::string text = absl::StrCat("side channel: ", call, ": ", strerror(error));
  switch (error) {
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
    case ECONNREFUSED:
    case ENOENT:
      return absl::UnavailableError(text);
    case ETOOMANYREFS:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return absl::ResourceExhaustedError(text);
    default:
      return absl::InternalError(text);
  }
}

class UnixSideChannel final : public SideChannel {
 public:
  explicit UnixSideChannel(OwnedDescriptor socket) : socket_(std::move(socket)) {}

  absl::StatusOr<bool> TrySend(const SideChannelFrame& frame,
                               BorrowedDescriptor descriptor) override;
  absl::StatusOr<bool> Flush() override;
  absl::StatusOr<std::optional<ReceivedFrame>> TryReceive() override;
  void Shutdown() override { ::shutdown(socket_.get(), SHUT_RDWR); }
  int poll_descriptor() const override { return socket_.get(); }

 protected:
  bool Wait(WaitFor what, absl::Duration timeout) override;

 private:
  // Bytes received; 0 = nothing there. Adds the descriptors that came along to descriptors_.
  absl::StatusOr<size_t> ReceiveSome();
  absl::Status TakeDescriptors(msghdr& message);
  absl::StatusOr<ReceivedFrame> Finish();

  const OwnedDescriptor socket_;
  // Sending: the tail of a frame that the socket took only in part.
  SideChannelBytes outgoing_;
  size_t outgoing_left_ = 0;
  // Receiving: the frame being assembled, and what came with it.
  SideChannelBytes incoming_;
  size_t incoming_have_ = 0;
  std::vector<OwnedDescriptor> descriptors_;
  bool truncated_ = false;
  absl::Status broken_;  // sticky
};

absl::StatusOr<bool> UnixSideChannel::Flush() {
  while (outgoing_left_ > 0) {
    const ssize_t sent = ::send(socket_.get(), outgoing_.data() + outgoing_.size() - outgoing_left_,
                                outgoing_left_, kSendFlags);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS)) return false;
    if (sent < 0) return SystemError(errno, "send");
    outgoing_left_ -= static_cast<size_t>(sent);
  }
  return true;
}

absl::StatusOr<bool> UnixSideChannel::TrySend(const SideChannelFrame& frame,
                                              BorrowedDescriptor descriptor) {
  if (frame.has_descriptor != descriptor.valid()) {
    return absl::InternalError(
        "side channel: the frame's descriptor flag and the descriptor disagree");
  }
  const int fd = descriptor.is_port ? DescriptorOfPort(descriptor.value) : descriptor.value;
  if (descriptor.is_port && fd < 0) {
    return absl::UnimplementedError("side channel: a socket carries no ports, XPC does");
  }
  absl::StatusOr<bool> clear = Flush();
  if (!clear.ok() || !*clear) return clear;
  outgoing_ = Encode(frame);
  iovec bytes{outgoing_.data(), outgoing_.size()};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (descriptor.valid()) {
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &fd, sizeof(int));
  }
  ssize_t sent;
  do {
    sent = ::sendmsg(socket_.get(), &message, kSendFlags);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS)) return false;
  if (sent < 0) return SystemError(errno, "sendmsg");
  outgoing_left_ = outgoing_.size() - static_cast<size_t>(sent);
  return true;
}

absl::Status UnixSideChannel::TakeDescriptors(msghdr& message) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
      if (kReceiveFlags == 0) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
      descriptors_.emplace_back(fd);  // owned from here on, so all that are too many are closed
    }
  }
  if (message.msg_flags & MSG_CTRUNC) truncated_ = true;
  if (descriptors_.size() > 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "side channel: ", descriptors_.size(), " descriptors on one frame, at most 1 is allowed"));
  }
  return absl::OkStatus();
}

absl::StatusOr<size_t> UnixSideChannel::ReceiveSome() {
  iovec bytes{incoming_.data() + incoming_have_, incoming_.size() - incoming_have_};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxDescriptors)];
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  ssize_t got;
  do {
    got = ::recvmsg(socket_.get(), &message, kReceiveFlags);
  } while (got < 0 && errno == EINTR);
  if (got < 0 && errno == EAGAIN) return size_t{0};
  if (got < 0) return SystemError(errno, "recvmsg");
  if (absl::Status s = TakeDescriptors(message); !s.ok()) return s;
  if (got == 0) {
    if (incoming_have_ == 0) return absl::UnavailableError("side channel: the peer closed it");
    return absl::DataLossError(absl::StrCat("side channel: the peer closed it after ",
                                            incoming_have_, " of ", incoming_.size(),
                                            " bytes of a frame"));
  }
  return static_cast<size_t>(got);
}

// Makes the assembled bytes a frame. The number of descriptors must be what the frame says.
absl::StatusOr<ReceivedFrame> UnixSideChannel::Finish() {
  absl::StatusOr<SideChannelFrame> frame = DecodeUntrusted(incoming_);
  std::vector<OwnedDescriptor> descriptors = std::exchange(descriptors_, {});
  const bool truncated = std::exchange(truncated_, false);
  incoming_have_ = 0;
  if (!frame.ok()) return frame.status();
  ReceivedFrame received{.frame = *frame};
  if (frame->has_descriptor && descriptors.empty()) {
    if (!truncated) {
      return absl::InvalidArgumentError("side channel: the frame's descriptor is missing");
    }
    received.descriptor_lost = true;
  } else if (frame->has_descriptor != !descriptors.empty() || truncated) {
    return absl::InvalidArgumentError(
        "side channel: a descriptor came that the frame does not name");
  } else if (!descriptors.empty()) {
    received.descriptor = std::move(descriptors.front());
  }
  return received;
}

absl::StatusOr<std::optional<ReceivedFrame>> UnixSideChannel::TryReceive() {
  if (!broken_.ok()) return broken_;
  while (incoming_have_ < incoming_.size()) {
    absl::StatusOr<size_t> got = ReceiveSome();
    if (!got.ok()) {
      descriptors_.clear();
      return broken_ = got.status();
    }
    if (*got == 0) return std::optional<ReceivedFrame>();
    incoming_have_ += *got;
  }
  absl::StatusOr<ReceivedFrame> frame = Finish();
  if (!frame.ok()) return broken_ = frame.status();
  return std::optional<ReceivedFrame>(*std::move(frame));
}

int PollMilliseconds(absl::Duration timeout) {
  // Rounded up, so that a wait does not spin through its last millisecond.
  const int64_t ms =
      absl::ToInt64Milliseconds(timeout + absl::Milliseconds(1) - absl::Nanoseconds(1));
  return static_cast<int>(std::min<int64_t>(ms, 60'000));
}

bool UnixSideChannel::Wait(WaitFor what, absl::Duration timeout) {
  pollfd entry{socket_.get(), static_cast<short>(what == WaitFor::kReceive ? POLLIN : POLLOUT), 0};
  const int wait = PollMilliseconds(timeout);
  const int ready = ::poll(&entry, 1, wait);
  // Interrupted, or a long wait cut into pieces: the caller asks again with what is left.
  return ready != 0 || timeout > absl::Milliseconds(wait);
}

absl::Status SetFlags(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
    return SystemError(errno, "fcntl");
  }
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
#ifdef SO_NOSIGPIPE
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof(on));
#endif
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<SideChannel>> AdoptSideChannel(OwnedDescriptor socket) {
  if (absl::Status s = SetFlags(socket.get()); !s.ok()) return s;
  return std::make_unique<UnixSideChannel>(std::move(socket));
}

absl::StatusOr<std::unique_ptr<SideChannel>> ConnectSideChannel(const std::string& path,
                                                                absl::Duration timeout) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(absl::StrCat("side channel: a socket path has 1 to ",
                                                   sizeof(address.sun_path) - 1,
                                                   " bytes, this one has ", path.size()));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  OwnedDescriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  if (!socket.valid()) return SystemError(errno, "socket");
  // Connecting blocks only while the daemon's queue of connections is full. SO_SNDTIMEO bounds
  // that.
  const timeval bound = absl::ToTimeval(std::clamp(timeout, absl::Milliseconds(1), absl::Hours(1)));
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof(bound));
  ::fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
  int result;
  do {
    result = ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address));
  } while (result != 0 && errno == EINTR);
  if (result != 0 && (errno == EAGAIN || errno == EINPROGRESS)) {
    return absl::DeadlineExceededError("side channel: the daemon does not accept connections");
  }
  if (result != 0) return SystemError(errno, "connect");
  return AdoptSideChannel(std::move(socket));
}

}  // namespace anex::shm
