#import "server/device/apple/ane_executable.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/device/apple/ane_request.h"
#include "server/device/port.h"

namespace anex::device::apple {
namespace {

// Loading fails now and then when it is tried right after a compile; a moment later it works.
constexpr absl::Duration kBeforeRetry = absl::Milliseconds(100);

const LiveTensor* FindLive(const std::vector<LiveTensor>& tensors, std::string_view name) {
  for (const LiveTensor& tensor : tensors) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

// Names are distinct among all ports of a function.
const PortInfo* FindPort(const FunctionInfo& info, std::string_view name) {
  const auto found = std::ranges::find(info.ports, name, &PortInfo::name);
  return found == info.ports.end() ? nullptr : &*found;
}

}  // namespace

absl::StatusOr<std::shared_ptr<AneExecutable>> AneExecutable::Make(
    std::shared_ptr<const EngineParts> parts, std::shared_ptr<const mil::Program> program,
    std::unique_ptr<Model> model) {
  std::shared_ptr<AneExecutable> made(new AneExecutable(std::move(parts), std::move(model)));
  made->place_ = made->parts_->residency->Add(*made);
  absl::StatusOr<Residency::Use> loaded = made->Acquire();
  if (!loaded.ok()) return loaded.status();
  absl::StatusOr<ModelGeometry> geometry = made->model_->Geometry();
  if (!geometry.ok()) return geometry.status();
  made->geometry_ = *std::move(geometry);
  StatelessProgram lowered = WithoutStates(*program);
  if (lowered.program == nullptr) lowered.program = program;
  made->links_ = std::move(lowered.links);
  if (absl::Status s = made->DescribeAll(*program, *lowered.program); !s.ok()) return s;
  if (Device* reference = made->parts_->reference.get(); reference != nullptr) {
    absl::StatusOr<Artifact> artifact = reference->Compile(lowered.program, {});
    if (!artifact.ok()) return artifact.status();
    absl::StatusOr<std::shared_ptr<Executable>> executable = reference->Load(*artifact);
    if (!executable.ok()) return executable.status();
    made->reference_ = *std::move(executable);
  }
  return made;
}

absl::Status AneExecutable::Load() {
  absl::Status loaded = model_->Load();
  if (loaded.ok()) return loaded;
  absl::SleepFor(kBeforeRetry);
  loaded = model_->Load();
  if (loaded.ok()) return loaded;
  // The system's compiled copy may be of no use any more: make it again, once.
  model_->Purge();
  if (absl::Status compiled = model_->Compile(); !compiled.ok()) return compiled;
  return model_->Load();
}

void AneExecutable::Unload() {
  // What cannot be unloaded goes when the process does.
  model_->Unload().IgnoreError();
}

absl::Status AneExecutable::DescribeAll(const mil::Program& program,
                                        const mil::Program& engine_program) {
  for (size_t i = 0; i < program.functions.size(); ++i) {
    absl::StatusOr<const LiveFunction*> live =
        FindFunction(geometry_, program.functions[i].name, i, program.functions.size());
    if (!live.ok()) return live.status();
    live_.push_back(*live);
    if (absl::Status s = DescribeForEngine(engine_program.functions[i], **live); !s.ok()) return s;
    if (absl::Status s = DescribeForClients(program.functions[i]); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status AneExecutable::DescribeForEngine(const mil::Function& function,
                                              const LiveFunction& live) {
  absl::StatusOr<FunctionInfo> info = DescribePorts(function, MakePackedLayout);
  if (!info.ok()) return info.status();
  for (PortInfo& port : info->ports) {
    const bool output = port.direction == PortDirection::kOutput;
    const LiveTensor* tensor = FindLive(output ? live.outputs : live.inputs, port.name);
    if (tensor == nullptr) {
      return absl::FailedPreconditionError(
          absl::StrCat("the loaded program has no ", output ? "output" : "input", " '", port.name,
                       "' in function '", function.name, "'"));
    }
    absl::StatusOr<TensorLayout> layout = LayoutOf(*tensor, port.layout.dtype, port.layout.shape);
    if (!layout.ok()) return layout.status();
    port.layout = *layout;
  }
  engine_infos_.push_back(*std::move(info));
  return absl::OkStatus();
}

absl::Status AneExecutable::DescribeForClients(const mil::Function& function) {
  absl::StatusOr<FunctionInfo> info = DescribePorts(function, MakePackedLayout);
  if (!info.ok()) return info.status();
  for (PortInfo& port : info->ports) {
    port.layout = FindPort(engine_infos_[infos_.size()], port.name)->layout;
  }
  infos_.push_back(*std::move(info));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Request>> AneExecutable::Prepare(size_t function,
                                                                std::span<const BoundPort> ports) {
  if (function >= infos_.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no function ", function, "; the program has ", infos_.size()));
  }
  if (absl::Status good = CheckBindings(infos_[function], ports); !good.ok()) return good;
  return AneRequest::Make(std::static_pointer_cast<AneExecutable>(shared_from_this()), function,
                          ports);
}

}  // namespace anex::device::apple
