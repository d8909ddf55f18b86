#import "server/device/apple/self_test.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstring>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "proto/shm/iosurface_region.h"
#include "proto/wire/half.h"
#import "server/device/apple/ane_compile.h"
#import "server/device/apple/ane_executable.h"
#include "server/device/apple/element_walk.h"
#import "server/device/apple/realtime_task.h"
#include "server/device/apple/self_test_programs.h"

namespace anex::device::apple {
namespace {

constexpr int kTimedRuns = 21;
// Another way of evaluating than the plain one must be that much faster to be taken.
constexpr double kWorthIt = 0.95;

int64_t NowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// One loaded test program with surfaces of its own behind its ports.
struct Loaded {
  const TestProgram* test = nullptr;
  std::shared_ptr<AneExecutable> executable;
  std::vector<BoundPort> ports;
  std::unique_ptr<Request> request;
};

void Fill(const BoundPort& port, const std::vector<float>& values) {
  ForEachOffset(port.layout, [&](size_t i, int64_t offset) {
    const uint16_t half = FloatToHalf(values[i]);
    std::memcpy(port.region->data() + offset, &half, sizeof half);
  });
}

absl::Status Compare(const BoundPort& port, const std::vector<double>& expected,
                     std::string_view name) {
  double largest = 0;
  for (const double value : expected) largest = std::max(largest, std::fabs(value));
  absl::Status result;
  ForEachOffset(port.layout, [&](size_t i, int64_t offset) {
    uint16_t half = 0;
    std::memcpy(&half, std::as_const(*port.region).data() + offset, sizeof half);
    const double found = HalfToDouble(half);
    if (!result.ok() || std::fabs(found - expected[i]) <= kSelfTestTolerance * largest) return;
    result = absl::DataLossError(absl::StrCat("self-test \"", std::string(name), "\": element ", i,
                                              " is ", found, " and should be ", expected[i]));
  });
  return result;
}

absl::StatusOr<Loaded> LoadTest(const std::shared_ptr<const EngineParts>& parts,
                                const TestProgram& test) {
  CallControl control;
  absl::StatusOr<std::unique_ptr<Model>> model = CompileModel(*parts, *test.program, control);
  if (!model.ok()) return model.status();
  auto executable = AneExecutable::Make(parts, test.program, *std::move(model));
  if (!executable.ok()) return executable.status();
  Loaded loaded{.test = &test, .executable = *std::move(executable)};
  const FunctionInfo& info = loaded.executable->functions()[0];
  for (uint32_t i = 0; i < info.ports.size(); ++i) {
    const TensorLayout& layout = info.ports[i].layout;
    auto region = shm::CreateIosurfaceRegion(layout.allocation_bytes, "self-test");
    if (!region.ok()) return region.status();
    loaded.ports.push_back({i, *std::move(region), layout});
    const auto input = test.inputs.find(info.ports[i].name);
    if (input != test.inputs.end()) Fill(loaded.ports.back(), input->second);
  }
  auto request = loaded.executable->Prepare(0, loaded.ports);
  if (!request.ok()) return request.status();
  loaded.request = *std::move(request);
  return loaded;
}

absl::Status RunAndCompare(Loaded& loaded) {
  absl::StatusOr<RunStats> ran = loaded.request->Run();
  if (!ran.ok()) return ran.status();
  return Compare(loaded.ports.back(), loaded.test->expected.at("y"), loaded.test->name);
}

absl::StatusOr<int64_t> TimeOf(Request& request) {
  const int64_t began_ns = NowNs();
  absl::StatusOr<RunStats> ran = request.Run();
  if (!ran.ok()) return ran.status();
  return NowNs() - began_ns;
}

int64_t MedianOf(std::vector<int64_t>& times) {
  const auto middle = times.begin() + static_cast<ptrdiff_t>(times.size() / 2);
  std::ranges::nth_element(times, middle);
  return *middle;
}

absl::StatusOr<int64_t> MedianTimeOf(Request& request) {
  std::vector<int64_t> times;
  for (int i = 0; i < kTimedRuns; ++i) {
    absl::StatusOr<int64_t> time = TimeOf(request);
    if (!time.ok()) return time.status();
    times.push_back(*time);
  }
  return MedianOf(times);
}

// Loads `tests` all at once: one that runs with another's weights shows only
// while both are there.
EvaluateTrial TryEvaluate(EngineParts parts, EvaluateWay way, std::span<const TestProgram> tests) {
  parts.evaluate_way = way;
  const auto shared = std::make_shared<const EngineParts>(std::move(parts));
  std::vector<Loaded> all;
  for (const TestProgram& test : tests) {
    absl::StatusOr<Loaded> loaded = LoadTest(shared, test);
    if (!loaded.ok()) return {way, loaded.status()};
    if (!loaded->executable->model().Has(way)) {
      return {way, absl::UnimplementedError("the framework does not have it")};
    }
    all.push_back(*std::move(loaded));
  }
  for (Loaded& loaded : all) {
    if (absl::Status right = RunAndCompare(loaded); !right.ok()) return {way, right};
  }
  absl::StatusOr<int64_t> median = MedianTimeOf(*all.front().request);
  if (!median.ok()) return {way, median.status()};
  return {way, absl::OkStatus(), *median};
}

LoadTrial TryLoad(EngineParts parts, LoadWay way, std::span<const TestProgram> tests) {
  LoadTrial trial{.way = way};
  parts.load_way = way;
  const SelectorUse use = way == LoadWay::kInMemory ? SelectorUse::kInMemory : SelectorUse::kClient;
  if (!parts.framework->Has(use)) {
    trial.status = absl::UnimplementedError("the framework does not have it");
    return trial;
  }
  trial.evaluate.push_back(TryEvaluate(parts, EvaluateWay::kModel, tests));
  trial.status = trial.evaluate.front().status;
  // Without the plain way none of the others counts; they read the same program.
  for (int i = 1; i < kEvaluateWays && trial.status.ok(); ++i) {
    trial.evaluate.push_back(TryEvaluate(parts, static_cast<EvaluateWay>(i), tests.first(1)));
  }
  return trial;
}

EvaluateWay Fastest(const LoadTrial& trial) {
  const EvaluateTrial* best = &trial.evaluate.front();
  for (const EvaluateTrial& one : trial.evaluate) {
    if (!one.status.ok()) continue;
    const double bound =
        static_cast<double>(best->median_ns) * (best == &trial.evaluate.front() ? kWorthIt : 1.0);
    if (static_cast<double>(one.median_ns) < bound) best = &one;
  }
  return best->way;
}

// One run with the task, one without, and so on: what else the machine does hits both.
absl::StatusOr<RealTimeTrial> TimeInTurns(const Framework& framework, Request& request) {
  std::vector<int64_t> without, with;
  for (int i = 0; i < kTimedRuns; ++i) {
    absl::StatusOr<int64_t> time = TimeOf(request);
    if (!time.ok()) return time.status();
    without.push_back(*time);
    absl::StatusOr<std::unique_ptr<RealTimeTask>> task = RealTimeTask::Begin(framework);
    if (!task.ok()) return task.status();
    time = TimeOf(request);
    if (!time.ok()) return time.status();
    with.push_back(*time);
  }
  return RealTimeTrial{absl::OkStatus(), MedianOf(without), MedianOf(with)};
}

// `parts` has the ways that were chosen.
RealTimeTrial TryRealTime(const EngineParts& parts, const TestProgram& test) {
  if (auto task = RealTimeTask::Begin(*parts.framework); !task.ok()) return {task.status()};
  absl::StatusOr<Loaded> loaded = LoadTest(std::make_shared<const EngineParts>(parts), test);
  if (!loaded.ok()) return {loaded.status()};
  absl::StatusOr<RealTimeTrial> trial = TimeInTurns(*parts.framework, *loaded->request);
  if (!trial.ok()) return {trial.status()};
  trial->kept =
      static_cast<double>(trial->with_ns) * kWorthIt <= static_cast<double>(trial->without_ns);
  return *trial;
}

// What the engine says of a tensor whose rows are short; the least that is known where it says
// nothing of use, or does not take such a program.
uint64_t FindRowAlignment(const EngineParts& parts) {
  absl::StatusOr<TestProgram> narrow = NarrowProgram();
  if (!narrow.ok()) return kLeastRowAlignment;
  absl::StatusOr<Loaded> loaded = LoadTest(std::make_shared<const EngineParts>(parts), *narrow);
  if (!loaded.ok() || !RunAndCompare(*loaded).ok()) return kLeastRowAlignment;
  const TensorLayout& layout = loaded->ports.front().layout;
  const auto row = static_cast<uint64_t>(layout.strides[layout.shape.rank() - 2]);
  return std::has_single_bit(row) ? std::max(row, kLeastRowAlignment) : kLeastRowAlignment;
}

}  // namespace

absl::StatusOr<SelfTestResult> RunSelfTest(const EngineParts& parts) {
  absl::StatusOr<std::vector<TestProgram>> tests = SelfTestPrograms();
  if (!tests.ok()) return tests.status();
  SelfTestResult result;
  const LoadTrial* right = nullptr;
  for (const LoadWay way : {LoadWay::kInMemory, LoadWay::kClient}) {
    result.loads.push_back(TryLoad(parts, way, *tests));
  }
  std::string reasons;
  for (const LoadTrial& trial : result.loads) {
    if (trial.status.ok() && right == nullptr) right = &trial;
    absl::StrAppend(&reasons, "; ", std::string(LoadWayName(trial.way)), ": ",
                    std::string(trial.status.message()));
  }
  if (right == nullptr) {
    return absl::UnavailableError(
        absl::StrCat("no way of using the Neural Engine passes its self-test", reasons));
  }
  result.load_way = right->way;
  result.evaluate_way = Fastest(*right);
  EngineParts chosen = parts;
  chosen.load_way = result.load_way;
  chosen.evaluate_way = result.evaluate_way;
  result.real_time = TryRealTime(chosen, tests->front());
  result.row_alignment = FindRowAlignment(chosen);
  return result;
}

}  // namespace anex::device::apple
