#include "server/door/connection_registry.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace anex::door {
namespace {

constexpr size_t kLeastOfProcess = 16;

}  // namespace

void ConnectionRegistry::Sweep() {
  for (auto& [fd, entry] : entries_) {
    if (!entry.open) continue;
    struct stat st;
    entry.open = ::fstat(fd, &st) == 0 && static_cast<uint64_t>(st.st_ino) == entry.inode &&
                 static_cast<uint64_t>(st.st_dev) == entry.device;
    if (!entry.open) --open_;
  }
}

size_t ConnectionRegistry::CountOf(int64_t pid) const {
  size_t count = 0;
  for (const auto& [fd, entry] : entries_) count += entry.open && entry.info.peer.pid == pid;
  return count;
}

absl::Status ConnectionRegistry::CheckRoom(int64_t pid) {
  const size_t of_process = std::max(max_connections_ / 4, kLeastOfProcess);
  if (open_ >= max_connections_ || CountOf(pid) >= of_process) Sweep();
  if (open_ >= max_connections_) {
    return absl::ResourceExhaustedError(absl::StrCat("connections=", max_connections_));
  }
  if (CountOf(pid) < of_process) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("connections_per_process=", of_process, ": pid ", pid, " has that many open"));
}

absl::StatusOr<shm::OwnedDescriptor> ConnectionRegistry::Register(shm::OwnedDescriptor descriptor,
                                                                  const Peer& peer,
                                                                  ListenerRole role) {
  absl::MutexLock lock(&mutex_);
  if (absl::Status room = CheckRoom(peer.pid); !room.ok()) return room;
  auto taken = entries_.find(descriptor.get());
  while (taken != entries_.end() &&
         (taken->second.info.peer.uid != peer.uid || taken->second.info.role != role)) {
    // dup gives the lowest free number from there on, so this ends at the latest past the last
    // entry.
    shm::OwnedDescriptor moved(::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, descriptor.get() + 1));
    if (!moved.valid()) {
      return absl::ResourceExhaustedError(absl::StrCat("descriptor numbers: ", strerror(errno)));
    }
    descriptor = std::move(moved);
    taken = entries_.find(descriptor.get());
  }
  struct stat st;
  if (::fstat(descriptor.get(), &st) != 0) {
    return absl::InternalError(absl::StrCat("fstat: ", strerror(errno)));
  }
  Entry& entry = entries_[descriptor.get()];
  if (taken == entries_.end() || !entry.open)
    ++open_;  // an open entry's connection has gone: its number is here
  entry = {.info = {.peer = peer, .role = role},
           .device = static_cast<uint64_t>(st.st_dev),  // signed on macOS
           .inode = static_cast<uint64_t>(st.st_ino)};
  return descriptor;
}

std::optional<ConnectionInfo> ConnectionRegistry::Find(int fd) const {
  absl::MutexLock lock(&mutex_);
  auto it = entries_.find(fd);
  if (it == entries_.end()) return std::nullopt;
  return it->second.info;
}

std::optional<ConnectionInfo> ConnectionRegistry::FindGrpcPeer(std::string_view peer) const {
  constexpr std::string_view kPrefix = "fd:";
  int fd = -1;
  if (peer.substr(0, kPrefix.size()) != kPrefix ||
      !absl::SimpleAtoi(std::string(peer.substr(kPrefix.size())), &fd)) {
    return std::nullopt;
  }
  return Find(fd);
}

size_t ConnectionRegistry::CountOpen() {
  absl::MutexLock lock(&mutex_);
  Sweep();
  return open_;
}

}  // namespace anex::door
