#import "server/device/apple/probe.h"

#include <fstream>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#import "server/device/apple/ane_compile.h"
#include "server/device/apple/ane_errors.h"
#import "server/device/apple/ane_executable.h"
#import "server/device/apple/guard.h"
#import "server/device/apple/probe_rig.h"

namespace anex::device::apple {
namespace {

constexpr int kRuns = 51;
constexpr unsigned kProcedures = 16, kQosLevels = 64;
// Those that have a meaning: real time, background, utility, default, user-initiated, -interactive.
constexpr unsigned kTimedQos[] = {0, 9, 17, 21, 25, 33};
// Without asking for more: enough to see a leak, far from where a process is said to be refused.
constexpr int kFewPrograms = 16;
constexpr int kManyPrograms = 140;

using Numbers = std::map<std::string, double>;

std::string Words(const absl::Status& status) { return std::string(status.message()); }

// What a probe answers; a Status is why it could not.
struct Answer {
  std::string answer;
  Numbers numbers;
};
using Probe = std::function<absl::StatusOr<Answer>()>;

ProbeFinding Ask(std::string claim, std::string question, const Probe& probe) {
  absl::StatusOr<Answer> answer = Guard(claim, probe);
  ProbeFinding finding{std::move(claim), std::move(question), "", Evidence::kProbed, {}};
  finding.answer = answer.ok() ? answer->answer : absl::StrCat("failed: ", Words(answer.status()));
  if (answer.ok()) finding.numbers = std::move(answer->numbers);
  return finding;
}

absl::StatusOr<Answer> Selectors(const Framework& framework) {
  std::vector<std::string> missing;
  for (const SelectorCheck& check : framework.selectors()) {
    if (check.ok) continue;
    missing.push_back(absl::StrCat(
        check.Name(), check.found.empty() ? " is gone"
                                          : absl::StrCat(" has types ", check.found, " instead of ",
                                                         check.expected)));
  }
  const auto all = static_cast<double>(framework.selectors().size());
  return Answer{missing.empty() ? "all as expected" : absl::StrJoin(missing, "; "),
                {{"asked", all}, {"as_expected", all - static_cast<double>(missing.size())}}};
}

absl::StatusOr<Answer> Ways(const SelfTestResult& tested) {
  Answer answer;
  std::vector<std::string> parts;
  for (const LoadTrial& load : tested.loads) {
    parts.push_back(absl::StrCat(std::string(LoadWayName(load.way)), ": ",
                                 load.status.ok() ? "right" : Words(load.status)));
    for (const EvaluateTrial& one : load.evaluate) {
      const std::string name = absl::StrCat(std::string(LoadWayName(load.way)), "_",
                                            std::string(EvaluateWayName(one.way)));
      if (one.status.ok()) {
        answer.numbers[name + "_us"] = static_cast<double>(one.median_ns) / 1000;
      } else if (load.status.ok()) {
        parts.push_back(absl::StrCat(name, ": ", Words(one.status)));
      }
    }
  }
  answer.answer = absl::StrJoin(parts, "; ");
  return answer;
}

// Which of the two weight files the output shows.
std::string Seen(const ProbeRig& rig, const TestProgram& baked, const TestProgram& other,
                 std::string_view if_baked, std::string_view if_other) {
  if (rig.OutputIs(baked)) return std::string(if_baked);
  return rig.OutputIs(other) ? std::string(if_other) : "wrong results";
}

absl::StatusOr<Answer> WeightReload(const EngineParts& parts, const TestProgram& a,
                                    const TestProgram& b) {
  absl::StatusOr<std::unique_ptr<ProbeRig>> rig = ProbeRig::Make(parts, a);
  if (!rig.ok()) return rig.status();
  auto request = (*rig)->NewRequest();
  if (!request.ok()) return request.status();
  if (absl::Status ran = (*rig)->Evaluate(request->get()); !ran.ok()) return ran;
  if (!(*rig)->OutputIs(a)) return Answer{"wrong results before", {}};
  if (absl::Status unloaded = (*rig)->Unload(); !unloaded.ok()) return unloaded;
  const AneSource other = MakeAneSource(*b.program, parts.framework->machine().architecture);
  for (const auto& [name, bytes] : other.source->weights) {
    std::ofstream file((*rig)->folder() + "/" + name, std::ios::binary | std::ios::trunc);
    file.write(bytes->data(), static_cast<std::streamsize>(bytes->size()));
  }
  if (absl::Status loaded = (*rig)->Load(); !loaded.ok()) return loaded;
  request = (*rig)->NewRequest();
  if (!request.ok()) return request.status();
  if (absl::Status ran = (*rig)->Evaluate(request->get()); !ran.ok()) return ran;
  return Answer{Seen(**rig, a, b, "ignored", "honoured"), {}};
}

absl::StatusOr<Answer> WeightsBuffer(const EngineParts& parts, ProbeRig& rig, const TestProgram& a,
                                     const TestProgram& b) {
  const AneSource other = MakeAneSource(*b.program, parts.framework->machine().architecture);
  const std::string& bytes = *other.source->weights.begin()->second;
  auto region = shm::CreateIosurfaceRegion(bytes.size(), "probe");
  if (!region.ok()) return region.status();
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>((*region)->data()));
  auto request =
      rig.NewRequest({.weights = static_cast<const shm::IosurfaceRegion&>(**region).surface()});
  if (!request.ok()) return request.status();
  if (absl::Status ran = rig.Evaluate(request->get()); !ran.ok()) return ran;
  return Answer{Seen(rig, a, b, "no effect", "replaces the weights"), {}};
}

absl::StatusOr<Answer> Procedures(ProbeRig& rig, const TestProgram& test) {
  std::vector<std::string> right, wrong;
  for (unsigned i = 0; i < kProcedures; ++i) {
    auto request = rig.NewRequest({.procedure = i});
    const bool ran = request.ok() && rig.Evaluate(request->get()).ok() && rig.OutputIs(test);
    (ran ? right : wrong).push_back(absl::StrCat(i));
  }
  return Answer{
      absl::StrCat("a program of one procedure runs with ", absl::StrJoin(right, " "),
                   wrong.empty() ? "" : absl::StrCat("; not with ", absl::StrJoin(wrong, " "))),
      {{"accepted", static_cast<double>(right.size())}}};
}

absl::StatusOr<Answer> QosSweep(ProbeRig& rig) {
  auto request = rig.NewRequest();
  if (!request.ok()) return request.status();
  Answer answer;
  std::vector<std::string> refused;
  for (unsigned qos = 0; qos < kQosLevels; ++qos) {
    if (!rig.Evaluate(request->get(), qos).ok()) refused.push_back(absl::StrCat(qos));
  }
  for (const unsigned qos : kTimedQos) {
    const absl::StatusOr<double> us = rig.MedianUs(request->get(), kRuns, qos);
    if (us.ok()) answer.numbers[absl::StrCat("qos_", qos, "_us")] = *us;
  }
  answer.answer = refused.empty() ? "0 to 63 are all accepted"
                                  : absl::StrCat("refused: ", absl::StrJoin(refused, " "));
  return answer;
}

absl::StatusOr<Answer> PerfStats(const EngineParts& parts, ProbeRig& rig) {
  if (!parts.framework->Has("_ANEPerformanceStats", "statsWithHardwareExecutionNS:") ||
      !parts.framework->Has("_ANEPerformanceStats", "hwExecutionTime")) {
    return Answer{"unavailable", {}};
  }
  id<ANEPerformanceStats> stats =
      [parts.framework->classes().performance_stats statsWithHardwareExecutionNS:0];
  if (stats == nil) return Answer{"unavailable: no object", {}};
  NSMutableArray* list = [NSMutableArray array];
  [list addObject:stats];
  auto request = rig.NewRequest({.stats = list});
  if (!request.ok()) return request.status();
  if (absl::Status ran = rig.Evaluate(request->get()); !ran.ok()) return ran;
  const auto ns = static_cast<double>([stats hwExecutionTime]);
  if (ns == 0) return Answer{"unavailable: stays 0", {}};
  return Answer{"yes", {{"hardware_us", ns / 1000}}};
}

absl::StatusOr<Answer> SharedEvents(const EngineParts& parts) {
  if (!parts.framework->Has("_ANESharedEvents", "sharedEventsWithSignalEvents:waitEvents:")) {
    return Answer{"unavailable", {}};
  }
  NSMutableArray* none = [NSMutableArray array];
  id events = [parts.framework->classes().shared_events sharedEventsWithSignalEvents:none
                                                                          waitEvents:none];
  return Answer{events == nil ? "unavailable: no object"
                              : "the objects can be made; no run has waited for one",
                {}};
}

absl::StatusOr<Answer> Chaining(const EngineParts& parts, ProbeRig& rig) {
  if (!parts.framework->Has("_ANEClient",
                            "prepareChainingWithModel:options:chainingReq:qos:error:") ||
      parts.framework->classes().chaining_request == Nil ||
      !parts.framework->Has("_ANEInMemoryModel", "model")) {
    return Answer{"unavailable", {}};
  }
  NSMutableArray* none = [NSMutableArray array];
  id chain = [parts.framework->classes().chaining_request chainingRequestWithInputs:none
                                                                         outputSets:none
                                                                    lbInputSymbolId:none
                                                                   lbOutputSymbolId:none
                                                                     procedureIndex:@0
                                                                       signalEvents:none
                                                                  transactionHandle:@0
                                                                     fwEnqueueDelay:@0
                                                                       memoryPoolId:@0];
  if (chain == nil) return Answer{"unavailable: no object", {}};
  id<ANEClient> client = [parts.framework->classes().client sharedConnection];
  NSMutableDictionary* options = [NSMutableDictionary dictionary];
  NSError* error = nil;
  if ([client prepareChainingWithModel:[rig.model() model]
                               options:options
                           chainingReq:chain
                                   qos:kQos
                                 error:&error]) {
    return Answer{"an empty chain can be prepared; none has run", {}};
  }
  return Answer{absl::StrCat("no: ", Words(StatusOf("prepare", error))), {}};
}

absl::StatusOr<Answer> RealTimeTask(const EngineParts& parts) {
  if (!parts.framework->Has("_ANEClient", "beginRealTimeTask") ||
      !parts.framework->Has("_ANEClient", "endRealTimeTask")) {
    return Answer{"unavailable", {}};
  }
  id<ANEClient> client = [parts.framework->classes().client sharedConnection];
  if (![client beginRealTimeTask]) return Answer{"no: the system does not grant it", {}};
  return Answer{[client endRealTimeTask] ? "yes" : "begun, but not ended", {}};
}

absl::StatusOr<Answer> CompileBudget(const EngineParts& parts, int programs,
                                     const CallControl& control) {
  // A residency of its own that never makes room: the engine's own bound is what is looked for.
  EngineParts own = parts;
  own.residency = std::make_shared<Residency>(static_cast<uint32_t>(programs) + 1);
  const auto shared = std::make_shared<const EngineParts>(own);
  std::vector<std::shared_ptr<AneExecutable>> loaded;
  absl::Status why;
  for (int i = 0; i < programs && why.ok(); ++i) {
    if (absl::Status going = control.Check(); !going.ok()) return going;
    absl::StatusOr<TestProgram> test = AddingProgram(i);
    if (!test.ok()) return test.status();
    absl::StatusOr<std::unique_ptr<Model>> model = CompileModel(*shared, *test->program, control);
    why = model.status();
    if (!why.ok()) break;
    auto executable = AneExecutable::Make(shared, test->program, *std::move(model));
    why = executable.status();
    if (why.ok()) loaded.push_back(*std::move(executable));
  }
  return Answer{why.ok() ? absl::StrCat("at least ", programs, " at once")
                         : absl::StrCat("the next one: ", Words(why)),
                {{"loaded_at_once", static_cast<double>(loaded.size())},
                 {"compiles", static_cast<double>(parts.gate->compiles())}}};
}

}  // namespace

absl::StatusOr<std::vector<ProbeFinding>> ProbeEngine(const EngineParts& parts,
                                                      const SelfTestResult& tested, bool thorough,
                                                      const CallControl& control) {
  absl::StatusOr<std::vector<TestProgram>> tests = SelfTestPrograms();
  if (!tests.ok()) return tests.status();
  const TestProgram &a = (*tests)[2], &b = (*tests)[3];
  absl::StatusOr<std::unique_ptr<ProbeRig>> made = ProbeRig::Make(parts, a);
  const auto with_rig = [&](const std::function<absl::StatusOr<Answer>(ProbeRig&)>& probe) {
    return [&made, probe]() -> absl::StatusOr<Answer> {
      return made.ok() ? probe(**made) : absl::StatusOr<Answer>(made.status());
    };
  };
  const std::pair<std::pair<const char*, const char*>, Probe> probes[] = {
      {{"selectors", "does the framework have the selectors and types that anexd calls?"},
       [&] { return Selectors(*parts.framework); }},
      {{"ways", "which ways of loading and evaluating give right results, and how fast?"},
       [&] { return Ways(tested); }},
      {{"function_parameters", "are inputs of unequal sizes bound by name, whatever their order?"},
       // The device would not be there otherwise: the self-test's programs have just that.
       [] {
         return Answer{"by symbol: the self-test passed", {}};
       }},
      {{"weight_reload", "does a program see new bytes in its weight files without a compile?"},
       [&] { return WeightReload(parts, a, b); }},
      {{"weights_buffer", "does a request's weightsBuffer replace baked weights?"},
       with_rig([&](ProbeRig& rig) { return WeightsBuffer(parts, rig, a, b); })},
      {{"procedure_index", "which procedure indices run?"},
       with_rig([&](ProbeRig& rig) { return Procedures(rig, a); })},
      {{"qos_sweep", "does the service class change how long a kernel takes?"},
       with_rig([&](ProbeRig& rig) { return QosSweep(rig); })},
      {{"perf_stats", "is the time on the device itself known?"},
       with_rig([&](ProbeRig& rig) { return PerfStats(parts, rig); })},
      {{"shared_events", "can a run wait for or signal an event of another device?"},
       [&] { return SharedEvents(parts); }},
      {{"native_chaining", "does the device itself run chains?"},
       with_rig([&](ProbeRig& rig) { return Chaining(parts, rig); })},
      {{"realtime_task", "does the system grant a real-time task?"},
       [&] { return RealTimeTask(parts); }},
      {{"compile_budget", "how many programs can one process compile and have loaded?"},
       [&] { return CompileBudget(parts, thorough ? kManyPrograms : kFewPrograms, control); }},
  };
  std::vector<ProbeFinding> findings;
  for (const auto& [what, probe] : probes) {
    if (absl::Status going = control.Check(); !going.ok()) return going;
    findings.push_back(Ask(what.first, what.second, probe));
  }
  return findings;
}

}  // namespace anex::device::apple
