#import "server/device/apple/probe.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#import "server/device/apple/guard.h"
#import "server/device/apple/probe_parts.h"
#include "server/device/apple/probe_programs.h"
#include "server/device/probe_questions.h"

namespace anex::device::apple {
namespace {

struct Question {
  ProbeQuestion what;
  absl::StatusOr<Answer> (*probe)(const ProbeContext&);
  // Where it is asked only by thorough probes: why, and what others have seen.
  const char* assumed = nullptr;
};

// The safe ones first: what hangs takes the rest with it.
constexpr Question kQuestions[] = {
    {kAskSelectors, ProbeSelectors},
    {kAskWays, ProbeWays},
    {kAskFunctionParameters, ProbeFunctionParameters},
    {kAskInputBinding, ProbeInputBinding},
    {kAskOutputOrder, ProbeOutputOrder},
    {kAskSmallTensors, ProbeSmallTensors},
    {kAskWeightReload, ProbeWeightReload},
    {kAskWeightsBuffer, ProbeWeightsBuffer},
    {kAskProcedureIndex, ProbeProcedures},
    {kAskQosSweep, ProbeQos},
    {kAskPerfStats, ProbePerfStats},
    {kAskRealtimeTask, ProbeRealTimeTask},
    {kAskRealtimeLoad, ProbeRealTimeLoad},
    {kAskRealtimeEvaluate, ProbeRealTimeEvaluate},
    {kAskCompileBudget, ProbeCompileBudget},
    {kAskNativeChaining, ProbeChaining},
    {kAskSharedEvents, ProbeSharedEvents},
    {kAskEventWait, ProbeEventWait,
     "not tried without --thorough: a wait that is never signalled has been seen to hang"},
    {kAskConcat, ProbeConcat,
     "not tried without --thorough: it has been seen refused, and a compile that fails restarts "
     "Apple's compiler"},
};

absl::StatusOr<Answer> Ask(const Question& question, const ProbeContext& context) {
  return Guard(question.what.claim, [&] { return question.probe(context); });
}

}  // namespace

absl::Status ProbeEngine(const EngineParts& parts, const SelfTestResult& tested, bool thorough,
                         CallControl& control, ProbeLog& log) {
  const ProbeContext context{parts, tested, thorough, control};
  for (const Question& question : kQuestions) {
    if (absl::Status going = control.Check(); !going.ok()) return going;
    if (question.assumed != nullptr && !thorough) {
      log.Tell(
          {question.what.claim, question.what.question, question.assumed, Evidence::kAssumed, {}});
      continue;
    }
    log.Ask(question.what.claim, question.what.question, Evidence::kProbed);
    absl::StatusOr<Answer> answer = Ask(question, context);
    if (absl::Status going = control.Check(); !going.ok()) return going;
    if (!answer.ok()) answer = Answer{absl::StrCat("failed: ", Words(answer.status())), {}};
    log.Answer(std::move(answer->answer), std::move(answer->numbers));
    control.Progress();
  }
  return absl::OkStatus();
}

// --- What the probes share ---

std::string Describe(const SelectorCheck& check) {
  if (check.found.empty()) return check.Name() + " is gone";
  return absl::StrCat(check.Name(), " has types \"", check.found, "\" instead of \"",
                      check.expected, "\"");
}

std::string Lacks(const Framework& framework, std::initializer_list<Needed> needed) {
  std::vector<std::string> lacking;
  for (const SelectorCheck& check : framework.selectors()) {
    const bool is_needed = std::ranges::any_of(needed, [&](const Needed& one) {
      return check.class_name == one.class_name && check.selector == one.selector;
    });
    if (is_needed && !check.ok) lacking.push_back(Describe(check));
  }
  return lacking.empty() ? "" : "unavailable: " + absl::StrJoin(lacking, ", ");
}

absl::StatusOr<WeightRig> MakeWeightRig(const ProbeContext& context, unsigned stats_mask) {
  WeightRig made{.seed = NewSeed()};
  absl::StatusOr<TestProgram> test = WeightProgram("probe", made.seed);
  if (!test.ok()) return test.status();
  made.test = *std::move(test);
  absl::StatusOr<std::unique_ptr<ProbeRig>> rig = ProbeRig::Make(
      context.parts, made.test, context.control, {.fresh = true, .stats_mask = stats_mask});
  if (!rig.ok()) return rig.status();
  made.rig = *std::move(rig);
  return made;
}

double Median(std::vector<double>& values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

double Percentile99(std::vector<double>& values) {
  std::ranges::sort(values);
  return values[values.size() * 99 / 100];
}

// --- What was found when the device was made ---

absl::StatusOr<Answer> AnswerSelectors(std::span<const SelectorCheck> checks) {
  std::vector<std::string> other;
  for (const SelectorCheck& check : checks) {
    if (!check.ok) other.push_back(Describe(check));
  }
  const auto all = static_cast<double>(checks.size());
  return Answer{other.empty() ? "all as expected" : absl::StrJoin(other, "; "),
                {{"asked", all}, {"as_expected", all - static_cast<double>(other.size())}}};
}

absl::StatusOr<Answer> ProbeSelectors(const ProbeContext& context) {
  return AnswerSelectors(context.parts.framework->selectors());
}

absl::StatusOr<Answer> ProbeWays(const ProbeContext& context) {
  Answer answer;
  std::vector<std::string> parts;
  for (const LoadTrial& load : context.tested.loads) {
    const std::string load_name(LoadWayName(load.way));
    parts.push_back(absl::StrCat(load_name, ": ", load.status.ok() ? "right" : Words(load.status)));
    for (const EvaluateTrial& one : load.evaluate) {
      const std::string name = absl::StrCat(load_name, " ", std::string(EvaluateWayName(one.way)));
      if (one.status.ok()) {
        answer.numbers[absl::StrCat(load_name, "_", std::string(EvaluateWayName(one.way)), "_us")] =
            static_cast<double>(one.median_ns) / 1000;
      } else if (load.status.ok()) {
        parts.push_back(absl::StrCat(name, ": ", Words(one.status)));
      }
    }
  }
  parts.push_back(absl::StrCat("taken: ", std::string(LoadWayName(context.tested.load_way)), " ",
                               std::string(EvaluateWayName(context.tested.evaluate_way))));
  answer.answer = absl::StrJoin(parts, "; ");
  return answer;
}

}  // namespace anex::device::apple
