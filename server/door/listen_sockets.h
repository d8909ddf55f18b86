// The sockets that clients connect to: made here (_own.cc) rather than by gRPC, which would take
// the path away from a running daemon without a word; or made by a service manager, which passes
// them
// (_systemd.cc, _launchd.cc) and keeps them while the daemon is restarted, so that clients that
// come meanwhile wait in the queue instead of being refused.
//
// Threads: a ListenSocket has one user at a time.
// Invariant: the file of a socket of our own has mode 0600 before anything listens on it; on
// destruction it is removed if it is still the one that was made here, and left alone otherwise.
// The file of one that was passed is the manager's.
#ifndef ANEX_SERVER_DOOR_LISTEN_SOCKETS_H_
#define ANEX_SERVER_DOOR_LISTEN_SOCKETS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/shm/owned_descriptor.h"
#include "server/door/instance_lock.h"

namespace anex::door {

enum class ListenerRole : uint8_t {
  kOwner,        // gRPC, all that the owner may do
  kObserver,     // gRPC, read-only, health and reflection
  kSideChannel,  // frames and descriptors
};
std::string_view ListenerRoleName(ListenerRole role);

class ListenSocket {
 public:
  ListenSocket(ListenSocket&& other) noexcept;
  ListenSocket& operator=(ListenSocket&& other) noexcept;
  ~ListenSocket();

  int descriptor() const { return socket_.get(); }
  ListenerRole role() const { return role_; }
  const std::string& path() const { return path_; }

  // Passed by a service manager.
  bool passed() const { return passed_; }

  // False when the file was removed or replaced: clients no longer find this socket by its path.
  // Of one that was passed the manager takes care: always true.
  bool StillOurs() const;
  // Makes a new socket at the same path, of our own. ALREADY_EXISTS if somebody else listens there
  // now; this object then stays as it is and keeps serving whoever is connected.
  absl::Status Rebind();

 private:
  friend absl::StatusOr<ListenSocket> ListenOwn(const InstanceLock&, ListenerRole,
                                                const std::string&);
  friend absl::StatusOr<ListenSocket> AdoptPassed(shm::OwnedDescriptor, const std::string&);
  ListenSocket(shm::OwnedDescriptor socket, ListenerRole role, std::string path, uint64_t device,
               uint64_t inode)
      : socket_(std::move(socket)),
        role_(role),
        path_(std::move(path)),
        device_(device),
        inode_(inode) {}
  static absl::StatusOr<ListenSocket> Bind(ListenerRole role, const std::string& path);
  void RemoveFile();

  shm::OwnedDescriptor socket_;
  ListenerRole role_;
  std::string path_;  // empty = moved from
  uint64_t device_, inode_;
  bool passed_ = false;
};

// The sockets of a daemon are files of one folder; which is which shows by their names.
inline constexpr std::string_view kOwnerSocketName = "anexd.sock";
inline constexpr std::string_view kObserverSocketName = "observer.sock";
inline constexpr std::string_view kSideSocketName = "side.sock";
std::string_view SocketNameOf(ListenerRole role);

// Listens at lock.dir()/`name`. The lock proves that no other daemon serves this folder, so a
// socket file that nobody answers on is left over and is removed; one that somebody answers on is
// not: ALREADY_EXISTS with that process's pid. INVALID_ARGUMENT for a path that is too long,
// FAILED_PRECONDITION if something else than a socket has the name.
absl::StatusOr<ListenSocket> ListenOwn(const InstanceLock& lock, ListenerRole role,
                                       const std::string& name);

// A listening stream socket that somebody else made, in `dir`, under the name of one of the roles.
// FAILED_PRECONDITION saying what is wrong with it otherwise.
absl::StatusOr<ListenSocket> AdoptPassed(shm::OwnedDescriptor socket, const std::string& dir);

// What the service manager that started this process has passed for the folder `dir`; none if it
// passed nothing. To be called once, before other threads start: it takes the environment's words
// for it away, so that no child takes them for its own.
absl::StatusOr<std::vector<ListenSocket>> TakePassedSockets(const std::string& dir);

}  // namespace anex::door

#endif  // ANEX_SERVER_DOOR_LISTEN_SOCKETS_H_
