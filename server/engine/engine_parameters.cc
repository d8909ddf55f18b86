// The engine's verbs about parameter sets and their write leases.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/engine/engine_impl.h"

namespace anex::engine {
namespace {

// The set's buffers under handles of the session; takes them back unless Keep is called.
class BufferHandles {
 public:
  explicit BufferHandles(Session& session) : session_(session) {}
  ~BufferHandles() {
    for (const SurfaceId id : ids_) (void)session_.surfaces.Remove(id);
  }
  absl::StatusOr<SurfaceId> Add(const std::shared_ptr<Surface>& surface) {
    absl::StatusOr<SurfaceId> id = session_.surfaces.Add(
        SurfaceEntry::Of(surface, Access::kReadWrite, SurfaceOrigin::kParameter));
    if (id.ok()) ids_.push_back(*id);
    return id;
  }
  void Keep() { ids_.clear(); }

 private:
  Session& session_;
  std::vector<SurfaceId> ids_;
};

absl::StatusOr<ParameterSet::Parameter> MakeParameter(Session& session, const ParameterSpec& spec,
                                                      const TensorLayout& layout,
                                                      ParameterMode mode) {
  ParameterSet::Parameter parameter{spec.name, layout, {}};
  const std::string label = spec.name.substr(0, 64);
  for (size_t i = 0; i < (mode == ParameterMode::kDouble ? 2 : 1); ++i) {
    absl::StatusOr<std::shared_ptr<Surface>> buffer =
        session.pool().Create(layout, label, SurfaceOrigin::kParameter);
    if (!buffer.ok()) return buffer.status();
    parameter.buffers[i] = *std::move(buffer);
  }
  if (mode == ParameterMode::kFenced) parameter.buffers[1] = parameter.buffers[0];
  return parameter;
}

absl::Status NameBuffers(const ParameterSet& set, BufferHandles& handles, ParameterSetInfo& info) {
  for (size_t i = 0; i < info.parameters.size(); ++i) {
    const ParameterSet::Parameter& parameter = set.parameters()[i];
    for (size_t buffer = 0; buffer < 2; ++buffer) {
      if (buffer == 1 && parameter.buffers[1] == parameter.buffers[0]) {
        info.parameters[i].buffers[1] = info.parameters[i].buffers[0];
        continue;
      }
      absl::StatusOr<SurfaceId> id = handles.Add(parameter.buffers[buffer]);
      if (!id.ok()) return id.status();
      info.parameters[i].buffers[buffer] = *id;
    }
  }
  return absl::OkStatus();
}

// Forgets the handles of leases on `set`, which has at most one that is still open.
void DropLeases(Session& session, const std::shared_ptr<ParameterSet>& set) {
  for (const auto& [id, entry] : session.leases.List()) {
    if (entry.set == set) (void)session.leases.Remove(id);
  }
}

}  // namespace

absl::StatusOr<ParameterSetInfo> Engine::CreateParameterSet(const Caller& caller,
                                                            const ParameterSetSpec& spec) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  if (absl::Status label = CheckLabel(spec.label, "label"); !label.ok()) return label;
  const Bound most = impl_->limits.Of(&Limits::parameters_per_set);
  if (spec.parameters.size() > most.value()) {
    return most.Exceeded(absl::StrCat("asked for ", spec.parameters.size()));
  }
  std::vector<ParameterSet::Parameter> parameters;
  for (const ParameterSpec& each : spec.parameters) {
    absl::StatusOr<TensorLayout> layout =
        impl_->LayoutFor(**session, each.dtype, each.shape, each.fits);
    if (!layout.ok()) return layout.status();
    auto parameter = MakeParameter(**session, each, *layout, spec.mode);
    if (!parameter.ok()) return parameter.status();
    parameters.push_back(*std::move(parameter));
  }
  auto set = ParameterSet::Make(spec.mode, std::move(parameters), spec.label, impl_->clock);
  if (!set.ok()) return set.status();
  ParameterSetInfo info = (*set)->Info();
  BufferHandles handles(**session);
  if (absl::Status named = NameBuffers(**set, handles, info); !named.ok()) return named;
  absl::StatusOr<ParameterSetId> id = (*session)->sets.AddWith([&](ParameterSetId given) {
    info.id = given;
    return std::make_shared<const ParameterSetEntry>(ParameterSetEntry{*set, info});
  });
  if (!id.ok()) return id.status();
  handles.Keep();
  return info;
}

absl::StatusOr<WriteLease> Engine::BeginWrite(const Caller& caller, ParameterSetId set,
                                              int64_t duration_ns) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  absl::StatusOr<std::shared_ptr<const ParameterSetEntry>> entry = (*session)->sets.Find(set);
  if (!entry.ok()) return entry.status();
  if (duration_ns < 0) return absl::InvalidArgumentError("a lease's duration is not negative");
  const int64_t longest = static_cast<int64_t>(impl_->limits.Get(&Limits::write_lease_ns));
  const int64_t duration = duration_ns == 0 ? longest : std::min(duration_ns, longest);
  absl::StatusOr<LeaseTerms> terms = (*entry)->set->BeginWrite(duration, impl_->LimitOf(caller));
  if (!terms.ok()) return terms.status();
  DropLeases(**session, (*entry)->set);  // what is left of earlier ones
  absl::StatusOr<LeaseId> id = (*session)->leases.Add({set, (*entry)->set, terms->number});
  if (!id.ok()) {
    (void)(*entry)->set->Abort(terms->number);
    return id.status();
  }
  return WriteLease{*id, set, terms->buffer, terms->generation,
                    terms->expires_ns - impl_->clock.Now()};
}

absl::Status Engine::Update(const Caller& caller, LeaseId lease, const WeightChunk& chunk) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  absl::StatusOr<LeaseEntry> entry = (*session)->leases.Find(lease);
  if (!entry.ok()) return entry.status();
  return entry->set->Update(entry->number, chunk);
}

absl::StatusOr<uint64_t> Engine::Publish(const Caller& caller, LeaseId lease,
                                         uint64_t expected_generation) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  absl::StatusOr<LeaseEntry> entry = (*session)->leases.Find(lease);
  if (!entry.ok()) return entry.status();
  absl::StatusOr<uint64_t> generation = entry->set->Publish(entry->number, expected_generation);
  if (generation.ok()) (void)(*session)->leases.Remove(lease);
  return generation;
}

absl::Status Engine::Abort(const Caller& caller, LeaseId lease) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  absl::StatusOr<LeaseEntry> entry = (*session)->leases.Remove(lease);
  if (!entry.ok()) return entry.status();
  return entry->set->Abort(entry->number);
}

absl::StatusOr<ParameterSetInfo> Engine::DescribeParameterSet(const Caller& caller,
                                                              ParameterSetId set) const {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  absl::StatusOr<std::shared_ptr<const ParameterSetEntry>> entry = (*session)->sets.Find(set);
  if (!entry.ok()) return entry.status();
  ParameterSetInfo info = (*entry)->info;  // the handles
  const ParameterSetInfo now = (*entry)->set->Info();
  info.generation = now.generation;
  info.front_buffer = now.front_buffer;
  info.leased = now.leased;
  return info;
}

absl::Status Engine::ReleaseParameterSet(const Caller& caller, ParameterSetId set) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  absl::StatusOr<std::shared_ptr<const ParameterSetEntry>> entry = (*session)->sets.Remove(set);
  if (!entry.ok()) return entry.status();
  for (const auto& [id, lease] : (*session)->leases.List()) {
    if (lease.set != (*entry)->set) continue;
    (void)lease.set->Abort(lease.number);  // fails if it has ended already
    (void)(*session)->leases.Remove(id);
  }
  for (const ParameterInfo& parameter : (*entry)->info.parameters) {
    for (const SurfaceId id : parameter.buffers) (void)(*session)->surfaces.Remove(id);
  }
  return absl::OkStatus();
}

}  // namespace anex::engine
