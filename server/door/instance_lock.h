// One daemon per runtime folder: an advisory lock on a file with the holder's pid inside.
//
// The kernel gives the lock back when its holder dies, however it dies, so there is no stale lock:
// a file with an old pid and no lock is simply taken over. The file is never removed, because
// removing it would let two daemons lock two files of one name.
//
// Threads: start-up and exit only. The process must not fork without exec while it holds the lock:
// the child would hold it too.
#ifndef ANEX_SERVER_DOOR_INSTANCE_LOCK_H_
#define ANEX_SERVER_DOOR_INSTANCE_LOCK_H_

#include <string>

#include "absl/status/statusor.h"
#include "proto/shm/owned_descriptor.h"

namespace anex::door {

class InstanceLock {
 public:
  // Locks `dir`/anexd.lock. ALREADY_EXISTS names the pid of the daemon that has it.
  static absl::StatusOr<InstanceLock> Acquire(const std::string& dir);
  InstanceLock(InstanceLock&&) = default;
  InstanceLock& operator=(InstanceLock&&) = default;

  const std::string& dir() const { return dir_; }

 private:
  InstanceLock(std::string dir, shm::OwnedDescriptor file)
      : dir_(std::move(dir)), file_(std::move(file)) {}
  std::string dir_;
  shm::OwnedDescriptor file_;  // closing it gives the lock back
};

}  // namespace anex::door

#endif  // ANEX_SERVER_DOOR_INSTANCE_LOCK_H_
