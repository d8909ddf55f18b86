// Handles of a session -> the objects behind them, for invocations, chains and submissions.
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/engine/engine_impl.h"
#include "server/engine/objects/name_hint.h"

namespace anex::engine {
namespace {

absl::Status InStep(size_t number, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat("step ", number, ": ", std::string(status.message())));
}

absl::StatusOr<BoundParameter> ResolveParameter(const Session& session, const ParameterRef& ref) {
  absl::StatusOr<std::shared_ptr<const ParameterSetEntry>> entry = session.sets.Find(ref.set);
  if (!entry.ok()) return entry.status();
  absl::StatusOr<size_t> index = (*entry)->set->IndexOf(ref.parameter);
  if (!index.ok()) return index.status();
  return BoundParameter{(*entry)->set, *index};
}

}  // namespace

absl::StatusOr<BoundSurface> Engine::Impl::Resolve(const Session& session,
                                                   SurfaceId surface) const {
  absl::StatusOr<SurfaceEntry> entry = session.surfaces.Find(surface);
  if (!entry.ok()) return entry.status();
  return BoundSurface{entry->surface(), entry->access};
}

absl::StatusOr<std::vector<ResolvedBinding>> Engine::Impl::Resolve(
    const Session& session, std::span<const Binding> bindings) const {
  std::vector<ResolvedBinding> resolved;
  for (const Binding& binding : bindings) {
    absl::Status status;
    if (const auto* id = std::get_if<SurfaceId>(&binding.target)) {
      absl::StatusOr<BoundSurface> surface = Resolve(session, *id);
      status = surface.status();
      if (surface.ok()) resolved.push_back({binding.port, *std::move(surface)});
    } else {
      absl::StatusOr<BoundParameter> parameter =
          ResolveParameter(session, std::get<ParameterRef>(binding.target));
      status = parameter.status();
      if (parameter.ok()) resolved.push_back({binding.port, *std::move(parameter)});
    }
    if (!status.ok()) {
      return absl::Status(status.code(), absl::StrCat("port ", Quoted(binding.port), ": ",
                                                      std::string(status.message())));
    }
  }
  return resolved;
}

absl::StatusOr<ResolvedChain> Engine::Impl::Resolve(const Session& session,
                                                    const ChainSpec& spec) const {
  if (!spec.results.empty() && spec.results.size() != spec.loopbacks.size()) {
    return absl::InvalidArgumentError(absl::StrCat("a chain names one result per loopback: found ",
                                                   spec.results.size(), " for ",
                                                   spec.loopbacks.size()));
  }
  ResolvedChain chain;
  chain.repeat = spec.repeat;
  chain.label = spec.label;
  for (size_t i = 0; i < spec.steps.size(); ++i) {
    absl::StatusOr<ResolvedStep> step = ResolveStep(session, spec.steps[i]);
    if (!step.ok()) return InStep(i, step.status());
    chain.steps.push_back(*std::move(step));
  }
  for (size_t i = 0; i < spec.loopbacks.size(); ++i) {
    const LoopbackSpec& loopback = spec.loopbacks[i];
    const SurfaceId result = spec.results.empty() ? loopback.from : spec.results[i];
    if (result != loopback.from && result != loopback.to) {
      return absl::InvalidArgumentError(
          absl::StrCat("loopback ", i, ": its result must be its from or its to surface"));
    }
    absl::StatusOr<BoundSurface> from = Resolve(session, loopback.from);
    if (!from.ok()) return from.status();
    absl::StatusOr<BoundSurface> to = Resolve(session, loopback.to);
    if (!to.ok()) return to.status();
    chain.loopbacks.push_back(
        {*std::move(from), *std::move(to), loopback.mode, result == loopback.to});
  }
  return chain;
}

absl::StatusOr<ResolvedStep> Engine::Impl::ResolveStep(const Session& session,
                                                       const ChainStep& step) const {
  if (const auto* id = std::get_if<InvocationId>(&step)) {
    absl::StatusOr<std::shared_ptr<Invocation>> invocation = session.invocations.Find(*id);
    if (!invocation.ok()) return invocation.status();
    return ResolvedStep(std::shared_ptr<const Invocation>(*std::move(invocation)));
  }
  if (const auto* copy = std::get_if<CopySpec>(&step)) {
    absl::StatusOr<BoundSurface> from = Resolve(session, copy->from);
    if (!from.ok()) return from.status();
    absl::StatusOr<BoundSurface> to = Resolve(session, copy->to);
    if (!to.ok()) return to.status();
    return ResolvedStep(
        ResolvedCopy{*std::move(from), *std::move(to), copy->from_region, copy->to_region});
  }
  if (const auto* id = std::get_if<ParameterSetId>(&step)) {
    absl::StatusOr<std::shared_ptr<const ParameterSetEntry>> set = session.sets.Find(*id);
    if (!set.ok()) return set.status();
    return ResolvedStep(PublishStep{(*set)->set});
  }
  const FenceSpec& fence = std::get<FenceSpec>(step);
  absl::StatusOr<std::shared_ptr<Fence>> found = session.fences.Find(fence.fence);
  if (!found.ok()) return found.status();
  return ResolvedStep(FenceStep{*std::move(found), fence.value, fence.signal});
}

absl::StatusOr<Work> Engine::Impl::Resolve(const Session& session, const Submission& submission,
                                           std::string_view& device) const {
  switch (submission.kind) {
    case SubmissionKind::kInvocation: {
      auto found = session.invocations.Find(InvocationId(submission.target));
      if (!found.ok()) return found.status();
      device = (*found)->kernel().device_name();
      return Work(std::shared_ptr<const Invocation>(*std::move(found)));
    }
    case SubmissionKind::kChain: {
      auto found = session.chains.Find(ChainId(submission.target));
      if (!found.ok()) return found.status();
      device = (*found)->device_name();
      return Work(*std::move(found));
    }
    case SubmissionKind::kPublish: {
      auto found = session.sets.Find(ParameterSetId(submission.target));
      if (!found.ok()) return found.status();
      return Work(PublishWork{(*found)->set, submission.argument});
    }
    case SubmissionKind::kFence: {
      auto found = session.fences.Find(FenceId(submission.target));
      if (!found.ok()) return found.status();
      return Work(FenceStep{*std::move(found), submission.argument, submission.fence_signal});
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown kind of submission ", static_cast<int>(submission.kind)));
}

}  // namespace anex::engine
