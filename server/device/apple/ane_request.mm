#import "server/device/apple/ane_request.h"

#include <chrono>
#include <map>
#include <string_view>
#include <utility>

#include "server/device/apple/copy_elements.h"
#import "server/device/apple/guard.h"

namespace anex::device::apple {
namespace {

int64_t NowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// The bound surface of each tensor of `live`, in their order.
absl::StatusOr<std::vector<BoundSurface>> BindAll(const std::vector<LiveTensor>& live,
                                                  const FunctionInfo& info, PortDirection direction,
                                                  std::span<const BoundPort> ports) {
  std::vector<BoundSurface> bound;
  for (const LiveTensor& tensor : live) {
    for (const BoundPort& port : ports) {
      const PortInfo& of = info.ports[port.port];
      if (of.name != tensor.name || of.direction != direction) continue;
      absl::StatusOr<BoundSurface> surface = BoundSurface::Make(port, of.layout, direction);
      if (!surface.ok()) return surface.status();
      bound.push_back(*std::move(surface));
    }
  }
  return bound;
}

NSArray* ObjectsOf(const Classes& classes, const std::vector<BoundSurface>& surfaces) {
  NSMutableArray* objects = [NSMutableArray array];
  for (const BoundSurface& bound : surfaces) {
    [objects addObject:[classes.surface objectWithIOSurface:bound.surface()]];
  }
  return objects;
}

NSArray* IndicesOf(const std::vector<LiveTensor>& tensors) {
  NSMutableArray* indices = [NSMutableArray array];
  for (const LiveTensor& tensor : tensors) [indices addObject:@(tensor.symbol)];
  return indices;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Request>> AneRequest::Make(std::shared_ptr<AneExecutable> executable,
                                                          size_t function,
                                                          std::span<const BoundPort> ports) {
  const FunctionInfo& info = executable->engine_info(function);
  const LiveFunction& live = executable->live(function);
  std::unique_ptr<AneRequest> made(new AneRequest(executable, function));
  absl::StatusOr<std::vector<BoundPort>> all = made->PortsForEngine(ports);
  if (!all.ok()) return all.status();
  absl::StatusOr<std::vector<BoundSurface>> bound =
      BindAll(live.inputs, info, PortDirection::kInput, *all);
  if (!bound.ok()) return bound.status();
  made->inputs_ = *std::move(bound);
  bound = BindAll(live.outputs, info, PortDirection::kOutput, *all);
  if (!bound.ok()) return bound.status();
  made->outputs_ = *std::move(bound);
  if (executable->reference() != nullptr) {
    absl::StatusOr<std::unique_ptr<FirstRunCheck>> check =
        FirstRunCheck::Make(*executable->reference(), function, info, *all);
    if (!check.ok()) return check.status();
    made->check_ = *std::move(check);
  }
  if (absl::Status built = made->Build(); !built.ok()) return built;
  return std::unique_ptr<Request>(std::move(made));
}

absl::StatusOr<std::vector<BoundPort>> AneRequest::PortsForEngine(
    std::span<const BoundPort> ports) {
  const FunctionInfo& given = executable_->functions()[function_];
  const FunctionInfo& info = executable_->engine_info(function_);
  std::map<std::string_view, BoundPort> all;  // by name
  for (const BoundPort& port : ports) all[given.ports[port.port].name] = port;
  for (uint32_t i = 0; i < info.ports.size(); ++i) {
    const PortInfo& port = info.ports[i];
    const auto [bound, missing] = all.try_emplace(port.name);
    bound->second.port = i;
    if (!missing) continue;
    absl::StatusOr<std::shared_ptr<shm::SharedRegion>> made =
        shm::CreateIosurfaceRegion(port.layout.allocation_bytes, "state");
    if (!made.ok()) return made.status();
    bound->second.region = *std::move(made);
    bound->second.layout = port.layout;
  }
  for (const StateLink& link : executable_->links(function_)) {
    if (!link.next.empty()) written_states_.push_back({all[link.next], all[link.state]});
  }
  std::vector<BoundPort> made;
  for (const PortInfo& port : info.ports) made.push_back(all[port.name]);
  return made;
}

AneRequest::~AneRequest() {
  // Only what is loaded now has it mapped.
  if (mapped_load_ == 0) return;
  absl::StatusOr<Residency::Use> use = executable_->AcquireIfLoaded();
  if (use.ok() && use->load() == mapped_load_) executable_->model().Unmap(request_.get());
}

absl::Status AneRequest::Build() {
  return Guard("build a request", [&] {
    const Classes& classes = executable_->parts().framework->classes();
    const LiveFunction& live = executable_->live(function_);
    id<ANERequest> request = [classes.request requestWithInputs:ObjectsOf(classes, inputs_)
                                                   inputIndices:IndicesOf(live.inputs)
                                                        outputs:ObjectsOf(classes, outputs_)
                                                  outputIndices:IndicesOf(live.outputs)
                                                  weightsBuffer:nil
                                                      perfStats:nil
                                                 procedureIndex:@(live.procedure)];
    if (request == nil) return absl::InternalError("the framework made no request");
    request_ = ObjcPtr<id<ANERequest>>::Retain(request);
    return absl::OkStatus();
  });
}

absl::Status AneRequest::MapFor(const Residency::Use& use) {
  if (mapped_load_ == use.load()) return absl::OkStatus();
  // A request that was mapped for another load belongs to that one's memory.
  if (mapped_load_ != 0) {
    mapped_load_ = 0;
    if (absl::Status built = Build(); !built.ok()) return built;
  }
  if (absl::Status mapped = executable_->model().Map(request_.get()); !mapped.ok()) return mapped;
  mapped_load_ = use.load();
  return absl::OkStatus();
}

absl::StatusOr<RunStats> AneRequest::Run(CallControl& control) {
  absl::Status done = check_ != nullptr ? FirstRun(control) : Evaluate(control);
  if (!done.ok()) return done;
  if (absl::Status kept = KeepStates(); !kept.ok()) return kept;
  control.Progress();
  return RunStats{device_ns_};
}

absl::Status AneRequest::Evaluate(CallControl& control) {
  for (const BoundSurface& input : inputs_) {
    if (absl::Status copied = input.CopyIn(); !copied.ok()) return copied;
  }
  for (bool again = false;; again = true) {
    if (absl::Status going = control.Check(); !going.ok()) return going;
    absl::StatusOr<Residency::Use> use = executable_->Acquire();
    if (!use.ok()) return use.status();
    if (absl::Status mapped = MapFor(*use); !mapped.ok()) return mapped;
    const int64_t began_ns = NowNs();
    absl::Status done =
        executable_->model().Evaluate(executable_->parts().evaluate_way, request_.get());
    device_ns_ = NowNs() - began_ns;
    if (done.ok()) break;
    // The engine has lost the program, as after a restart of its daemon: loaded again, it is there.
    if (again || !absl::IsNotFound(done)) return done;
    executable_->Lost(*std::move(use));
  }
  for (const BoundSurface& output : outputs_) {
    if (absl::Status copied = output.CopyOut(); !copied.ok()) return copied;
  }
  return absl::OkStatus();
}

// All or none: what can fail comes before the first copy.
absl::Status AneRequest::KeepStates() {
  absl::Status kept;
  size_t locked = 0;  // of two for each state
  for (; kept.ok() && locked < 2 * written_states_.size(); ++locked) {
    const auto& [next, state] = written_states_[locked / 2];
    kept = locked % 2 == 0 ? next.region->Lock(shm::RegionAccess::kReadOnly)
                           : state.region->Lock(shm::RegionAccess::kReadWrite);
  }
  if (kept.ok()) {
    for (const auto& [next, state] : written_states_) {
      CopyElements(next.layout, std::as_const(*next.region).data(), state.layout,
                   state.region->data());
    }
  } else {
    --locked;  // the one that failed
  }
  while (locked-- > 0) {
    const auto& [next, state] = written_states_[locked / 2];
    kept.Update(locked % 2 == 0 ? next.region->Unlock(shm::RegionAccess::kReadOnly)
                                : state.region->Unlock(shm::RegionAccess::kReadWrite));
  }
  return kept;
}

absl::Status AneRequest::FirstRun(CallControl& control) {
  if (absl::Status kept = check_->Before(); !kept.ok()) return kept;
  if (absl::Status done = Evaluate(control); !done.ok()) return done;
  absl::Status right = check_->After(control);
  if (absl::IsAborted(right)) return absl::OkStatus();  // the next run is looked at instead
  if (right.ok()) check_.reset();
  return right;
}

}  // namespace anex::device::apple
