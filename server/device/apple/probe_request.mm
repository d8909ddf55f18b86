// What a program's weights and a request's arguments do: weights rewritten, weightsBuffer,
// procedure indices, service classes, statistics.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#import "server/device/apple/guard.h"
#import "server/device/apple/probe_parts.h"

namespace anex::device::apple {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRuns = 51;
constexpr unsigned kProcedures = 16, kQosLevels = 64;
// Those that have a name: real time, background, utility, default, user-initiated, -interactive.
constexpr unsigned kTimedQos[] = {0, 9, 17, 21, 25, 33};
// Below that two classes are taken for equally fast.
constexpr double kSlower = 1.25;
constexpr unsigned kAllStatistics = 0xf;  // as much of the mask as the system passes on

// Which of two programs' weights the outputs show.
std::string Seen(const WeightRig& baked, const TestProgram& other, std::string_view if_baked,
                 std::string_view if_other) {
  if (baked.rig->OutputsAre(baked.test)) return std::string(if_baked);
  return baked.rig->OutputsAre(other) ? std::string(if_other) : "wrong results";
}

// The same text with other weights.
absl::StatusOr<TestProgram> Other(const WeightRig& made) {
  return WeightProgram("probe", made.seed + 1);
}

absl::Status RewriteWeights(const WeightRig& made, const TestProgram& other) {
  const AneSource source =
      MakeAneSource(*other.program, made.rig->parts().framework->machine().architecture);
  for (const auto& [name, bytes] : source.source->weights) {
    const std::string path = made.rig->folder() + "/" + name;
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) {
      return absl::InternalError(absl::StrCat("the program has no weight file ", name));
    }
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(bytes->data(), static_cast<std::streamsize>(bytes->size())).flush();
    if (!file) return absl::InternalError(absl::StrCat("cannot write the weight file ", name));
  }
  return absl::OkStatus();
}

// What becomes of a request with `bytes` as its weightsBuffer.
std::string TryBuffer(const WeightRig& made, const TestProgram& other, const std::string& bytes) {
  auto region = shm::CreateIosurfaceRegion(bytes.size(), "probe");
  if (!region.ok()) return Words(region.status());
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>((*region)->data()));
  const absl::Status ran = made.rig->TryRequest(
      other, {.weights = static_cast<const shm::IosurfaceRegion&>(**region).surface()});
  if (!ran.ok() && !absl::IsDataLoss(ran)) return Words(ran);
  return Seen(made, other, "no effect", "replaces the weights");
}

double TimedUs(ProbeRig& rig, id<ANERequest> request, unsigned qos) {
  const auto began = Clock::now();
  const bool ran = rig.Evaluate(request, qos).ok();
  const double us = std::chrono::duration<double, std::micro>(Clock::now() - began).count();
  return ran ? us : -1;
}

// The classes take turns, so that what disturbs the machine meets them all.
std::map<unsigned, double> TimeClasses(ProbeRig& rig, id<ANERequest> request) {
  std::map<unsigned, std::vector<double>> times;
  for (int i = 0; i < kRuns; ++i) {
    for (const unsigned qos : kTimedQos) {
      if (const double us = TimedUs(rig, request, qos); us >= 0) times[qos].push_back(us);
    }
  }
  std::map<unsigned, double> medians;
  for (auto& [qos, each] : times) medians[qos] = Median(each);
  return medians;
}

std::string CompareClasses(const std::map<unsigned, double>& medians) {
  if (medians.empty()) return "none could be timed";
  const auto [fast, slow] =
      std::ranges::minmax_element(medians, {}, [](const auto& entry) { return entry.second; });
  if (slow->second < kSlower * fast->second) return "no difference in time";
  return absl::StrFormat("%d takes %.1f times as long as %d", slow->first,
                         slow->second / fast->second, fast->first);
}

// An evaluation with a statistics object: what it says of the hardware's time, and the wall's.
struct StatsTrial {
  absl::Status status;
  double hardware_ns = 0, wall_us = 0;
};

StatsTrial TryStats(const ProbeContext& context, unsigned mask) {
  StatsTrial trial;
  absl::StatusOr<WeightRig> made = MakeWeightRig(context, mask);
  if (!made.ok()) return {made.status()};
  id<ANEPerformanceStats> stats =
      [context.parts.framework->classes().performance_stats statsWithHardwareExecutionNS:0];
  if (stats == nil) return {absl::UnavailableError("the framework makes no statistics object")};
  NSMutableArray* list = [NSMutableArray array];
  [list addObject:stats];
  auto request = made->rig->NewRequest({.stats = list});
  if (!request.ok()) return {request.status()};
  const auto began = Clock::now();
  trial.status = made->rig->Evaluate(request->get());
  trial.wall_us = std::chrono::duration<double, std::micro>(Clock::now() - began).count();
  if (trial.status.ok()) trial.hardware_ns = static_cast<double>([stats hwExecutionTime]);
  return trial;
}

Answer AnswerStats(const StatsTrial& trial, std::string_view how) {
  return Answer{absl::StrCat("yes", std::string(how)),
                {{"hardware_us", trial.hardware_ns / 1000}, {"wall_us", trial.wall_us}}};
}

}  // namespace

absl::StatusOr<Answer> ProbeWeightReload(const ProbeContext& context) {
  absl::StatusOr<WeightRig> made = MakeWeightRig(context);
  if (!made.ok()) return made.status();
  absl::StatusOr<TestProgram> other = Other(*made);
  if (!other.ok()) return other.status();
  ProbeRig& rig = *made->rig;
  if (absl::Status right = rig.TryRequest(made->test); !right.ok()) return right;
  const double first_load_us = rig.load_us();
  if (absl::Status unloaded = rig.Unload(); !unloaded.ok()) return unloaded;
  if (absl::Status written = RewriteWeights(*made, *other); !written.ok()) return written;
  if (absl::Status loaded = rig.Load(); !loaded.ok()) return loaded;
  const absl::Status ran = rig.TryRequest(*other);
  if (!ran.ok() && !absl::IsDataLoss(ran)) return ran;
  return Answer{Seen(*made, *other, "ignored", "honoured"),
                {{"compile_us", rig.compile_us()},
                 {"load_us", first_load_us},
                 {"unload_us", rig.unload_us()},
                 {"reload_us", rig.load_us()}}};
}

absl::StatusOr<Answer> ProbeWeightsBuffer(const ProbeContext& context) {
  absl::StatusOr<WeightRig> made = MakeWeightRig(context);
  if (!made.ok()) return made.status();
  absl::StatusOr<TestProgram> other = Other(*made);
  if (!other.ok()) return other.status();
  if (absl::Status right = made->rig->TryRequest(made->test); !right.ok()) return right;
  const AneSource source =
      MakeAneSource(*other->program, context.parts.framework->machine().architecture);
  const std::string as_file = TryBuffer(*made, *other, *source.source->weights.begin()->second);
  const std::string bare = TryBuffer(*made, *other, BareWeights(made->seed + 1));
  if (as_file == bare) return Answer{as_file, {}};
  return Answer{absl::StrCat("as the file: ", as_file, "; as bare values: ", bare), {}};
}

absl::StatusOr<Answer> ProbeProcedures(const ProbeContext& context) {
  absl::StatusOr<WeightRig> made = MakeWeightRig(context);
  if (!made.ok()) return made.status();
  std::vector<std::string> right, wrong;
  absl::Status why;
  for (unsigned i = 0; i < kProcedures; ++i) {
    const absl::Status ran = made->rig->TryRequest(made->test, {.procedure = i});
    (ran.ok() ? right : wrong).push_back(absl::StrCat(i));
    why.Update(ran);
  }
  const std::map<std::string, double> numbers = {{"accepted", static_cast<double>(right.size())}};
  if (wrong.empty()) return Answer{"0 to 15 all run a program's only procedure", numbers};
  return Answer{absl::StrCat("a program's only procedure runs as ",
                             right.empty() ? "none" : absl::StrJoin(right, " "), ", not as ",
                             absl::StrJoin(wrong, " "), ": ", Words(why)),
                numbers};
}

absl::StatusOr<Answer> ProbeQos(const ProbeContext& context) {
  absl::StatusOr<WeightRig> made = MakeWeightRig(context);
  if (!made.ok()) return made.status();
  ProbeRig& rig = *made->rig;
  auto request = rig.NewRequest();
  if (!request.ok()) return request.status();
  std::vector<std::string> refused;
  absl::Status why;
  for (unsigned qos = 0; qos < kQosLevels; ++qos) {
    absl::Status ran = rig.EvaluateAnew(request->get(), qos);
    if (ran.ok() && !rig.OutputsAre(made->test)) ran = absl::DataLossError("wrong results");
    if (!ran.ok()) refused.push_back(absl::StrCat(qos));
    why.Update(ran);
  }
  context.control.Progress();
  Answer answer;
  const std::map<unsigned, double> medians = TimeClasses(rig, request->get());
  for (const auto& [qos, us] : medians) answer.numbers[absl::StrFormat("qos_%02d_us", qos)] = us;
  for (const unsigned qos : kTimedQos) {
    if (absl::Status gone = rig.Unload(); !gone.ok()) return gone;
    if (rig.Load(qos).ok()) {
      answer.numbers[absl::StrFormat("load_qos_%02d_us", qos)] = rig.load_us();
    }
  }
  answer.answer = absl::StrCat(
      refused.empty() ? "0 to 63 are all taken"
                      : absl::StrCat("not ", absl::StrJoin(refused, " "), " (", Words(why), ")"),
      "; ", CompareClasses(medians));
  return answer;
}

absl::StatusOr<Answer> ProbePerfStats(const ProbeContext& context) {
  const Framework& framework = *context.parts.framework;
  const std::string lacks =
      Lacks(framework, {{"_ANEPerformanceStats", "statsWithHardwareExecutionNS:"},
                        {"_ANEPerformanceStats", "hwExecutionTime"}});
  if (!lacks.empty()) return Answer{lacks, {}};
  const StatsTrial plain = TryStats(context, 0);
  if (!plain.status.ok()) return plain.status;
  if (plain.hardware_ns > 0) return AnswerStats(plain, "");
  const std::string no_mask = Lacks(framework, {{"_ANEInMemoryModel", "setPerfStatsMask:"}});
  if (!no_mask.empty()) return Answer{"no: it stays 0, and there is no perfStatsMask", {}};
  const StatsTrial masked = TryStats(context, kAllStatistics);
  if (!masked.status.ok()) {
    return Answer{absl::StrCat("no: it stays 0; with perfStatsMask: ", Words(masked.status)), {}};
  }
  if (masked.hardware_ns > 0) return AnswerStats(masked, ", with perfStatsMask");
  return Answer{"no: it stays 0, with perfStatsMask too", {{"wall_us", masked.wall_us}}};
}

}  // namespace anex::device::apple
