#include "client/cli/program_run.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/npy.h"

namespace anex::cli {
namespace {

struct BoundPort {
  PortInfo port;
  Surface surface;
};

template <typename Map>
absl::Status CheckPorts(const Map& named, const Kernel& kernel, const std::string& function,
                        PortDirection direction) {
  for (const auto& [name, ignored] : named) {
    const absl::StatusOr<const PortInfo*> port = kernel.Port(name, function);
    if (!port.ok()) return port.status();
    if ((*port)->direction != direction) {
      return absl::InvalidArgumentError(absl::StrCat("port \"", name, "\" is ",
                                                     direction == PortDirection::kInput
                                                         ? "no input: use --output"
                                                         : "no output: use --input"));
    }
  }
  return absl::OkStatus();
}

FillSpec FillFor(const RunSpec& spec, const std::string& port) {
  const auto found = spec.inputs.find(port);
  return found == spec.inputs.end() ? FillSpec() : found->second;
}

// A surface for every input and output port, inputs filled.
absl::StatusOr<std::vector<BoundPort>> MakeSurfaces(const Kernel& kernel,
                                                    const FunctionInfo& function,
                                                    const RunSpec& spec, RunReport& report) {
  std::vector<BoundPort> bound;
  for (const PortInfo& port : function.ports) {
    if (port.direction == PortDirection::kState) continue;  // the invocation's own
    absl::StatusOr<Surface> surface = kernel.CreateSurface(port.name, function.name);
    if (!surface.ok()) return surface.status();
    if (port.direction == PortDirection::kInput) {
      const FillSpec fill = FillFor(spec, port.name);
      const absl::StatusOr<std::string> bytes = FillPort(fill, port);
      if (!bytes.ok()) return bytes.status();
      const absl::Status filled = surface->CopyFromBytes(*bytes);
      if (!filled.ok()) return filled;
      report.inputs.push_back({port, fill});
    }
    bound.push_back({port, *std::move(surface)});
  }
  return bound;
}

absl::StatusOr<Invocation> PrepareAll(const Kernel& kernel, const std::string& function,
                                      const std::vector<BoundPort>& bound) {
  InvocationBuilder builder = kernel.Prepare(function);
  for (const BoundPort& each : bound) builder.Bind(each.port.name, each.surface);
  return builder.Build();
}

absl::StatusOr<RunTimings> Measure(const Session& session, const Invocation& invocation,
                                   uint32_t repeat) {
  const absl::StatusOr<Lane> lane = session.CreateLane({.label = "anectl run"});
  if (!lane.ok()) return lane.status();
  RunTimings timings;
  std::vector<int64_t> wall, device, queue;
  for (uint32_t i = 0; i <= repeat; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const absl::StatusOr<Completion> done = lane->Run(invocation);
    if (!done.ok()) return done.status();
    const int64_t ns = std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count();
    if (i == 0) {
      timings.first_ns = ns;
      continue;
    }
    wall.push_back(ns);
    device.push_back(done->device_ns);
    queue.push_back(done->queue_ns);
  }
  timings.min_ns = wall.empty() ? 0 : *std::min_element(wall.begin(), wall.end());
  timings.median_ns = Median(std::move(wall));
  timings.device_median_ns = Median(std::move(device));
  timings.queue_median_ns = Median(std::move(queue));
  return timings;
}

absl::Status CollectOutputs(const std::vector<BoundPort>& bound, const RunSpec& spec,
                            RunReport& report) {
  for (const BoundPort& each : bound) {
    if (each.port.direction != PortDirection::kOutput) continue;
    absl::StatusOr<std::string> bytes = each.surface.ToBytes();
    if (!bytes.ok()) return bytes.status();
    RunOutput output{each.port, Summarize(each.port.layout.dtype, *bytes), ""};
    const auto file = spec.outputs.find(each.port.name);
    if (file != spec.outputs.end()) {
      const absl::Status written = WriteNpyFile(
          file->second, {each.port.layout.dtype, each.port.layout.shape, *std::move(bytes)});
      if (!written.ok()) return written;
      output.written = file->second;
    }
    report.outputs.push_back(std::move(output));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RunReport> RunProgram(const Session& session, const ProgramSource& source,
                                     const CompileOptions& options, const RunSpec& spec) {
  const absl::StatusOr<Kernel> kernel = session.Compile(source, options);
  if (!kernel.ok()) return kernel.status();
  const absl::StatusOr<const FunctionInfo*> function = kernel->Function(spec.function);
  if (!function.ok()) return function.status();
  const std::string& name = (*function)->name;
  absl::Status named = CheckPorts(spec.inputs, *kernel, name, PortDirection::kInput);
  named.Update(CheckPorts(spec.outputs, *kernel, name, PortDirection::kOutput));
  if (!named.ok()) return named;

  RunReport report{.kernel = kernel->info(), .function = name, .repeat = spec.repeat};
  const absl::StatusOr<std::vector<BoundPort>> bound =
      MakeSurfaces(*kernel, **function, spec, report);
  if (!bound.ok()) return bound.status();
  const absl::StatusOr<Invocation> invocation = PrepareAll(*kernel, name, *bound);
  if (!invocation.ok()) return invocation.status();
  const absl::StatusOr<RunTimings> timings = Measure(session, *invocation, spec.repeat);
  if (!timings.ok()) return timings.status();
  report.timings = *timings;
  const absl::Status collected = CollectOutputs(*bound, spec, report);
  if (!collected.ok()) return collected;
  return report;
}

int64_t Median(std::vector<int64_t> values) {
  if (values.empty()) return 0;
  const size_t middle = values.size() / 2;
  std::sort(values.begin(), values.end());
  if (values.size() % 2 == 1) return values[middle];
  return values[middle - 1] + (values[middle] - values[middle - 1]) / 2;
}

}  // namespace anex::cli
