#include "client/anex/chain.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/anex/invocation.h"
#include "client/anex/lane.h"
#include "client/anex/parameter_set.h"
#include "client/anex/surface.h"

namespace anex {

absl::Status Chain::Release() { return handle_.Release(); }

ChainBuilder::ChainBuilder(internal::CorePtr core, std::string_view label)
    : core_(std::move(core)) {
  spec_.label = std::string(label);
  if (core_ == nullptr) status_ = internal::EmptyObject();
}

ChainBuilder& ChainBuilder::Step(ChainStep step, bool empty, std::string_view what) {
  if (!status_.ok()) return *this;
  if (empty) {
    status_ = absl::FailedPreconditionError(
        absl::StrCat("step ", spec_.steps.size(), " (", std::string(what),
                     ") names an empty object: moved from, or released"));
    return *this;
  }
  spec_.steps.push_back(std::move(step));
  return *this;
}

ChainBuilder& ChainBuilder::Run(const Invocation& invocation) {
  return Step(invocation.id(), !invocation, "run");
}

ChainBuilder& ChainBuilder::Copy(const Surface& from, const Surface& to, const Region& from_region,
                                 const Region& to_region) {
  return Step(CopySpec{from.id(), to.id(), from_region, to_region}, !from || !to, "copy");
}

ChainBuilder& ChainBuilder::Publish(const ParameterSet& set) {
  return Step(set.id(), !set, "publish");
}

ChainBuilder& ChainBuilder::Wait(const Fence& fence, uint64_t value) {
  return Step(FenceSpec{fence.id(), value, /*signal=*/false}, !fence, "wait");
}

ChainBuilder& ChainBuilder::Signal(const Fence& fence, uint64_t value) {
  return Step(FenceSpec{fence.id(), value, /*signal=*/true}, !fence, "signal");
}

ChainBuilder& ChainBuilder::Loopback(const Surface& from, const Surface& to, LoopbackMode mode) {
  if (status_.ok() && (!from || !to)) {
    status_ = absl::FailedPreconditionError("a loopback names an empty surface");
  }
  spec_.loopbacks.push_back({from.id(), to.id(), mode});
  return *this;
}

ChainBuilder& ChainBuilder::Result(const Surface& surface) {
  if (status_.ok() && !surface) {
    status_ = absl::FailedPreconditionError("a result names an empty surface");
  }
  spec_.results.push_back(surface.id());
  return *this;
}

ChainBuilder& ChainBuilder::Repeat(uint32_t iterations) {
  spec_.repeat = iterations;
  return *this;
}

absl::StatusOr<Chain> ChainBuilder::Build() {
  if (!status_.ok()) return status_;
  const absl::StatusOr<Transport*> transport = internal::LiveTransport(core_);
  if (!transport.ok()) return transport.status();
  const absl::StatusOr<ChainId> id = (*transport)->DefineChain(spec_);
  if (!id.ok()) return id.status();
  return Chain(core_, *id);
}

}  // namespace anex
