// The engine's verbs about work sources: ways in that a device thread itself asks for work.
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/values/within_memory.h"
#include "server/engine/engine_impl.h"

namespace anex::engine {

absl::StatusOr<Admission> Engine::AdmitRing(const Caller& caller, uint64_t entries,
                                            uint64_t bytes) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  const Bound depth = impl_->limits.Of(&Limits::lane_depth);
  if (entries > depth.value()) {
    return depth.Exceeded(absl::StrCat("a ring of ", entries,
                                       " completions could put as many into its lane; open a "
                                       "smaller one"));
  }
  absl::StatusOr<QuotaPlace> place = (*session)->streams()->Take();
  if (!place.ok()) return place.status();
  absl::StatusOr<ByteCharge> memory = (*session)->pool().budget().Take(bytes);
  if (!memory.ok()) return memory.status();
  return Admission{*std::move(place), *std::move(memory)};
}

// The dispatcher's part first: what the table gives out is attached, so whoever takes it out of
// there detaches it for good.
absl::Status Engine::AttachSource(const Caller& caller, LaneId id, std::string_view device,
                                  std::shared_ptr<WorkSource> source) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  absl::StatusOr<std::shared_ptr<SessionLane>> lane = (*session)->lanes.Find(id);
  if (!lane.ok()) return lane.status();
  absl::StatusOr<Dispatcher*> dispatcher = impl_->DispatcherNamed(device);
  if (!dispatcher.ok()) return dispatcher.status();
  SourceTable::Entry entry{id, *dispatcher, std::move(source), nullptr};
  {
    absl::MutexLock lock(&(*lane)->mutex);
    if (device.empty() && (*lane)->device_lane == 0 && !(*lane)->released) {
      entry.settling = std::make_shared<SettlingSource>(
          entry.source, **dispatcher, [impl = impl_.get(), lane = *lane]() -> Dispatcher* {
            absl::MutexLock lock(&lane->mutex);
            return lane->device_lane == 0 ? nullptr : &impl->DispatcherOf(lane->device);
          });
    } else {
      dispatcher = impl_->Settle(**session, id, **lane, device);
      if (!dispatcher.ok()) return dispatcher.status();
      entry.dispatcher = *dispatcher;
    }
  }
  (*lane)->has_source.store(true, std::memory_order_relaxed);  // for good: a look costs little
  entry.Attach();
  const absl::Status added = impl_->sources.Add((*session)->id(), entry);
  if (!added.ok()) {
    entry.Detach(/*last_look=*/false);
    return added;
  }
  // Ended meanwhile, maybe before it was in the table?
  if (!(*session)->ended() && (*session)->lanes.Find(id).ok()) return absl::OkStatus();
  for (const SourceTable::Entry& each : impl_->sources.Take((*session)->id(), id)) {
    Impl::Detach({&each, 1}, /*last_look=*/false);
    each.source->Detached();
  }
  return absl::NotFoundError("the lane or its session has just ended");
}

absl::Status Engine::DetachSource(const Caller& caller, LaneId lane) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  const std::vector<SourceTable::Entry> found = impl_->sources.Take((*session)->id(), lane);
  if (found.empty()) return absl::NotFoundError("there is no such ring in this session");
  Impl::Detach(found, /*last_look=*/true);
  for (const SourceTable::Entry& each : found) each.source->Detached();
  return absl::OkStatus();
}

void Engine::Impl::Detach(std::span<const SourceTable::Entry> sources, bool last_look) {
  for (const SourceTable::Entry& each : sources) each.Detach(last_look);
}

void Engine::Impl::TakeFromSource(SessionId session, LaneId lane) const {
  if (const auto entry = sources.Find(session, lane)) entry->TakeFrom();
}

// A lane without a device has nobody's time to pay with; what all suspects together take is
// bounded.
void Engine::ChargeLane(const Caller& caller, LaneId id, int64_t ns) {
  (void)WithinMemory("charge a lane", [&]() -> absl::Status {
    absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
    if (!session.ok()) return session.status();
    absl::StatusOr<std::shared_ptr<SessionLane>> lane = (*session)->lanes.Find(id);
    if (!lane.ok()) return lane.status();
    absl::MutexLock lock(&(*lane)->mutex);
    if ((*lane)->device_lane == 0) return absl::OkStatus();
    impl_->DispatcherOf((*lane)->device).Charge((*lane)->device_lane, ns);
    return absl::OkStatus();
  });
}

absl::StatusOr<Dispatcher*> Engine::Impl::DispatcherNamed(std::string_view device) const {
  const std::string_view wanted = device.empty() ? std::string_view(default_device) : device;
  for (const auto& dispatcher : dispatchers) {
    if (dispatcher->slot().name() == wanted) return dispatcher.get();
  }
  return absl::NotFoundError(
      "this daemon has no such device; `anectl devices` lists those that it has");
}

uint64_t Engine::device_sleeps() const {
  uint64_t sleeps = 0;
  for (const auto& dispatcher : impl_->dispatchers) sleeps += dispatcher->sleeps();
  return sleeps;
}

}  // namespace anex::engine
