#include "client/cli/program_run.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/npy.h"
#include "client/cli/output/text.h"
#include "client/cli/output_file.h"

namespace anex::cli {
namespace {

// Filling less takes no time that anybody would wonder about.
constexpr uint64_t kLargeInput = 256u << 20;

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

absl::Status FillInputs(const FunctionInfo& function, const SurfaceMap& surfaces,
                        const RunSpec& spec, RunReport& report) {
  for (const PortInfo& port : function.ports) {
    if (port.direction != PortDirection::kInput) continue;
    const FillSpec fill = FillFor(spec, port.name);
    const uint64_t bytes = PayloadBytes(port.layout);
    if (spec.say && bytes >= kLargeInput) {
      spec.say(absl::StrCat("filling ", Harmless(port.name), " (", FormatBytes(bytes), ") with ",
                            Harmless(fill.ToString())));
    }
    const absl::Status filled = FillPort(fill, port, surfaces.at(port.name));
    if (!filled.ok()) return filled;
    report.inputs.push_back({port, fill});
  }
  return absl::OkStatus();
}

using OutputFiles = std::map<std::string, OutputFile>;  // by port

absl::StatusOr<OutputFiles> OpenOutputs(const RunSpec& spec) {
  OutputFiles files;
  for (const auto& [port, path] : spec.outputs) {
    absl::StatusOr<OutputFile> file = OutputFile::Open(path);
    if (!file.ok()) return file.status();
    files.emplace(port, *std::move(file));
  }
  return files;
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
      timings.first_device_ns = done->device_ns;
      timings.first_queue_ns = done->queue_ns;
      continue;
    }
    wall.push_back(ns);
    device.push_back(done->device_ns);
    queue.push_back(done->queue_ns);
  }
  timings.path = SubmitModeName(lane->path());
  timings.note = lane->note();
  if (!wall.empty()) timings.min_ns = *std::min_element(wall.begin(), wall.end());
  timings.median_ns = Median(std::move(wall));
  timings.device_median_ns = Median(std::move(device));
  timings.queue_median_ns = Median(std::move(queue));
  return timings;
}

absl::Status CollectOutputs(const FunctionInfo& function, const SurfaceMap& surfaces,
                            OutputFiles& files, RunReport& report) {
  for (const PortInfo& port : function.ports) {
    if (port.direction != PortDirection::kOutput) continue;
    absl::StatusOr<std::string> bytes = surfaces.at(port.name).ToBytes();
    if (!bytes.ok()) return bytes.status();
    RunOutput output{.port = port, .summary = Summarize(port.layout.dtype, *bytes)};
    const auto file = files.find(port.name);
    if (file != files.end()) {
      output.write_status =
          WriteNpyFile(file->second, {port.layout.dtype, port.layout.shape, *std::move(bytes)});
      if (output.write_status.ok()) output.written = file->second.path();
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
  absl::StatusOr<OutputFiles> files = OpenOutputs(spec);
  if (!files.ok()) return files.status();

  RunReport report{.kernel = kernel->info(), .function = name, .repeat = spec.repeat};
  const absl::StatusOr<SurfaceMap> surfaces = kernel->CreateSurfaces(name);
  if (!surfaces.ok()) return surfaces.status();
  const absl::Status filled = FillInputs(**function, *surfaces, spec, report);
  if (!filled.ok()) return filled;
  const absl::StatusOr<Invocation> invocation = kernel->Prepare(name).Bind(*surfaces).Build();
  if (!invocation.ok()) return invocation.status();
  const absl::StatusOr<RunTimings> timings = Measure(session, *invocation, spec.repeat);
  if (!timings.ok()) return timings.status();
  report.timings = *timings;
  const absl::Status collected = CollectOutputs(**function, *surfaces, *files, report);
  if (!collected.ok()) return collected;
  return report;
}

std::optional<int64_t> Median(std::vector<int64_t> values) {
  if (values.empty()) return std::nullopt;
  const size_t middle = values.size() / 2;
  std::sort(values.begin(), values.end());
  if (values.size() % 2 == 1) return values[middle];
  return values[middle - 1] + (values[middle] - values[middle - 1]) / 2;
}

}  // namespace anex::cli
