#include "absl/strings/match.h"
#include "proto/shm/side_channel.h"
#include "proto/shm/side_channel_xpc.h"

namespace anex::shm {

absl::StatusOr<std::unique_ptr<SideChannel>> ConnectEndpoint(const std::string& endpoint,
                                                             absl::Duration timeout) {
  if (absl::StartsWith(endpoint, kXpcEndpoint)) {
    return ConnectXpcSideChannel(endpoint.substr(sizeof(kXpcEndpoint) - 1));
  }
  return ConnectSideChannel(endpoint, timeout);
}

}  // namespace anex::shm
