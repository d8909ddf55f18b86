// systemd passes sockets as the descriptors from 3 on, says how many in LISTEN_FDS and for whom in
// LISTEN_PID (sd_listen_fds(3)).
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/door/listen_sockets.h"

namespace anex::door {
namespace {

constexpr int kFirstDescriptor = 3;
constexpr int kMostDescriptors = 64;

// 0 if there is none or it is no number.
int64_t NumberIn(const char* variable) {
  const char* text = std::getenv(variable);
  int64_t number = 0;
  return text != nullptr && absl::SimpleAtoi(text, &number) ? number : 0;
}

}  // namespace

absl::StatusOr<std::vector<ListenSocket>> TakePassedSockets(const std::string& dir) {
  // A child of a service inherits the words without their being meant for it.
  const bool ours = NumberIn("LISTEN_PID") == ::getpid();
  const int64_t count = NumberIn("LISTEN_FDS");
  for (const char* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(variable);
  std::vector<ListenSocket> sockets;
  if (!ours || count <= 0) return sockets;
  if (count > kMostDescriptors) {
    return absl::FailedPreconditionError(
        absl::StrCat("LISTEN_FDS says ", count, " sockets; at most three are of use"));
  }
  for (int fd = kFirstDescriptor; fd < kFirstDescriptor + static_cast<int>(count); ++fd) {
    absl::StatusOr<ListenSocket> socket = AdoptPassed(shm::OwnedDescriptor(fd), dir);
    if (!socket.ok()) return socket.status();
    sockets.push_back(*std::move(socket));
  }
  return sockets;
}

}  // namespace anex::door
