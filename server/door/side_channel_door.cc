#include "server/door/side_channel_door.h"

#include <poll.h>

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"

namespace anex::door {
namespace {

using Clock = std::chrono::steady_clock;

int MillisecondsUntil(Clock::time_point when) {
  if (when == Clock::time_point::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(when - Clock::now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, 60'000));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SideChannelDoor>> SideChannelDoor::Start(const Options& options,
                                                                        SideChannelHost& host,
                                                                        PeerExit& exits) {
  absl::StatusOr<shm::Doorbell> bell = shm::Doorbell::Create();
  if (!bell.ok()) return bell.status();
  std::unique_ptr<SideChannelDoor> door(
      new SideChannelDoor(options, host, exits, *std::move(bell)));
  door->thread_ = std::thread([d = door.get()] { d->Loop(); });
  return door;
}

SideChannelDoor::~SideChannelDoor() { Stop(); }

void SideChannelDoor::Stop(ByeReason reason) {
  if (!thread_.joinable()) return;
  {
    absl::MutexLock lock(&mutex_);
    stop_reason_ = reason;
    stop_ = true;
  }
  bell_.Ring();
  thread_.join();
}

void SideChannelDoor::SetOptions(const Options& options) {
  absl::MutexLock lock(&mutex_);
  options_ = options;
}

SideChannelDoor::Options SideChannelDoor::options() const {
  absl::MutexLock lock(&mutex_);
  return options_;
}

size_t SideChannelDoor::connections() const {
  absl::MutexLock lock(&mutex_);
  return places_taken_;
}

absl::StatusOr<uint64_t> SideChannelDoor::Reserve() {
  absl::MutexLock lock(&mutex_);
  if (stop_) return absl::UnavailableError("the daemon is stopping");
  if (places_taken_ >= options_.max_connections) {
    return absl::ResourceExhaustedError(
        absl::StrCat("side_channel_connections=", options_.max_connections));
  }
  ++places_taken_;
  return ++last_id_;
}

void SideChannelDoor::Unreserve() {
  absl::MutexLock lock(&mutex_);
  --places_taken_;
}

void SideChannelDoor::Exited(uint64_t id) {
  {
    absl::MutexLock lock(&mutex_);
    inbox_.exited.push_back(id);
  }
  bell_.Ring();
}

absl::Status SideChannelDoor::Adopt(shm::OwnedDescriptor socket, const Peer& peer) {
  const int fd = socket.get();
  absl::StatusOr<std::unique_ptr<shm::SideChannel>> channel =
      shm::AdoptSideChannel(std::move(socket));
  if (!channel.ok()) return channel.status();
  return Take(*std::move(channel), peer, fd);
}

absl::Status SideChannelDoor::Adopt(std::unique_ptr<shm::SideChannel> channel, const Peer& peer) {
  return Take(std::move(channel), peer, -1);
}

absl::Status SideChannelDoor::Take(std::unique_ptr<shm::SideChannel> channel, const Peer& peer,
                                   int socket) {
  absl::StatusOr<uint64_t> id = Reserve();
  if (!id.ok()) {
    const bool full = absl::IsResourceExhausted(id.status());
    channel->TrySend(SideChannelFrame::Bye(full ? ByeReason::kOverloaded : ByeReason::kDraining))
        .IgnoreError();
    return id.status();
  }
  auto exited = std::make_shared<std::atomic<bool>>(false);
  std::optional<PeerExit::WatchId> watch;
  if (socket >= 0) {
    const absl::StatusOr<PeerExit::WatchId> watched =
        exits_.Watch(socket, peer, [this, id = *id, exited] {
          *exited = true;
          Exited(id);
        });
    if (!watched.ok()) {
      Unreserve();
      return watched.status();
    }
    watch = *watched;
  }
  Held held{.connection = std::make_unique<SideChannelConnection>(
                std::move(channel), peer, host_, options().connection, Clock::now()),
            .watch = watch,
            .exited = std::move(exited)};
  bool stopped;
  {
    absl::MutexLock lock(&mutex_);
    stopped = stop_;
    if (!stopped) inbox_.adopted.emplace_back(*id, std::move(held));
  }
  if (stopped) {
    if (watch) exits_.Unwatch(*watch);
    Unreserve();
    return absl::UnavailableError("the daemon is stopping");
  }
  bell_.Ring();
  return absl::OkStatus();
}

void SideChannelDoor::Notify(SessionId session, ByeReason reason) {
  {
    absl::MutexLock lock(&mutex_);
    if (stop_) return;
    inbox_.byes.emplace_back(session, reason);
  }
  bell_.Ring();
}

void SideChannelDoor::Wake(SessionId session) {
  {
    absl::MutexLock lock(&mutex_);
    if (stop_) return;
    if (std::find(inbox_.wakes.begin(), inbox_.wakes.end(), session) != inbox_.wakes.end()) return;
    inbox_.wakes.push_back(session);
  }
  bell_.Ring();
}

SideChannelConnection* SideChannelDoor::Find(SessionId session) {
  for (auto& [id, held] : held_) {
    if (session && held.connection->session() == session) return held.connection.get();
  }
  return nullptr;
}

void SideChannelDoor::EmptyInbox() {
  Inbox inbox;
  {
    absl::MutexLock lock(&mutex_);
    std::swap(inbox, inbox_);
  }
  for (auto& [id, held] : inbox.adopted) {
    if (*held.exited) held.connection->ProcessExited();
    held_.emplace(id, std::move(held));
  }
  for (const uint64_t id : inbox.exited) {
    auto it = held_.find(id);
    if (it != held_.end()) it->second.connection->ProcessExited();
  }
  for (const auto& [session, reason] : inbox.byes) {
    if (SideChannelConnection* connection = Find(session)) {
      connection->Leave(reason, SessionEnd::kNotified, Clock::now());
    }
  }
  for (const SessionId session : inbox.wakes) {
    if (SideChannelConnection* connection = Find(session)) connection->Wake();
  }
}

void SideChannelDoor::Unwatch(const Held& held) {
  if (held.watch) exits_.Unwatch(*held.watch);
}

void SideChannelDoor::RemoveGone() {
  for (auto it = held_.begin(); it != held_.end();) {
    if (it->second.connection->state() != SideChannelConnection::State::kGone) {
      ++it;
      continue;
    }
    Unwatch(it->second);
    it = held_.erase(it);
    Unreserve();
  }
}

void SideChannelDoor::PollOnce() {
  std::vector<pollfd> entries = {{bell_.poll_descriptor(), POLLIN, 0}};
  std::vector<SideChannelConnection*> connections;
  Clock::time_point deadline = Clock::time_point::max();
  for (auto& [id, held] : held_) {
    SideChannelConnection* connection = held.connection.get();
    entries.push_back({connection->poll_descriptor(), connection->PollEvents(), 0});
    connections.push_back(connection);
    deadline = std::min(deadline, connection->deadline());
  }
  const int ready = ::poll(entries.data(), entries.size(), MillisecondsUntil(deadline));
  const Clock::time_point now = Clock::now();
  if (ready > 0 && entries[0].revents) bell_.Drain();
  for (size_t i = 0; i < connections.size(); ++i) {
    const short events = ready > 0 ? entries[i + 1].revents : 0;
    // POLLHUP and POLLERR come unasked: writing or reading finds out what they mean.
    const bool room = (events & POLLIN) && connections[i]->wants_write();
    if (room || (events & (POLLOUT | POLLERR | POLLHUP))) connections[i]->Flush();
    if (events & (POLLIN | POLLERR | POLLHUP)) connections[i]->Receive(now);
    connections[i]->Tick(now);
  }
}

void SideChannelDoor::Loop() {
  const auto stopped = [this] {
    absl::MutexLock lock(&mutex_);
    return stop_;
  };
  while (!stopped()) {
    PollOnce();
    EmptyInbox();
    RemoveGone();
  }
  EmptyInbox();  // Adopt enters nothing more
  for (auto& [id, held] : held_) {
    held.connection->Leave(stop_reason_, SessionEnd::kShutdown, Clock::now());
  }
  const Clock::time_point end =
      Clock::now() + absl::ToChronoNanoseconds(options().connection.bye_linger);
  RemoveGone();
  while (!held_.empty() && Clock::now() < end) {
    PollOnce();
    RemoveGone();
  }
  for (auto& [id, held] : held_) {
    Unwatch(held);
    Unreserve();
  }
  held_.clear();
}

}  // namespace anex::door
