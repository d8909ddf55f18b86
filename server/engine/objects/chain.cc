#include "server/engine/objects/chain.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/engine/objects/name_hint.h"

namespace anex::engine {
namespace {

using RegionSet = std::unordered_set<const shm::SharedRegion*>;
using SurfacePair = std::pair<BoundSurface, BoundSurface>;

const shm::SharedRegion* MemoryOf(const BoundSurface& bound) {
  return bound.surface->region().get();
}

// What one step reads and writes of ordinary surfaces. Parameters are read by generation, and
// states belong to their invocation: neither can be a loopback by accident.
struct Footprint {
  std::vector<const shm::SharedRegion*> reads, writes;
};

Footprint FootprintOf(const ResolvedStep& step) {
  Footprint print;
  if (const auto* copy = std::get_if<ResolvedCopy>(&step)) {
    print.reads.push_back(MemoryOf(copy->from));
    print.writes.push_back(MemoryOf(copy->to));
  }
  const auto* run = std::get_if<std::shared_ptr<const Invocation>>(&step);
  if (run == nullptr) return print;
  const std::vector<PortInfo>& ports = (*run)->function().ports;
  for (size_t i = 0; i < ports.size(); ++i) {
    const auto* bound = std::get_if<BoundSurface>(&(*run)->bindings()[i].target);
    if (bound == nullptr) continue;
    if (ports[i].direction == PortDirection::kInput) print.reads.push_back(MemoryOf(*bound));
    if (ports[i].direction == PortDirection::kOutput) print.writes.push_back(MemoryOf(*bound));
  }
  return print;
}

absl::Status At(std::string_view noun, size_t number, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(std::string(noun), " ", number, ": ",
                                                  std::string(status.message())));
}

absl::Status CheckWritable(const BoundSurface& target) {
  if (target.access == Access::kReadWrite) return absl::OkStatus();
  return absl::PermissionDeniedError("the surface to write was granted read-only");
}

absl::Status CheckNotQuarantined(const BoundSurface& bound) {
  if (!bound.surface->quarantined()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "a surface was in use when the device hung; release it and create another");
}

absl::StatusOr<SurfaceCopy> WholeCopy(const BoundSurface& from, const BoundSurface& to) {
  absl::StatusOr<RegionCopy> copy =
      RegionCopy::Make(from.surface->layout(), {}, to.surface->layout(), {});
  if (!copy.ok()) return copy.status();
  return SurfaceCopy(SurfacePin(from.surface), SurfacePin(to.surface), *copy);
}

absl::Status CheckCopy(const ResolvedCopy& copy) {
  for (const BoundSurface* bound : {&copy.from, &copy.to}) {
    if (absl::Status usable = CheckNotQuarantined(*bound); !usable.ok()) return usable;
  }
  if (absl::Status writable = CheckWritable(copy.to); !writable.ok()) return writable;
  if (MemoryOf(copy.from) != MemoryOf(copy.to)) return absl::OkStatus();
  const TensorLayout& layout = copy.from.surface->layout();
  absl::StatusOr<Region> from = ResolveRegion(layout, copy.from_region, "source");
  if (!from.ok()) return from.status();
  absl::StatusOr<Region> to = ResolveRegion(layout, copy.to_region, "target");
  if (!to.ok()) return to.status();
  if (!RegionsOverlap(*from, *to)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "the two regions of one surface overlap; copy through another surface");
}

}  // namespace

absl::Status SurfaceCopy::Run(uint64_t& done, uint64_t most) const {
  shm::SharedRegion& from = *from_->region();
  shm::SharedRegion& to = *to_->region();
  if (absl::Status locked = from.Lock(shm::RegionAccess::kReadOnly); !locked.ok()) return locked;
  absl::Status status = to.Lock(shm::RegionAccess::kReadWrite);
  if (status.ok()) {
    const uint64_t end = done + std::min(most, bytes() - done);
    copy_.Run(std::as_const(from).data(), to.data(), done, end);
    done = end;
    status = to.Unlock(shm::RegionAccess::kReadWrite);
  }
  status.Update(from.Unlock(shm::RegionAccess::kReadOnly));
  return status;
}

uint32_t RunStep::MaskFor(std::span<const SetPin> pins) const {
  uint32_t mask = 0;
  for (size_t i = 0; i < set_index.size(); ++i) mask |= pins[set_index[i]].buffer() << i;
  return mask;
}

// Builds one chain: checks first, then the steps for both parities.
class ChainBuilder {
 public:
  ChainBuilder(ResolvedChain spec, const Limits& limits)
      : spec_(std::move(spec)), limits_(limits) {}

  absl::StatusOr<std::shared_ptr<const Chain>> Build();

 private:
  absl::Status CheckSizes() const;
  absl::Status CheckLoopback(const ResolvedLoopback& loopback, const RegionSet& reads,
                             const RegionSet& writes);
  absl::Status CheckLoopbacks();
  absl::Status CheckImplicitLoopbacks() const;
  absl::Status AddStep(const ResolvedStep& step);
  absl::Status AddRun(const std::shared_ptr<const Invocation>& invocation);
  absl::Status AddCopy(const ResolvedCopy& copy);
  absl::Status CheckPublishes() const;
  absl::Status AddLoopbackCopies();
  uint16_t IndexOfSet(const std::shared_ptr<ParameterSet>& set);
  BoundSurface InOddIterations(const BoundSurface& bound) const;

  const ResolvedChain spec_;
  const Limits& limits_;
  std::vector<SurfacePair> swaps_;
  RegionSet swapped_, loopback_targets_, loopback_sources_;
  std::shared_ptr<Chain> chain_{new Chain};
};

absl::StatusOr<std::shared_ptr<const Chain>> Chain::Make(ResolvedChain spec, const Limits& limits) {
  return ChainBuilder(std::move(spec), limits).Build();
}

absl::StatusOr<std::shared_ptr<const Chain>> ChainBuilder::Build() {
  if (absl::Status sizes = CheckSizes(); !sizes.ok()) return sizes;
  if (absl::Status loopbacks = CheckLoopbacks(); !loopbacks.ok()) return loopbacks;
  if (absl::Status implicit = CheckImplicitLoopbacks(); !implicit.ok()) return implicit;
  chain_->repeat_ = spec_.repeat;
  chain_->label_ = spec_.label;
  for (size_t i = 0; i < spec_.steps.size(); ++i) {
    absl::Status added = At("step", i, AddStep(spec_.steps[i]));
    if (!added.ok()) return added;
  }
  if (absl::Status publishes = CheckPublishes(); !publishes.ok()) return publishes;
  if (absl::Status copies = AddLoopbackCopies(); !copies.ok()) return copies;
  return std::move(chain_);
}

absl::Status ChainBuilder::CheckSizes() const {
  if (spec_.steps.empty()) return absl::InvalidArgumentError("a chain needs at least one step");
  if (spec_.repeat == 0) return absl::InvalidArgumentError("repeat is at least 1");
  if (spec_.steps.size() > limits_.chain_steps) {
    return Bound("chain_steps", limits_.chain_steps)
        .Exceeded(absl::StrCat("the chain has ", spec_.steps.size()));
  }
  if (spec_.repeat > limits_.chain_repeat) {
    return Bound("chain_repeat", limits_.chain_repeat)
        .Exceeded(absl::StrCat("asked for ", spec_.repeat));
  }
  return absl::OkStatus();
}

absl::Status ChainBuilder::CheckLoopbacks() {
  RegionSet reads, writes;
  for (const ResolvedStep& step : spec_.steps) {
    const Footprint print = FootprintOf(step);
    reads.insert(print.reads.begin(), print.reads.end());
    writes.insert(print.writes.begin(), print.writes.end());
  }
  for (size_t i = 0; i < spec_.loopbacks.size(); ++i) {
    absl::Status checked = At("loopback", i, CheckLoopback(spec_.loopbacks[i], reads, writes));
    if (!checked.ok()) return checked;
  }
  return absl::OkStatus();
}

absl::Status ChainBuilder::CheckLoopback(const ResolvedLoopback& loopback, const RegionSet& reads,
                                         const RegionSet& writes) {
  const auto *from = MemoryOf(loopback.from), *to = MemoryOf(loopback.to);
  if (from == to) return absl::InvalidArgumentError("from and to are the same surface");
  if (!writes.contains(from)) return absl::InvalidArgumentError("no step writes its from surface");
  if (!reads.contains(to)) return absl::InvalidArgumentError("no step reads its to surface");
  if (writes.contains(to)) {
    return absl::InvalidArgumentError("a step writes its to surface, which the loopback fills");
  }
  if (absl::Status usable = CheckNotQuarantined(loopback.to); !usable.ok()) return usable;
  if (absl::Status writable = CheckWritable(loopback.to); !writable.ok()) return writable;
  const bool swap = loopback.mode == LoopbackMode::kSwap;
  if (swap && !SameElements(loopback.from.surface->layout(), loopback.to.surface->layout())) {
    return absl::InvalidArgumentError(absl::StrCat(
        "surfaces that swap need one layout, found ", loopback.from.surface->layout().ToString(),
        " and ", loopback.to.surface->layout().ToString()));
  }
  const bool from_taken = swapped_.contains(from) || (swap && loopback_sources_.contains(from));
  if (from_taken || !loopback_targets_.insert(to).second || swapped_.contains(to)) {
    return absl::InvalidArgumentError("another loopback uses one of its surfaces");
  }
  loopback_sources_.insert(from);
  if (swap) {
    swapped_.insert({from, to});
    swaps_.emplace_back(loopback.from, loopback.to);
  }
  return absl::OkStatus();
}

// A run step that writes what the iteration has read before would carry a value into the next
// iteration without saying so. Copy steps do say so.
absl::Status ChainBuilder::CheckImplicitLoopbacks() const {
  if (spec_.repeat == 1) return absl::OkStatus();
  RegionSet read, written;
  for (size_t i = 0; i < spec_.steps.size(); ++i) {
    const Footprint print = FootprintOf(spec_.steps[i]);
    for (const shm::SharedRegion* region : print.reads) {
      if (!written.contains(region)) read.insert(region);
    }
    const bool run = std::holds_alternative<std::shared_ptr<const Invocation>>(spec_.steps[i]);
    for (const shm::SharedRegion* region : print.writes) {
      if (run && read.contains(region)) {
        return absl::InvalidArgumentError(
            absl::StrCat("step ", i,
                         " writes a surface that the iteration has read before: output = "
                         "input across iterations needs a loopback between two surfaces"));
      }
      written.insert(region);
    }
  }
  return absl::OkStatus();
}

absl::Status ChainBuilder::AddStep(const ResolvedStep& step) {
  if (const auto* run = std::get_if<std::shared_ptr<const Invocation>>(&step)) return AddRun(*run);
  if (const auto* copy = std::get_if<ResolvedCopy>(&step)) return AddCopy(*copy);
  if (const auto* publish = std::get_if<PublishStep>(&step)) {
    chain_->steps_.emplace_back(*publish);
  } else {
    chain_->steps_.emplace_back(std::get<FenceStep>(step));
  }
  return absl::OkStatus();
}

absl::Status ChainBuilder::AddRun(const std::shared_ptr<const Invocation>& invocation) {
  const std::string& device = invocation->kernel().device_name();
  if (chain_->device_name_.empty()) chain_->device_name_ = device;
  if (chain_->device_name_ != device) {
    return absl::InvalidArgumentError(
        absl::StrCat("a chain runs on one device; earlier steps are on ", chain_->device_name_,
                     ", this one is on ", device));
  }
  RunStep step;
  step.by_parity = {invocation, invocation};
  if (spec_.repeat > 1 && !swaps_.empty()) {
    absl::StatusOr<std::shared_ptr<Invocation>> odd = invocation->Swapped(swaps_);
    if (!odd.ok()) return odd.status();
    if (*odd) step.by_parity[1] = *std::move(odd);
  }
  for (const auto& set : invocation->sets()) step.set_index.push_back(IndexOfSet(set));
  chain_->steps_.emplace_back(std::move(step));
  return absl::OkStatus();
}

uint16_t ChainBuilder::IndexOfSet(const std::shared_ptr<ParameterSet>& set) {
  auto& sets = chain_->sets_;
  const auto found = std::find(sets.begin(), sets.end(), set);
  const auto index = static_cast<uint16_t>(found - sets.begin());
  if (found == sets.end()) sets.push_back(set);
  return index;
}

BoundSurface ChainBuilder::InOddIterations(const BoundSurface& bound) const {
  for (const auto& [from, to] : swaps_) {
    if (bound.surface == from.surface) return to;
    if (bound.surface == to.surface) return from;
  }
  return bound;
}

absl::Status ChainBuilder::AddCopy(const ResolvedCopy& copy) {
  std::vector<SurfaceCopy> by_parity;
  for (const bool odd : {false, true}) {
    ResolvedCopy now = copy;
    if (odd) {
      now.from = InOddIterations(copy.from);
      now.to = InOddIterations(copy.to);
    }
    if (absl::Status checked = CheckCopy(now); !checked.ok()) return checked;
    absl::StatusOr<RegionCopy> region = RegionCopy::Make(
        now.from.surface->layout(), now.from_region, now.to.surface->layout(), now.to_region);
    if (!region.ok()) return region.status();
    by_parity.emplace_back(SurfacePin(now.from.surface), SurfacePin(now.to.surface), *region);
  }
  chain_->steps_.emplace_back(CopyStep{{std::move(by_parity[0]), std::move(by_parity[1])}});
  return absl::OkStatus();
}

// The chain's own pin would hold off the writer, and the writer's lease the chain's pin.
absl::Status ChainBuilder::CheckPublishes() const {
  for (size_t i = 0; i < chain_->steps_.size(); ++i) {
    const auto* publish = std::get_if<PublishStep>(&chain_->steps_[i]);
    if (publish == nullptr || publish->set->mode() != ParameterMode::kFenced) continue;
    const auto& sets = chain_->sets_;
    if (std::find(sets.begin(), sets.end(), publish->set) == sets.end()) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "step ", i, " publishes a fenced set that the chain also reads, so neither could go on; ",
        "make the set double"));
  }
  return absl::OkStatus();
}

absl::Status ChainBuilder::AddLoopbackCopies() {
  for (size_t i = 0; i < spec_.loopbacks.size(); ++i) {
    const ResolvedLoopback& loopback = spec_.loopbacks[i];
    const bool swap = loopback.mode == LoopbackMode::kSwap;
    const bool ends_in_to = swap && spec_.repeat % 2 == 0;
    const BoundSurface& last = ends_in_to ? loopback.to : loopback.from;
    const BoundSurface& result = loopback.result_in_to ? loopback.to : loopback.from;
    absl::StatusOr<SurfaceCopy> forward = WholeCopy(loopback.from, loopback.to);
    if (!forward.ok()) return At("loopback", i, forward.status());
    if (!swap) chain_->between_.push_back(*std::move(forward));
    if (last.surface == result.surface) continue;
    if (absl::Status writable = CheckWritable(result); !writable.ok()) {
      return At("loopback", i, writable);
    }
    absl::StatusOr<SurfaceCopy> final_copy = WholeCopy(last, result);
    if (!final_copy.ok()) return At("loopback", i, final_copy.status());
    chain_->final_copies_.push_back(*std::move(final_copy));
  }
  return absl::OkStatus();
}

}  // namespace anex::engine
