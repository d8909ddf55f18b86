// The client's end of the side channel: attaches the session, exchanges hand-over tokens for mapped
// memory or a doorbell, offers memory for import, and notices when the daemon says goodbye or goes
// away.
//
// Threads: Claim and Offer from any thread, several at once; one reader thread of its own.
// Everything that waits has a timeout. Distrust: the daemon may be another program than we think.
// Answers are matched by request number and token, memory is mapped by SideChannel::MapUntrusted
// only, and a frame that nobody asked for ends the channel. Invariant: once gone() is not OK it
// never changes, and every wait has ended with it.
#ifndef ANEX_CLIENT_TRANSPORT_SIDE_CHANNEL_CLIENT_H_
#define ANEX_CLIENT_TRANSPORT_SIDE_CHANNEL_CLIENT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "proto/shm/doorbell.h"
#include "proto/shm/shared_region.h"
#include "proto/shm/side_channel.h"

namespace anex {

class SideChannelClient {
 public:
  // Connects to `endpoint` as the daemon named it (ConnectEndpoint) and says hello with
  // `token_hex`. UNAUTHENTICATED or what the daemon says if it refuses; DEADLINE_EXCEEDED if it
  // says nothing within `timeout`.
  static absl::StatusOr<std::unique_ptr<SideChannelClient>> Connect(const std::string& endpoint,
                                                                    std::string_view token_hex,
                                                                    absl::Duration timeout);
  // The same over a channel that is connected already.
  static absl::StatusOr<std::unique_ptr<SideChannelClient>> Attach(
      std::unique_ptr<shm::SideChannel> channel, std::string_view token_hex,
      absl::Duration timeout);
  ~SideChannelClient();  // says goodbye and ends the reader
  SideChannelClient(const SideChannelClient&) = delete;
  SideChannelClient& operator=(const SideChannelClient&) = delete;

  // Exchanges a hand-over token for its memory, mapped here. OUT_OF_RANGE if the memory is smaller
  // than `minimum_bytes` or than the daemon said; PERMISSION_DENIED if it is read-only and `access`
  // is not.
  absl::StatusOr<std::shared_ptr<shm::SharedRegion>> Claim(std::string_view token_hex,
                                                           uint64_t minimum_bytes,
                                                           shm::RegionAccess access,
                                                           absl::Duration timeout);
  // Exchanges a token for the daemon's doorbell, to be rung.
  absl::StatusOr<shm::Doorbell> ClaimBell(std::string_view token_hex, absl::Duration timeout);
  // Hands `region` to the daemon; the answer is the token to import it with, in hex.
  absl::StatusOr<std::string> Offer(const shm::SharedRegion& region, absl::Duration timeout);

  // OK while the channel lives, else UNAVAILABLE with the daemon's reason.
  absl::Status gone() const;
  // Somebody who waits for the daemon elsewhere: `told` is called once when the channel is gone, at
  // once if it is already. Not called any more when the last owner of `told` has let go.
  using GoneListener = std::function<void()>;
  void TellWhenGone(std::weak_ptr<const GoneListener> told) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Request {
    FrameKind good;  // the kind that answers it
    std::optional<shm::ReceivedFrame> answer;
  };

  explicit SideChannelClient(std::unique_ptr<shm::SideChannel> channel);
  absl::Status Greet(const SideChannelToken& token, absl::Duration timeout);
  // The daemon's answer to a claim, whose descriptor came, of kind `good`.
  absl::StatusOr<shm::ReceivedFrame> AskFor(std::string_view token_hex, FrameKind good,
                                            absl::Duration timeout);
  // Sends `frame` (whose request number it sets) and waits for the answer of kind `good`.
  absl::StatusOr<shm::ReceivedFrame> Ask(SideChannelFrame frame, shm::BorrowedDescriptor descriptor,
                                         FrameKind good, absl::Duration timeout);
  void ReadLoop();
  // What one frame means; not OK when it ends the channel.
  absl::Status Take(shm::ReceivedFrame received) ABSL_LOCKS_EXCLUDED(mutex_);
  void MarkGone(absl::Status why) ABSL_LOCKS_EXCLUDED(mutex_);

  const std::unique_ptr<shm::SideChannel> channel_;
  absl::Mutex send_mutex_;  // one sender at a time; taken before mutex_, never after
  mutable absl::Mutex mutex_;
  absl::Status gone_ ABSL_GUARDED_BY(mutex_);
  uint32_t last_request_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint32_t, Request> pending_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::weak_ptr<const GoneListener>> listeners_ ABSL_GUARDED_BY(mutex_);
  std::thread reader_;
};

}  // namespace anex

#endif  // ANEX_CLIENT_TRANSPORT_SIDE_CHANNEL_CLIENT_H_
