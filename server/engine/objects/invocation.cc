#include "server/engine/objects/invocation.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/engine/limits.h"
#include "server/engine/objects/name_hint.h"

namespace anex::engine {
namespace {

using Bindings = std::vector<ResolvedBinding>;

std::array<const Surface*, 2> BuffersOf(const ResolvedBinding& binding) {
  if (const auto* bound = std::get_if<BoundSurface>(&binding.target)) {
    return {bound->surface.get(), bound->surface.get()};
  }
  const auto& bound = std::get<BoundParameter>(binding.target);
  const auto& buffers = bound.set->parameters()[bound.index].buffers;
  return {buffers[0].get(), buffers[1].get()};
}

absl::Status CheckFits(const PortInfo& port, const Surface& surface, std::string_view what) {
  const std::string name = absl::StrCat("port ", Quoted(port.name));
  if (!SameElements(surface.layout(), port.layout)) {
    return absl::InvalidArgumentError(absl::StrCat(name, " expects ", port.layout.ToString(),
                                                   ", found ", std::string(what), " of ",
                                                   surface.layout().ToString()));
  }
  if (surface.region()->size() < SpanBytes(port.layout)) {
    return absl::InvalidArgumentError(absl::StrCat(name, " needs ", SpanBytes(port.layout),
                                                   " bytes, the surface has ",
                                                   surface.region()->size()));
  }
  if (surface.quarantined()) {
    return absl::FailedPreconditionError(absl::StrCat(
        name, ": the surface was in use when the device hung; release it and create another"));
  }
  return absl::OkStatus();
}

absl::Status CheckAccess(const PortInfo& port, const ResolvedBinding& binding) {
  if (port.direction != PortDirection::kOutput) return absl::OkStatus();
  const auto* bound = std::get_if<BoundSurface>(&binding.target);
  if (bound == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("output port ", Quoted(port.name), " cannot be bound to a parameter"));
  }
  if (bound->access == Access::kReadWrite) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat(
      "output port ", Quoted(port.name), " is bound to a surface that was granted read-only"));
}

absl::Status CheckBinding(const PortInfo& port, const ResolvedBinding& binding) {
  const bool parameter = std::holds_alternative<BoundParameter>(binding.target);
  for (const Surface* surface : BuffersOf(binding)) {
    absl::Status fits = CheckFits(port, *surface, parameter ? "a parameter" : "a surface");
    if (!fits.ok()) return fits;
  }
  return CheckAccess(port, binding);
}

bool ShareMemory(const ResolvedBinding& a, const ResolvedBinding& b) {
  for (const Surface* x : BuffersOf(a)) {
    for (const Surface* y : BuffersOf(b)) {
      if (x->region() == y->region()) return true;
    }
  }
  return false;
}

// An output's memory belongs to that output alone.
absl::Status CheckNoAliases(const FunctionInfo& function, const Bindings& bindings) {
  for (size_t i = 0; i < bindings.size(); ++i) {
    if (function.ports[i].direction != PortDirection::kOutput) continue;
    for (size_t j = 0; j < bindings.size(); ++j) {
      if (i == j || !ShareMemory(bindings[i], bindings[j])) continue;
      return absl::InvalidArgumentError(absl::StrCat(
          "output port ", Quoted(function.ports[i].name), " and port ",
          Quoted(function.ports[j].name), " are bound to the same surface; use two surfaces ",
          "(a chain's loopback carries a value from an output to an input)"));
    }
  }
  return absl::OkStatus();
}

// Binds each port, in the function's order. `ordered` has one entry per port, empty names are
// unbound.
absl::Status PlaceByName(const Kernel& kernel, size_t function, Bindings bindings,
                         Bindings& ordered) {
  std::vector<bool> named(ordered.size(), false);
  for (ResolvedBinding& binding : bindings) {
    absl::StatusOr<size_t> port = kernel.FindPort(function, binding.port);
    if (!port.ok()) return port.status();
    if (kernel.functions()[function].ports[*port].direction == PortDirection::kState) {
      return absl::InvalidArgumentError(
          absl::StrCat("port ", Quoted(binding.port),
                       " is a state: it belongs to the invocation, leave it out"));
    }
    if (named[*port]) {
      return absl::InvalidArgumentError(
          absl::StrCat("port ", Quoted(binding.port), " is bound twice"));
    }
    named[*port] = true;
    ordered[*port] = std::move(binding);
  }
  return absl::OkStatus();
}

// States get zeroed memory of the invocation's own; everything else must be bound by now.
absl::Status FillStates(const FunctionInfo& function, SurfacePool& pool, Bindings& ordered) {
  for (size_t i = 0; i < function.ports.size(); ++i) {
    const PortInfo& port = function.ports[i];
    if (port.direction == PortDirection::kState) {
      absl::StatusOr<std::shared_ptr<Surface>> memory = pool.Create(port.layout, port.name);
      if (!memory.ok()) return memory.status();
      ordered[i] = {port.name, BoundSurface{*std::move(memory), Access::kReadWrite}};
    } else if (ordered[i].port.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat(port.direction == PortDirection::kInput ? "input" : "output", " port ",
                       Quoted(port.name), " is not bound; it expects ", port.layout.ToString()));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<Invocation>> Invocation::Make(std::shared_ptr<Kernel> kernel,
                                                             size_t function,
                                                             std::vector<ResolvedBinding> bindings,
                                                             uint64_t max_sets, SurfacePool& pool) {
  const FunctionInfo& info = kernel->functions()[function];
  Bindings ordered(info.ports.size());
  absl::Status placed = PlaceByName(*kernel, function, std::move(bindings), ordered);
  if (placed.ok()) placed = FillStates(info, pool, ordered);
  if (!placed.ok()) return placed;
  return Finish(std::shared_ptr<Invocation>(
      new Invocation(std::move(kernel), function, std::move(ordered), max_sets)));
}

absl::StatusOr<std::shared_ptr<Invocation>> Invocation::Rebound(
    std::vector<ResolvedBinding> bindings) const {
  Bindings ordered = bindings_;
  absl::Status placed = PlaceByName(*kernel_, function_, std::move(bindings), ordered);
  if (!placed.ok()) return placed;
  return Finish(std::shared_ptr<Invocation>(
      new Invocation(kernel_, function_, std::move(ordered), max_sets_)));
}

absl::StatusOr<std::shared_ptr<Invocation>> Invocation::Swapped(
    std::span<const std::pair<BoundSurface, BoundSurface>> pairs) const {
  Bindings ordered = bindings_;
  bool changed = false;
  for (ResolvedBinding& binding : ordered) {
    auto* bound = std::get_if<BoundSurface>(&binding.target);
    if (bound == nullptr) continue;
    for (const auto& [a, b] : pairs) {
      if (bound->surface != a.surface && bound->surface != b.surface) continue;
      *bound = bound->surface == a.surface ? b : a;
      changed = true;
      break;
    }
  }
  if (!changed) return std::shared_ptr<Invocation>();
  return Finish(std::shared_ptr<Invocation>(
      new Invocation(kernel_, function_, std::move(ordered), max_sets_)));
}

Invocation::Invocation(std::shared_ptr<Kernel> kernel, size_t function,
                       std::vector<ResolvedBinding> bindings, uint64_t max_sets)
    : kernel_(std::move(kernel)),
      function_(function),
      bindings_(std::move(bindings)),
      max_sets_(max_sets) {}

absl::StatusOr<std::shared_ptr<Invocation>> Invocation::Finish(
    std::shared_ptr<Invocation> invocation) {
  const FunctionInfo& function = invocation->function();
  for (size_t i = 0; i < function.ports.size(); ++i) {
    absl::Status fits = CheckBinding(function.ports[i], invocation->bindings_[i]);
    if (!fits.ok()) return fits;
  }
  absl::Status checked = CheckNoAliases(function, invocation->bindings_);
  if (checked.ok()) checked = invocation->CollectSets();
  if (!checked.ok()) return checked;
  device::CallControl control;
  absl::StatusOr<std::shared_ptr<const Prepared>> prepared = invocation->PrepareAll(control);
  if (!prepared.ok()) return prepared.status();
  for (std::shared_ptr<Surface>& surface : invocation->AllSurfaces()) {
    invocation->surface_pins_.emplace_back(std::move(surface));
  }
  absl::MutexLock lock(&invocation->mutex_);
  invocation->prepared_ = *std::move(prepared);
  invocation->current_.store(invocation->prepared_.get(), std::memory_order_release);
  return invocation;
}

absl::Status Invocation::CollectSets() {
  for (const ResolvedBinding& binding : bindings_) {
    const auto* bound = std::get_if<BoundParameter>(&binding.target);
    if (bound == nullptr) continue;
    if (std::find(sets_.begin(), sets_.end(), bound->set) == sets_.end()) {
      sets_.push_back(bound->set);
    }
  }
  if (sets_.size() <= max_sets_) return absl::OkStatus();
  return Bound("sets_per_invocation", max_sets_)
      .Exceeded(absl::StrCat("the bindings name ", sets_.size(),
                             " parameter sets; put their parameters into fewer sets"));
}

uint32_t Invocation::MaskOf(std::span<const SetPin> pins) {
  uint32_t mask = 0;
  for (size_t i = 0; i < pins.size(); ++i) mask |= pins[i].buffer() << i;
  return mask;
}

const std::shared_ptr<Surface>& Invocation::SurfaceOf(const ResolvedBinding& binding,
                                                      uint32_t mask) const {
  if (const auto* bound = std::get_if<BoundSurface>(&binding.target)) return bound->surface;
  const auto& bound = std::get<BoundParameter>(binding.target);
  const auto bit = std::find(sets_.begin(), sets_.end(), bound.set) - sets_.begin();
  return bound.set->parameters()[bound.index].buffers[(mask >> bit) & 1];
}

std::vector<std::shared_ptr<Surface>> Invocation::AllSurfaces() const {
  std::vector<std::shared_ptr<Surface>> surfaces;
  for (const ResolvedBinding& binding : bindings_) {
    for (const uint32_t mask : {0u, ~0u}) surfaces.push_back(SurfaceOf(binding, mask));
  }
  std::sort(surfaces.begin(), surfaces.end());
  surfaces.erase(std::unique(surfaces.begin(), surfaces.end()), surfaces.end());
  return surfaces;
}

absl::StatusOr<std::unique_ptr<device::Request>> Invocation::PrepareOne(
    device::Executable& executable, uint32_t mask) const {
  std::vector<device::BoundPort> ports;
  for (uint32_t i = 0; i < bindings_.size(); ++i) {
    const std::shared_ptr<Surface>& surface = SurfaceOf(bindings_[i], mask);
    if (surface->quarantined()) {
      return absl::FailedPreconditionError(absl::StrCat(
          "the surface on port ", Quoted(bindings_[i].port),
          " was in use when the device hung; release it, create another and prepare again"));
    }
    ports.push_back({i, surface->region(), surface->layout()});
  }
  return executable.Prepare(function_, ports);
}

absl::StatusOr<std::shared_ptr<const Invocation::Prepared>> Invocation::PrepareAll(
    device::CallControl& control) const {
  absl::StatusOr<Kernel::Loaded> loaded = kernel_->EnsureLoaded(control);
  if (!loaded.ok()) return loaded.status();
  auto prepared = std::make_shared<Prepared>();
  prepared->loaded = *std::move(loaded);
  uint32_t flippable = 0;  // bits of double-buffered sets
  for (size_t i = 0; i < sets_.size(); ++i) {
    if (sets_[i]->mode() == ParameterMode::kDouble) flippable |= 1u << i;
  }
  prepared->requests.resize(size_t{1} << sets_.size());
  for (uint32_t mask = 0; mask < prepared->requests.size(); ++mask) {
    if ((mask & ~flippable) != 0) continue;
    auto request = PrepareOne(*prepared->loaded.executable, mask);
    if (!request.ok()) return request.status();
    prepared->requests[mask] = *std::move(request);
  }
  return prepared;
}

absl::StatusOr<std::shared_ptr<device::Request>> Invocation::RequestFor(
    uint32_t buffer_mask, device::CallControl& control) const {
  if (quarantined_.load(std::memory_order_acquire)) {
    return absl::FailedPreconditionError(
        "this invocation was running when the device hung; release it, make new surfaces and "
        "prepare "
        "again");
  }
  absl::MutexLock lock(&mutex_);
  if (prepared_->loaded.instance.epoch != kernel_->slot().epoch()) {
    absl::StatusOr<std::shared_ptr<const Prepared>> fresh = PrepareAll(control);
    if (!fresh.ok()) return fresh.status();
    prepared_ = *std::move(fresh);
    current_.store(prepared_.get(), std::memory_order_release);
  }
  // Shares ownership of all that was prepared together, so nothing is allocated here.
  return std::shared_ptr<device::Request>(prepared_, prepared_->requests[buffer_mask].get());
}

absl::StatusOr<device::Request*> Invocation::BorrowRequest(uint32_t buffer_mask,
                                                           device::CallControl& control) const {
  const Prepared* const current = current_.load(std::memory_order_acquire);
  if (!quarantined_.load(std::memory_order_acquire) &&
      current->loaded.instance.epoch == kernel_->slot().epoch()) {
    return current->requests[buffer_mask].get();
  }
  absl::StatusOr<std::shared_ptr<device::Request>> request = RequestFor(buffer_mask, control);
  if (!request.ok()) return request.status();
  return request->get();
}

void Invocation::Quarantine() const {
  quarantined_.store(true, std::memory_order_release);
  for (const SurfacePin& pin : surface_pins_) pin->Quarantine();
}

}  // namespace anex::engine
