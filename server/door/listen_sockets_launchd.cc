// launchd hands over the sockets of the agent's property list by the names of their entries there
// (launch_activate_socket(3)).
#include <launch.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/door/listen_sockets.h"

namespace anex::door {
namespace {

// The keys under Sockets in com.anexd.agent.plist.
constexpr const char* kEntries[] = {"Owner", "Observer", "SideChannel"};

}  // namespace

absl::StatusOr<std::vector<ListenSocket>> TakePassedSockets(const std::string& dir) {
  std::vector<ListenSocket> sockets;
  for (const char* entry : kEntries) {
    int* descriptors = nullptr;
    size_t count = 0;
    const int error = ::launch_activate_socket(entry, &descriptors, &count);
    // Not started by launchd (ESRCH), or the list has no such entry (ENOENT).
    if (error == ESRCH || error == ENOENT) continue;
    if (error != 0) {
      return absl::FailedPreconditionError(
          absl::StrCat("launchd does not hand over the socket ", entry, ": ", strerror(error)));
    }
    std::vector<shm::OwnedDescriptor> passed;  // all of them ours, also where one is refused
    for (size_t i = 0; i < count; ++i) passed.emplace_back(descriptors[i]);
    std::free(descriptors);
    for (shm::OwnedDescriptor& descriptor : passed) {
      absl::StatusOr<ListenSocket> socket = AdoptPassed(std::move(descriptor), dir);
      if (!socket.ok()) return socket.status();
      sockets.push_back(*std::move(socket));
    }
  }
  return sockets;
}

}  // namespace anex::door
