#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "proto/shm/side_channel.h"

namespace anex::shm {

absl::StatusOr<std::unique_ptr<SideChannel>> ConnectEndpoint(const std::string& endpoint,
                                                             absl::Duration timeout) {
  if (absl::StartsWith(endpoint, kXpcEndpoint)) {
    return absl::UnimplementedError(
        absl::StrCat("side channel: ", endpoint, " can be reached on its own machine only, a Mac"));
  }
  return ConnectSideChannel(endpoint, timeout);
}

}  // namespace anex::shm
