// The engine's verbs about invocations, chains, lanes, fences and submissions.
#include <algorithm>
#include <array>
#include <functional>
#include <span>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "proto/values/within_memory.h"
#include "server/engine/engine_impl.h"

namespace anex::engine {
namespace {

// How often a caller that waits for a completion is asked whether it still does.
constexpr absl::Duration kPoll = absl::Milliseconds(50);

// Resolved at one time, on the stack; as many as a ring gives at a look.
constexpr size_t kMostAtOnce = 16;

int64_t After(int64_t now_ns, int64_t duration_ns) {
  return duration_ns > INT64_MAX - now_ns ? INT64_MAX : now_ns + duration_ns;
}

// Many in a row run the same invocation or chain: they are looked up once.
bool SameRun(const Submission& a, const Submission& b) {
  const bool runs = a.kind == SubmissionKind::kInvocation || a.kind == SubmissionKind::kChain;
  return runs && a.kind == b.kind && a.target == b.target;
}

// The account that a session's device time is shared by. A TLS subject gets a number that no local
// uid has.
uint64_t AccountOf(const Identity& identity) {
  if (identity.kind != Identity::Kind::kTlsSubject) return identity.uid;
  return uint64_t{1} << 32 | (std::hash<std::string>()(identity.subject) & 0xffffffff);
}

}  // namespace

absl::StatusOr<InvocationId> Engine::Prepare(const Caller& caller, const InvocationSpec& spec) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  absl::StatusOr<std::shared_ptr<const KernelEntry>> entry = (*session)->kernels.Find(spec.kernel);
  if (!entry.ok()) return entry.status();
  const std::shared_ptr<Kernel>& kernel = (*entry)->kernel;
  absl::StatusOr<size_t> function = kernel->FindFunction(spec.function);
  if (!function.ok()) return function.status();
  absl::StatusOr<std::vector<ResolvedBinding>> bindings = impl_->Resolve(**session, spec.bindings);
  if (!bindings.ok()) return bindings.status();
  absl::StatusOr<std::shared_ptr<Invocation>> invocation =
      Invocation::Make(kernel, *function, *std::move(bindings),
                       impl_->limits.Get(&Limits::sets_per_invocation), (*session)->pool());
  if (!invocation.ok()) return invocation.status();
  return (*session)->invocations.Add(*std::move(invocation));
}

absl::Status Engine::Rebind(const Caller& caller, InvocationId invocation,
                            std::span<const Binding> bindings) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  absl::StatusOr<std::shared_ptr<Invocation>> old = (*session)->invocations.Find(invocation);
  if (!old.ok()) return old.status();
  absl::StatusOr<std::vector<ResolvedBinding>> resolved = impl_->Resolve(**session, bindings);
  if (!resolved.ok()) return resolved.status();
  absl::StatusOr<std::shared_ptr<Invocation>> rebound = (*old)->Rebound(*std::move(resolved));
  if (!rebound.ok()) return rebound.status();
  return (*session)->invocations.Replace(invocation, *std::move(rebound));
}

absl::Status Engine::ReleaseInvocation(const Caller& caller, InvocationId invocation) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  return (*session)->invocations.Remove(invocation).status();
}

absl::StatusOr<ChainId> Engine::DefineChain(const Caller& caller, const ChainSpec& spec) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  if (absl::Status label = CheckLabel(spec.label, "label"); !label.ok()) return label;
  absl::StatusOr<ResolvedChain> resolved = impl_->Resolve(**session, spec);
  if (!resolved.ok()) return resolved.status();
  absl::StatusOr<std::shared_ptr<const Chain>> chain =
      Chain::Make(*std::move(resolved), impl_->limits.Now());
  if (!chain.ok()) return chain.status();
  return (*session)->chains.Add(*std::move(chain));
}

absl::Status Engine::ReleaseChain(const Caller& caller, ChainId chain) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  return (*session)->chains.Remove(chain).status();
}

absl::StatusOr<LaneId> Engine::CreateLane(const Caller& caller, const LaneSpec& spec) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  if (absl::Status label = CheckLabel(spec.label, "label"); !label.ok()) return label;
  if (spec.qos == QosClass::kRealTime) {
    return absl::FailedPreconditionError(
        "the real-time class is entered by reservation only, and this session has none; use "
        "interactive");
  }
  if (spec.qos > QosClass::kBackground) {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown scheduling class ", static_cast<int>(spec.qos)));
  }
  auto lane = std::make_shared<SessionLane>();
  lane->spec = spec;
  return (*session)->lanes.Add(std::move(lane));
}

absl::Status Engine::ReleaseLane(const Caller& caller, LaneId lane) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  absl::StatusOr<std::shared_ptr<SessionLane>> removed = (*session)->lanes.Remove(lane);
  if (!removed.ok()) return removed.status();
  // Without the lane's lock: its source may be about to submit to it.
  const std::vector<SourceTable::Entry> source = impl_->sources.Take((*session)->id(), lane);
  Impl::Detach(source, /*last_look=*/false);
  {
    absl::MutexLock lock(&(*removed)->mutex);
    (*removed)->released = true;
    if ((*removed)->device_lane != 0) {
      impl_->DispatcherOf((*removed)->device).CloseLane((*removed)->device_lane);
    }
  }
  for (const SourceTable::Entry& each : source) each.source->Detached();
  return absl::OkStatus();
}

absl::StatusOr<LaneStatus> Engine::DescribeLane(const Caller& caller, LaneId id) const {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  absl::StatusOr<std::shared_ptr<SessionLane>> lane = (*session)->lanes.Find(id);
  if (!lane.ok()) return lane.status();
  impl_->TakeFromSource((*session)->id(), id);  // it may settle the lane
  LaneStatus status;
  status.id = id;
  status.qos = (*lane)->spec.qos;
  status.label = (*lane)->spec.label;
  uint64_t device_lane = 0;
  {
    absl::MutexLock lock(&(*lane)->mutex);
    status.device = (*lane)->device;
    device_lane = (*lane)->device_lane;
  }
  if (device_lane == 0) return status;
  if (const auto view = impl_->DispatcherOf(status.device).LaneOf(device_lane)) {
    status.queued = view->queued;
    status.running = view->running;
    status.blocked = view->blocked;
    status.next = view->prospect;
  }
  return status;
}

absl::StatusOr<FenceId> Engine::CreateFence(const Caller& caller, uint64_t initial_value) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  return (*session)->fences.Add(std::make_shared<Fence>(initial_value));
}

absl::Status Engine::SignalFence(const Caller& caller, FenceId fence, uint64_t value) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  absl::StatusOr<std::shared_ptr<Fence>> found = (*session)->fences.Find(fence);
  if (!found.ok()) return found.status();
  return (*found)->Signal(value);
}

absl::StatusOr<uint64_t> Engine::WaitFence(const Caller& caller, FenceId fence, uint64_t value) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  absl::StatusOr<std::shared_ptr<Fence>> found = (*session)->fences.Find(fence);
  if (!found.ok()) return found.status();
  return (*found)->Wait(value, impl_->LimitOf(caller));
}

absl::Status Engine::ReleaseFence(const Caller& caller, FenceId fence) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  absl::StatusOr<std::shared_ptr<Fence>> removed = (*session)->fences.Remove(fence);
  if (!removed.ok()) return removed.status();
  (*removed)->Close();
  return absl::OkStatus();
}

absl::StatusOr<OpenedStream> Engine::OpenStream(const Caller& caller, size_t credits,
                                                std::shared_ptr<StreamCut> cut) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  absl::StatusOr<QuotaPlace> place = (*session)->streams()->Take();
  if (!place.ok()) return place.status();
  OpenedStream stream{*std::move(place), CreateCompletionQueue(credits)};
  impl_->streams.Add((*session)->id(), stream.completions, std::move(cut));
  if (!(*session)->ended()) return stream;
  impl_->streams.Close((*session)->id(), impl_->clock.Now());  // maybe before it was in the table
  return absl::UnauthenticatedError("the session has just ended; open a new one");
}

absl::StatusOr<QuotaPlace> Engine::AdmitCall(const Caller& caller) {
  return impl_->calls.Take(caller.identity.pid);
}

std::shared_ptr<CompletionQueue> Engine::CreateCompletionQueue(size_t bound) {
  const Bound most = impl_->limits.Of(&Limits::completions_per_queue);
  return std::make_shared<CompletionQueue>(std::clamp<size_t>(bound, 1, most.value()), most);
}

// A lane finds its device with its first submission that needs one, and keeps it: order within a
// lane could not hold across two devices' threads.
absl::StatusOr<Dispatcher*> Engine::Impl::Settle(const Session& session, LaneId id,
                                                 SessionLane& lane, std::string_view device) const {
  if (lane.released) return absl::NotFoundError("the lane was released");
  const std::string_view wanted = device.empty() ? std::string_view(default_device) : device;
  if (lane.device_lane == 0) {
    Dispatcher& dispatcher = DispatcherOf(wanted);
    absl::StatusOr<uint64_t> opened =
        dispatcher.OpenLane({AccountOf(session.identity()), session.id(), id, lane.spec.qos,
                             session.weight(), session.usage(), session.queue()});
    if (!opened.ok()) return opened.status();
    lane.device = wanted;
    lane.device_lane = *opened;
    return &dispatcher;
  }
  if (device.empty() || device == lane.device) return &DispatcherOf(lane.device);
  return absl::FailedPreconditionError(absl::StrCat(
      "the lane's earlier submissions went to device ", lane.device, ", this one needs ",
      std::string(device), "; use a lane per device and fences between them"));
}

absl::Status Engine::Submit(const Caller& caller, const Submission& submission,
                            std::shared_ptr<CompletionSink> completions) {
  absl::Status refused;
  SubmitSome(caller, std::span(&submission, 1), completions, refused);
  return refused;
}

size_t Engine::SubmitSome(const Caller& caller, std::span<const Submission> submissions,
                          const std::shared_ptr<CompletionSink>& completions, absl::Status& refused,
                          bool from_source) {
  refused = absl::OkStatus();
  if (submissions.empty()) return 0;
  absl::StatusOr<std::shared_ptr<Session>> session;
  absl::StatusOr<std::shared_ptr<SessionLane>> lane;
  refused = WithinMemory("take this submission", [&] {
    session = impl_->SessionOf(caller);
    lane = session.ok() ? (*session)->lanes.Find(submissions.front().lane) : session.status();
    if (lane.ok() && !from_source && (*lane)->has_source.load(std::memory_order_relaxed)) {
      impl_->TakeFromSource(caller.session, submissions.front().lane);
    }
    return lane.status();
  });
  if (!refused.ok()) return 0;
  size_t queued = 0;
  while (refused.ok() && queued < submissions.size()) {
    const size_t count = std::min(submissions.size() - queued, kMostAtOnce);
    absl::Status why;
    refused = WithinMemory("take this submission", [&] {
      queued +=
          impl_->SubmitTo(**session, **lane, submissions.subspan(queued, count), completions, why);
      return absl::OkStatus();
    });
    refused.Update(why);
  }
  if ((*session)->ended()) {  // it ended meanwhile, maybe before the lane was opened
    (void)WithinMemory("close the lanes of a session that has ended", [&] {
      for (const auto& dispatcher : impl_->dispatchers) dispatcher->CloseLanes((*session)->id());
      return absl::OkStatus();
    });
  }
  return queued;
}

size_t Engine::Impl::SubmitTo(const Session& session, SessionLane& lane,
                              std::span<const Submission> submissions,
                              const std::shared_ptr<CompletionSink>& completions,
                              absl::Status& refused) const {
  std::array<WorkItem, kMostAtOnce> items;
  std::array<std::string_view, kMostAtOnce> devices;
  const int64_t now_ns = clock.Now();
  size_t resolved = 0;
  for (; resolved < submissions.size(); ++resolved) {
    const Submission& submission = submissions[resolved];
    WorkItem& item = items[resolved];
    if (submission.deadline_ns < 0) {
      refused = absl::InvalidArgumentError("a submission's deadline is from now, not negative");
      break;
    }
    if (resolved > 0 && SameRun(submission, submissions[resolved - 1])) {
      item.work = items[resolved - 1].work;
      devices[resolved] = devices[resolved - 1];
    } else if (absl::StatusOr<Work> work = Resolve(session, submission, devices[resolved]);
               work.ok()) {
      item.work = *std::move(work);
    } else {
      refused = work.status();
      break;
    }
    const int64_t duration = submission.deadline_ns != 0
                                 ? submission.deadline_ns
                                 : static_cast<int64_t>(default_deadline.value());
    item.user_data = submission.user_data;
    item.deadline_ns = After(now_ns, duration);
    item.step_timings = submission.step_timings;
    item.completions = completions;
  }
  absl::MutexLock lock(&lane.mutex);  // settles the lane; order is that of getting this lock
  absl::Status settled;
  if (lane.device_lane == 0 && resolved > 0) {  // on the first device that is meant
    const auto named = std::find_if(devices.begin(), devices.begin() + resolved,
                                    [](std::string_view device) { return !device.empty(); });
    settled = Settle(session, submissions.front().lane, lane,
                     named == devices.begin() + resolved ? "" : *named)
                  .status();
    if (!settled.ok()) resolved = 0;
  }
  size_t fit = 0;  // those that go to the lane's device
  for (; fit < resolved; ++fit) {
    if (fit > 0 && devices[fit] == devices[fit - 1]) continue;
    settled = Settle(session, submissions.front().lane, lane, devices[fit]).status();
    if (!settled.ok()) break;
  }
  if (!settled.ok()) refused = settled;
  if (fit == 0) return 0;
  absl::Status why;
  const size_t queued =
      DispatcherOf(lane.device).SubmitSome(lane.device_lane, std::span(items).first(fit), why);
  if (!why.ok()) refused = why;
  return queued;
}

// The work's own deadline ends with the caller's, so nothing starts for a caller who has given up.
absl::StatusOr<Completion> Engine::Evaluate(const Caller& caller, const Submission& submission) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  absl::StatusOr<std::shared_ptr<SessionLane>> lane = (*session)->lanes.Find(submission.lane);
  if (!lane.ok()) return lane.status();
  const auto completions =
      std::make_shared<CompletionQueue>(1, Bound("completions_per_queue", UINT64_MAX),
                                        std::shared_ptr<shm::WaitEstimate>(*lane, &(*lane)->waits));
  const WaitLimit limit = impl_->LimitOf(caller);
  if (absl::Status early = limit.Check("acceptance"); !early.ok()) return early;
  Submission bounded = submission;
  if (submission.deadline_ns >= 0) {
    const int64_t longest = submission.deadline_ns != 0
                                ? submission.deadline_ns
                                : static_cast<int64_t>(impl_->default_deadline.value());
    const int64_t left = caller.deadline_ns - impl_->clock.Now();
    bounded.deadline_ns = std::max<int64_t>(1, std::min(longest, left));
  }
  absl::Status queued = Submit(caller, bounded, completions);
  if (!queued.ok()) return queued;
  while (true) {
    if (std::optional<Completion> done = completions->Next(kPoll)) return *std::move(done);
    absl::Status waiting = limit.Check("the submission's completion");
    if (waiting.ok()) continue;
    completions->Shutdown();
    // It has ended with its lane if that is gone.
    (void)impl_->CancelOn(caller, bounded.lane, [&](Dispatcher& dispatcher, uint64_t lane) {
      return dispatcher.CancelFor(lane, *completions);
    });
    return waiting;
  }
}

absl::StatusOr<uint32_t> Engine::Impl::CancelOn(
    const Caller& caller, LaneId lane,
    const std::function<uint32_t(Dispatcher&, uint64_t device_lane)>& cancel) const {
  absl::StatusOr<std::shared_ptr<Session>> session = SessionOf(caller);
  if (!session.ok()) return session.status();
  absl::StatusOr<std::shared_ptr<SessionLane>> found = (*session)->lanes.Find(lane);
  if (!found.ok()) return found.status();
  std::string device;
  uint64_t device_lane = 0;
  {
    absl::MutexLock lock(&(*found)->mutex);
    device = (*found)->device;
    device_lane = (*found)->device_lane;
  }
  // Without the lock: the device thread may want it, and what is cancelled may hold much memory.
  // Numbers of lanes do not come again.
  return device_lane == 0 ? 0 : cancel(DispatcherOf(device), device_lane);
}

absl::StatusOr<uint32_t> Engine::Cancel(const Caller& caller, LaneId lane, uint64_t user_data) {
  impl_->TakeFromSource(caller.session, lane);
  return impl_->CancelOn(caller, lane, [user_data](Dispatcher& dispatcher, uint64_t device_lane) {
    return dispatcher.Cancel(device_lane, user_data);
  });
}

absl::Status Engine::WaitLaneIdle(const Caller& caller, LaneId lane) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  absl::StatusOr<std::shared_ptr<SessionLane>> found = (*session)->lanes.Find(lane);
  if (!found.ok()) return found.status();
  impl_->TakeFromSource((*session)->id(), lane);  // it may settle the lane
  uint64_t device_lane = 0;
  std::string device;
  {
    absl::MutexLock lock(&(*found)->mutex);
    device_lane = (*found)->device_lane;
    device = (*found)->device;
  }
  if (device_lane == 0) return absl::OkStatus();
  return impl_->DispatcherOf(device).WaitIdle(device_lane, impl_->LimitOf(caller));
}

}  // namespace anex::engine
