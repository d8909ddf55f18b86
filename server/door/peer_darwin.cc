#include <libproc.h>
#include <sys/socket.h>
#include <sys/ucred.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "server/door/peer.h"

namespace anex::door {

absl::StatusOr<Peer> PeerOf(int socket) {
  xucred credentials{};
  socklen_t size = sizeof(credentials);
  if (::getsockopt(socket, SOL_LOCAL, LOCAL_PEERCRED, &credentials, &size) != 0) {
    return absl::UnavailableError(absl::StrCat("getsockopt(LOCAL_PEERCRED): ", strerror(errno)));
  }
  pid_t pid = 0;
  size = sizeof(pid);
  if (::getsockopt(socket, SOL_LOCAL, LOCAL_PEERPID, &pid, &size) != 0 || pid <= 0) {
    return absl::UnavailableError(absl::StrCat("getsockopt(LOCAL_PEERPID): ", strerror(errno)));
  }
  proc_bsdinfo info{};
  if (::proc_pidinfo(pid, PROC_PIDTBSDINFO, 0, &info, sizeof(info)) !=
      static_cast<int>(sizeof(info))) {
    return absl::UnavailableError("the peer's process has exited");
  }
  return Peer{.uid = credentials.cr_uid,
              .gid = credentials.cr_groups[0],
              .pid = pid,
              .start_time = info.pbi_start_tvsec * 1'000'000 + info.pbi_start_tvusec};
}

}  // namespace anex::door
