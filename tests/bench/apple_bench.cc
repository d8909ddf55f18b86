// What the ane device itself costs and keeps, over the fake framework: a Mac's engine takes tens of
// microseconds for an evaluation, of which none should be ours.
//
// device_over_double_us: the device's evaluation less the framework's own, medians of one run.
//
// leaked_bytes_1e5_evals: memory that is not given back after 100,000 evaluations.
//
// load_cycles_1000_leaks: objects and descriptors that are left after 1,000 times load, run, go.
//
// budget_8_kernels_24_right: 24 programs through 8 places, every result right.
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "proto/shm/iosurface_region.h"
#include "proto/wire/half.h"
#include "server/device/apple/ane_device.h"
#include "server/mil/front_end.h"
#include "tests/bench/apple_direct.h"
#include "tests/bench/measure.h"
#include "tests/doubles/apple/double_control.h"

namespace anex::bench {
namespace {

using device::BoundPort;
using Json = nlohmann::json;

constexpr int kEvaluations = 100'000, kLoads = 1000;
constexpr int kPlaces = 8, kKernels = 24, kRounds = 3;

// y = x + value
std::shared_ptr<const mil::Program> Plus(int value) {
  mil::FrontEndResult read = mil::Read(
      {.name = "plus.mil",
       .text = absl::StrCat("program(1.3)\n{\n  func main<ios18>(tensor<fp16, [1, 64, 1, 32]> x) "
                            "{\n    tensor<fp16, [1, 64, 1, 32]> y = add(x = x, y = fp16(",
                            value, "));\n  } -> (y);\n}\n")});
  if (read.program == nullptr) Fail("the benchmark's program is wrong");
  return read.program;
}

std::unique_ptr<device::Device> MakeDevice(int places) {
  ane_double_reset();
  ane_double_faults(absl::StrCat("limit=", places).c_str());
  device::apple::AneOptions options;
  options.framework_path = ANEX_ANE_DOUBLE_PATH;
  options.loaded_programs = static_cast<uint32_t>(places);
  return Must(device::apple::MakeAneDevice(options), "the ane device on doubles");
}

// A program on a device with surfaces of its own.
struct Runner {
  Runner(device::Device& device, const device::Artifact& artifact) {
    executable = Must(device.Load(artifact), "load");
    const FunctionInfo& info = executable->functions()[0];
    for (uint32_t i = 0; i < info.ports.size(); ++i) {
      const TensorLayout& layout = info.ports[i].layout;
      ports.push_back(
          {i, Must(shm::CreateIosurfaceRegion(layout.allocation_bytes, "bench"), "surface"),
           layout});
    }
    request = Must(executable->Prepare(0, ports), "prepare");
  }
  void Run() { Check(request->Run().status(), "run"); }
  // Of the first element.
  void SetInput(float value) {
    const uint16_t half = FloatToHalf(value);
    std::memcpy(ports[0].region->data(), &half, sizeof half);
  }
  float Output() const {
    uint16_t half = 0;
    std::memcpy(&half, std::as_const(*ports[1].region).data(), sizeof half);
    return HalfToFloat(half);
  }

  std::shared_ptr<device::Executable> executable;
  std::vector<BoundPort> ports;
  std::unique_ptr<device::Request> request;
};

int64_t HeapBytes() { return static_cast<int64_t>(::mallinfo2().uordblks); }

int64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  int64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * 4096;
}

// What the framework has of ours, and descriptors: one for each surface, and for locks of folders.
int64_t Objects() {
  const AneDoubleCounts counts = ane_double_counts();
  const std::filesystem::directory_iterator open("/proc/self/fd");
  return static_cast<int64_t>(counts.models_now + counts.requests_now + counts.loaded_now) +
         std::distance(begin(open), end(open));
}

struct Held {
  int64_t heap = 0, resident = 0, objects = 0;
};

// Looking itself leaves memory in the allocator's caches, which it counts as taken: so twice.
Held LookAtHeld() {
  Held held;
  for (int i = 0; i < 2; ++i) held = {HeapBytes(), ResidentBytes(), Objects()};
  held.heap = HeapBytes();
  return held;
}

Json MeasureCost(int rounds) {
  const auto device = MakeDevice(kPlaces);
  Runner runner(*device, Must(device->Compile(Plus(1), {}), "compile"));
  const auto direct = Must(DirectModel::Make(ANEX_ANE_DOUBLE_PATH, *Plus(1)), "direct");
  std::map<std::string, Figures> figures;
  DirectModel::InPool([&] {
    figures = Interleave({{"framework",
                           [&] {
                             if (!direct->Evaluate()) Fail("the framework says no");
                           }},
                          {"ane device", [&] { runner.Run(); }}},
                         rounds, 50);
  });
  PrintTable("one evaluation on the fake framework", figures, "framework");
  return {{"device_over_double_us", figures["ane device"].p50_us - figures["framework"].p50_us},
          {"device_us", figures["ane device"].p50_us},
          {"double_us", figures["framework"].p50_us},
          {"evaluate_way", device->capabilities().claims.at("evaluate_way")}};
}

Json MeasureEvaluations() {
  const auto device = MakeDevice(kPlaces);
  Runner runner(*device, Must(device->Compile(Plus(1), {}), "compile"));
  for (int i = 0; i < kLoads; ++i) runner.Run();
  const Held before = LookAtHeld();
  for (int i = 0; i < kEvaluations; ++i) runner.Run();
  const Held after = LookAtHeld();
  return {{"leaked_bytes_1e5_evals", after.heap - before.heap},
          {"leaked_objects_1e5_evals", after.objects - before.objects},
          {"resident_growth_1e5_evals", after.resident - before.resident}};
}

Json MeasureLoads() {
  const auto device = MakeDevice(kPlaces);
  const device::Artifact artifact = Must(device->Compile(Plus(1), {}), "compile");
  const auto cycle = [&](int times) {
    for (int i = 0; i < times; ++i) Runner(*device, artifact).Run();
  };
  cycle(kLoads / 10);
  const Held before = LookAtHeld();
  cycle(kLoads);
  const Held after = LookAtHeld();
  return {{"load_cycles_1000_leaks", after.objects - before.objects},
          {"load_cycles_1000_leaked_bytes", after.heap - before.heap},
          {"load_cycles_1000_resident_growth", after.resident - before.resident}};
}

Json MeasureBudget() {
  const auto device = MakeDevice(kPlaces);
  std::vector<std::unique_ptr<Runner>> runners;
  for (int i = 0; i < kKernels; ++i) {
    runners.push_back(
        std::make_unique<Runner>(*device, Must(device->Compile(Plus(i), {}), "compile")));
  }
  bool right = true;
  uint64_t most = 0;
  for (int round = 0; round < kRounds; ++round) {
    for (int i = 0; i < kKernels; ++i) {
      runners[i]->SetInput(static_cast<float>(round * 100 + 3 * i));
      runners[i]->Run();
      right &= runners[i]->Output() == static_cast<float>(round * 100 + 4 * i);
      most = std::max<uint64_t>(most, ane_double_counts().loaded_now);
    }
  }
  return {{"budget_8_kernels_24_right", right && most <= kPlaces},
          {"budget_most_loaded", most},
          {"budget_loads", ane_double_counts().loads}};
}

int Main(int argc, char** argv) {
  std::string json_file;
  int rounds = 400;
  CLI::App app("what the ane device costs and keeps, over the fake framework");
  app.add_option("--json", json_file, "file for the figures");
  app.add_option("--rounds", rounds, "interleaved rounds of 50")->check(CLI::Range(1, 100'000));
  CLI11_PARSE(app, argc, argv);
  // As in the daemon.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);

  Json json = MeasureCost(rounds);
  json.update(MeasureEvaluations());
  json.update(MeasureLoads());
  json.update(MeasureBudget());
  std::printf("\n%s\n", json.dump(2).c_str());
  if (!json_file.empty()) std::ofstream(json_file) << json.dump(2) << "\n";
  return 0;
}

}  // namespace
}  // namespace anex::bench

int main(int argc, char** argv) { return anex::bench::Main(argc, argv); }
