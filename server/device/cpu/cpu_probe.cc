#include "server/device/cpu/cpu_probe.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/wire/half.h"
#include "server/mil/front_end.h"

namespace anex::device::cpu {
namespace {

// As many as the programs after which an engine is said to refuse a process, and some.
constexpr int kCompiles = 130;
constexpr int kRuns = 101;

double MicrosecondsSince(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin)
      .count();
}

absl::StatusOr<std::shared_ptr<Executable>> Load(Device& device, const std::string& inputs,
                                                 const std::string& body) {
  const mil::FrontEndResult read =
      mil::Read({.name = "probe",
                 .text = absl::StrCat("program(1.3)\n{\n    func main<ios18>(", inputs, ") { ",
                                      body, " } -> (y);\n}\n")});
  if (read.program == nullptr) return absl::InternalError("the probe's program is wrong");
  absl::StatusOr<Artifact> artifact = device.Compile(read.program, {});
  if (!artifact.ok()) return artifact.status();
  return device.Load(*artifact);
}

// A request on memory of its own, filled with 1, 2, 3, ... in fp16.
struct Prepared {
  std::vector<BoundPort> ports;
  std::unique_ptr<Request> request;
};

absl::StatusOr<Prepared> Prepare(Executable& executable) {
  Prepared made;
  const FunctionInfo& info = executable.functions()[0];
  for (uint32_t i = 0; i < info.ports.size(); ++i) {
    const TensorLayout& layout = info.ports[i].layout;
    auto region = shm::CreateHeapRegion(layout.allocation_bytes);
    if (!region.ok()) return region.status();
    for (int64_t k = 0; k < layout.shape.ElementCount(); ++k) {
      const uint16_t value = FloatToHalf(static_cast<float>(k + 1));
      std::memcpy((*region)->data() + 2 * k, &value, sizeof value);
    }
    made.ports.push_back({i, *std::move(region), layout});
  }
  auto request = executable.Prepare(0, made.ports);
  if (!request.ok()) return request.status();
  made.request = *std::move(request);
  return made;
}

float FirstOutput(const Prepared& prepared) {
  uint16_t half = 0;
  std::memcpy(&half, std::as_const(*prepared.ports.back().region).data(), sizeof half);
  return HalfToFloat(half);
}

// a[2,3] b[3,4] are declared as (b, a): sizes, names and places in three different orders.
absl::StatusOr<ProbeFinding> ProbePorts(Device& device) {
  absl::StatusOr<std::shared_ptr<Executable>> executable =
      Load(device, "tensor<fp16, [3, 4]> b, tensor<fp16, [2, 3]> a",
           "tensor<fp16, [2, 4]> y = matmul(x = a, y = b);");
  if (!executable.ok()) return executable.status();
  absl::StatusOr<Prepared> prepared = Prepare(**executable);
  if (!prepared.ok()) return prepared.status();
  absl::StatusOr<RunStats> ran = prepared->request->Run();
  if (!ran.ok()) return ran.status();
  const bool right = FirstOutput(*prepared) == 1 * 1 + 2 * 5 + 3 * 9;
  return ProbeFinding{"function_parameters",
                      "are inputs of unequal sizes bound by name, whatever their order?",
                      right ? "by name" : "wrong results",
                      Evidence::kEmulated,
                      {}};
}

absl::StatusOr<ProbeFinding> ProbeTimes(Device& device, CallControl& control) {
  absl::StatusOr<std::shared_ptr<Executable>> executable = Load(
      device, "tensor<fp16, [1, 64, 1, 32]> x", "tensor<fp16, [1, 64, 1, 32]> y = relu(x = x);");
  if (!executable.ok()) return executable.status();
  absl::StatusOr<Prepared> prepared = Prepare(**executable);
  if (!prepared.ok()) return prepared.status();
  std::vector<double> times;
  for (int i = 0; i < kRuns; ++i) {
    if (absl::Status going = control.Check(); !going.ok()) return going;
    absl::StatusOr<RunStats> ran = prepared->request->Run();
    if (!ran.ok()) return ran.status();
    times.push_back(static_cast<double>(ran->device_ns) / 1000);
  }
  std::ranges::sort(times);
  return ProbeFinding{"perf_stats",
                      "is the time on the device itself known?",
                      "as measured around the kernel",
                      Evidence::kEmulated,
                      {{"median_us", times[kRuns / 2]}, {"p99_us", times[kRuns * 99 / 100]}}};
}

absl::StatusOr<ProbeFinding> ProbeCompiles(Device& device, CallControl& control) {
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::shared_ptr<Executable>> loaded;
  for (int i = 0; i < kCompiles; ++i) {
    if (absl::Status going = control.Check(); !going.ok()) return going;
    auto executable = Load(device, "tensor<fp16, [4]> x",
                           absl::StrCat("tensor<fp16, [4]> y = add(x = x, y = fp16(", i, "));"));
    if (!executable.ok()) return executable.status();
    loaded.push_back(*std::move(executable));
  }
  return ProbeFinding{"compile_budget",
                      "how many programs can one process compile and have loaded?",
                      "no bound found",
                      Evidence::kEmulated,
                      {{"compiled", kCompiles},
                       {"loaded_at_once", kCompiles},
                       {"compile_us", MicrosecondsSince(begin) / kCompiles}}};
}

}  // namespace

absl::StatusOr<std::vector<ProbeFinding>> ProbeCpu(Device& device, CallControl& control) {
  std::vector<ProbeFinding> findings = {
      {"weight_reload",
       "does a program see new bytes in its weight files without a compile?",
       "ignored: weights are read when it is compiled",
       Evidence::kEmulated,
       {}},
      {"weights_buffer",
       "does a request's weightsBuffer replace baked weights?",
       "unavailable: use a parameter set",
       Evidence::kEmulated,
       {}},
      {"procedure_index",
       "which procedure indices run?",
       "functions are named; there are no indices",
       Evidence::kEmulated,
       {}},
      {"qos_sweep",
       "does the service class change how long a kernel takes?",
       "no: 0 to 63 are the daemon's scheduling classes",
       Evidence::kEmulated,
       {}},
      {"shared_events",
       "can a run wait for or signal an event of another device?",
       "unavailable: fences order lanes",
       Evidence::kEmulated,
       {}},
      {"native_chaining",
       "does the device itself run chains?",
       "no: the daemon runs them, step by step",
       Evidence::kEmulated,
       {}},
      {"realtime_task",
       "does the system grant a real-time task?",
       "unavailable",
       Evidence::kEmulated,
       {}},
  };
  absl::StatusOr<ProbeFinding> found = ProbeTimes(device, control);
  if (!found.ok()) return found.status();
  findings.push_back(*std::move(found));
  found = ProbePorts(device);
  if (!found.ok()) return found.status();
  findings.push_back(*std::move(found));
  found = ProbeCompiles(device, control);
  if (!found.ok()) return found.status();
  findings.push_back(*std::move(found));
  return findings;
}

}  // namespace anex::device::cpu
