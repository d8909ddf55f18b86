#include "server/device/cpu/cpu_probe.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/wire/half.h"
#include "server/device/probe_questions.h"
#include "server/mil/front_end.h"

namespace anex::device::cpu {
namespace {

// As many as the programs after which an engine is said to refuse a process, and some.
constexpr int kCompiles = 130;
constexpr int kRuns = 101;

struct Answer {
  std::string answer;
  std::map<std::string, double> numbers;
};
using Probe = std::function<absl::StatusOr<Answer>()>;
using Values = std::map<std::string, std::vector<float>>;  // by port

double MicrosecondsSince(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin)
      .count();
}

// `inputs` as declared, `body` as text, `outputs` by name.
absl::StatusOr<std::shared_ptr<Executable>> Load(Device& device, CallControl& control,
                                                 const std::string& inputs, const std::string& body,
                                                 const std::string& outputs = "y") {
  const mil::FrontEndResult read =
      mil::Read({.name = "probe",
                 .text = absl::StrCat("program(1.3)\n{\n    func main<ios18>(", inputs, ") { ",
                                      body, " } -> (", outputs, ");\n}\n")});
  if (read.program == nullptr) return absl::InternalError("the probe's program is wrong");
  absl::StatusOr<Artifact> artifact = device.Compile(read.program, {}, {control, nullptr});
  if (!artifact.ok()) return artifact.status();
  return device.Load(*artifact, {control, nullptr});
}

// A request on memory of its own. Element k of input "a" is k + 1, of "b" k + 17, and so on.
struct Prepared {
  std::vector<BoundPort> ports;
  std::unique_ptr<Request> request;
};

// `backwards`: bound in the reverse of the ports' order.
absl::StatusOr<Prepared> Prepare(Executable& executable, bool backwards = false) {
  Prepared made;
  const FunctionInfo& info = executable.functions()[0];
  for (uint32_t i = 0; i < info.ports.size(); ++i) {
    const PortInfo& port = info.ports[i];
    auto region = shm::CreateHeapRegion(port.layout.allocation_bytes);
    if (!region.ok()) return region.status();
    if (port.direction == PortDirection::kInput) {
      const int first = 1 + 16 * (port.name.front() - 'a');
      for (int64_t k = 0; k < port.layout.shape.ElementCount(); ++k) {
        const uint16_t value = FloatToHalf(static_cast<float>(k + first));
        std::memcpy((*region)->data() + 2 * k, &value, sizeof value);
      }
    }
    made.ports.push_back({i, *std::move(region), port.layout});
  }
  if (backwards) std::ranges::reverse(made.ports);
  auto request = executable.Prepare(0, made.ports);
  if (!request.ok()) return request.status();
  made.request = *std::move(request);
  return made;
}

// The outputs of one run.
absl::StatusOr<Values> RunOnce(Executable& executable, CallControl& control,
                               bool backwards = false) {
  absl::StatusOr<Prepared> prepared = Prepare(executable, backwards);
  if (!prepared.ok()) return prepared.status();
  if (absl::StatusOr<RunStats> ran = prepared->request->Run(control); !ran.ok()) {
    return ran.status();
  }
  Values outputs;
  for (const BoundPort& bound : prepared->ports) {
    const PortInfo& port = executable.functions()[0].ports[bound.port];
    if (port.direction != PortDirection::kOutput) continue;
    for (int64_t k = 0; k < port.layout.shape.ElementCount(); ++k) {
      uint16_t half = 0;
      std::memcpy(&half, std::as_const(*bound.region).data() + 2 * k, sizeof half);
      outputs[port.name].push_back(HalfToFloat(half));
    }
  }
  return outputs;
}

// --- The questions ---

// a[2,3] b[3,4] are declared as (b, a): sizes, names and places in three different orders.
absl::StatusOr<Answer> ProbeParameters(Device& device, CallControl& control, bool backwards) {
  auto executable = Load(device, control, "tensor<fp16, [3, 4]> b, tensor<fp16, [2, 3]> a",
                         "tensor<fp16, [2, 4]> y = matmul(x = a, y = b);");
  if (!executable.ok()) return executable.status();
  absl::StatusOr<Values> found = RunOnce(**executable, control, backwards);
  if (!found.ok()) return found.status();
  std::vector<float> expected;
  for (int row = 0; row < 2; ++row) {
    for (int column = 0; column < 4; ++column) {
      float sum = 0;
      for (int k = 0; k < 3; ++k) {
        sum += static_cast<float>((3 * row + k + 1) * (4 * k + column + 17));
      }
      expected.push_back(sum);
    }
  }
  if (found->at("y") != expected) return Answer{"wrong results", {}};
  return Answer{backwards ? "by name, whatever the order" : "right", {}};
}

absl::StatusOr<Answer> ProbeOutputs(Device& device, CallControl& control) {
  auto executable = Load(device, control, "tensor<fp16, [2, 3]> a, tensor<fp16, [4]> b",
                         "tensor<fp16, [2, 3]> y = add(x = a, y = fp16(1)); "
                         "tensor<fp16, [4]> z = mul(x = b, y = fp16(2));",
                         "z, y");
  if (!executable.ok()) return executable.status();
  absl::StatusOr<Values> found = RunOnce(**executable, control);
  if (!found.ok()) return found.status();
  const Values expected = {{"y", {2, 3, 4, 5, 6, 7}}, {"z", {34, 36, 38, 40}}};
  return Answer{*found == expected ? "right" : "wrong results", {}};
}

absl::StatusOr<Answer> ProbeSmall(Device& device, CallControl& control) {
  int least = 0;
  for (const int elements : {512, 8, 1}) {
    const std::string type = absl::StrCat("tensor<fp16, [", elements, "]> ");
    auto executable =
        Load(device, control, type + "a, " + type + "b", type + "y = sub(x = b, y = a);");
    if (!executable.ok()) return executable.status();
    absl::StatusOr<Values> found = RunOnce(**executable, control);
    if (!found.ok()) return found.status();
    const std::vector<float> expected(static_cast<size_t>(elements), 16);
    if (found->at("y") != expected) break;
    least = elements;
  }
  if (least == 0) return Answer{"wrong results", {}};
  return Answer{least == 1 ? "every size" : "wrong results below the least",
                {{"least_right_bytes", 2.0 * least}}};
}

absl::StatusOr<Answer> ProbeConcat(Device& device, CallControl& control) {
  auto executable = Load(device, control, "tensor<fp16, [2, 1]> b, tensor<fp16, [2, 2]> a",
                         "tensor<fp16, [2, 3]> y = concat(values = (a, b), axis = int32(1), "
                         "interleave = bool(false));");
  if (!executable.ok()) return executable.status();
  absl::StatusOr<Values> found = RunOnce(**executable, control);
  if (!found.ok()) return found.status();
  const std::vector<float> expected = {1, 2, 17, 3, 4, 18};
  return Answer{found->at("y") == expected ? "right" : "wrong results", {}};
}

absl::StatusOr<Answer> ProbeTimes(Device& device, CallControl& control) {
  auto executable = Load(device, control, "tensor<fp16, [1, 64, 1, 32]> a",
                         "tensor<fp16, [1, 64, 1, 32]> y = relu(x = a);");
  if (!executable.ok()) return executable.status();
  absl::StatusOr<Prepared> prepared = Prepare(**executable);
  if (!prepared.ok()) return prepared.status();
  std::vector<double> times;
  for (int i = 0; i < kRuns; ++i) {
    absl::StatusOr<RunStats> ran = prepared->request->Run(control);
    if (!ran.ok()) return ran.status();
    times.push_back(static_cast<double>(ran->device_ns) / 1000);
  }
  std::ranges::sort(times);
  return Answer{"as measured around the kernel",
                {{"median_us", times[kRuns / 2]}, {"p99_us", times[kRuns * 99 / 100]}}};
}

absl::StatusOr<Answer> ProbeCompiles(Device& device, CallControl& control) {
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::shared_ptr<Executable>> loaded;
  for (int i = 0; i < kCompiles; ++i) {
    if (absl::Status going = control.Check(); !going.ok()) return going;
    auto executable = Load(device, control, "tensor<fp16, [4]> a",
                           absl::StrCat("tensor<fp16, [4]> y = add(x = a, y = fp16(", i, "));"));
    if (!executable.ok()) return executable.status();
    loaded.push_back(*std::move(executable));
    control.Progress();
  }
  return Answer{"no bound found",
                {{"compiled", kCompiles},
                 {"loaded_at_once", kCompiles},
                 {"compile_and_load_us", MicrosecondsSince(begin) / kCompiles}}};
}

struct Question {
  ProbeQuestion what;
  Probe probe;
};

// What is as the device was written, and needs no trying.
Probe Known(const char* answer) {
  return [answer] { return Answer{answer, {}}; };
}

std::vector<Question> Questions(Device& device, CallControl& control) {
  return {
      {kAskSelectors, Known("unavailable: no framework is called")},
      {kAskFunctionParameters, [&] { return ProbeParameters(device, control, false); }},
      {kAskInputBinding, [&] { return ProbeParameters(device, control, true); }},
      {kAskOutputOrder, [&] { return ProbeOutputs(device, control); }},
      {kAskSmallTensors, [&] { return ProbeSmall(device, control); }},
      {kAskConcat, [&] { return ProbeConcat(device, control); }},
      {kAskWeightReload, Known("ignored: weights are read when a program is compiled")},
      {kAskWeightsBuffer, Known("unavailable: use a parameter set")},
      {kAskProcedureIndex, Known("unavailable: functions are named")},
      {kAskQosSweep, Known("no difference: classes are the daemon's to schedule")},
      {kAskPerfStats, [&] { return ProbeTimes(device, control); }},
      {kAskSharedEvents, Known("unavailable: fences order lanes")},
      {kAskEventWait, Known("unavailable: fences order lanes")},
      {kAskNativeChaining, Known("no: the daemon runs chains, step by step")},
      {kAskRealtimeTask, Known("unavailable")},
      {kAskRealtimeLoad, Known("unavailable")},
      {kAskRealtimeEvaluate, Known("unavailable")},
      {kAskCompileBudget, [&] { return ProbeCompiles(device, control); }},
  };
}

}  // namespace

absl::Status ProbeCpu(Device& device, CallControl& control, ProbeLog& log) {
  for (const Question& each : Questions(device, control)) {
    if (absl::Status going = control.Check(); !going.ok()) return going;
    log.Ask(each.what.claim, each.what.question, Evidence::kEmulated);
    absl::StatusOr<Answer> answer = each.probe();
    if (absl::Status going = control.Check(); !going.ok()) return going;
    if (!answer.ok()) {
      answer = Answer{absl::StrCat("failed: ", std::string(answer.status().message())), {}};
    }
    log.Answer(std::move(answer->answer), std::move(answer->numbers));
    control.Progress();
  }
  return absl::OkStatus();
}

}  // namespace anex::device::cpu
