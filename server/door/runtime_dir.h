// The folder that holds the daemon's lock and sockets: private to one user.
//
// Threads: start-up only. Invariant of a prepared folder: it is a real folder (no symbolic link),
// owned by this process's user, with no permission for anybody else.
#ifndef ANEX_SERVER_DOOR_RUNTIME_DIR_H_
#define ANEX_SERVER_DOOR_RUNTIME_DIR_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace anex::door {

// sun_path of macOS, with its final NUL; Linux has 108. One bound, so that a configuration that
// works on one works on the other.
inline constexpr size_t kMaxSocketPath = 104;

// Creates `path` (0700; its parent must exist) if it is not there, then checks it. NOT_FOUND
// without a parent, PERMISSION_DENIED for another owner or open permissions, FAILED_PRECONDITION if
// it is no folder.
absl::Status PrepareRuntimeDir(const std::string& path);

// `dir`/`name`, if it fits into a socket address. INVALID_ARGUMENT with its length otherwise.
absl::StatusOr<std::string> SocketPath(const std::string& dir, const std::string& name);

}  // namespace anex::door

#endif  // ANEX_SERVER_DOOR_RUNTIME_DIR_H_
