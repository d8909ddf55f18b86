// Every question of a probe on engines that differ in just that: no answer is written down.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/apple/double_rig.h"

namespace anex::device::apple {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

using Findings = std::map<std::string, ProbeFinding>;

const std::set<std::string> kThoroughOnly = {"concat", "shared_event_wait"};

class AneProbe : public AneDouble {
 protected:
  AneProbe() : device_(Make()) {}

  // Makes the device anew: the faults, or what was changed, concern its start.
  void Restart(const std::string& faults = "") {
    ane_double_faults(faults.c_str());
    device_ = Make();
  }
  Findings Probe(const std::string& faults, bool thorough = false) {
    ane_double_faults(faults.c_str());
    CallControl control;
    ProbeLog log;
    const absl::Status probed = device_->Probe(thorough, control, log);
    EXPECT_TRUE(probed.ok()) << probed;
    ane_double_faults("");
    Findings findings;
    for (const ProbeFinding& finding : log.findings()) findings[finding.claim] = finding;
    EXPECT_EQ(findings.size(), log.findings().size()) << "a claim came twice";
    EXPECT_GE(control.progress(), findings.size() - kThoroughOnly.size());
    return findings;
  }
  std::string Answer(const std::string& claim, const std::string& faults, bool thorough = false) {
    const Findings findings = Probe(faults, thorough);
    if (!findings.contains(claim)) return "not asked";
    EXPECT_EQ(findings.at(claim).evidence, Evidence::kProbed);
    return findings.at(claim).answer;
  }

  std::unique_ptr<Device> device_;
};

TEST_F(AneProbe, AsksEverything) {
  const std::set<std::string> claims = {"selectors",
                                        "ways",
                                        "function_parameters",
                                        "input_binding",
                                        "output_order",
                                        "small_tensors",
                                        "concat",
                                        "weight_reload",
                                        "weights_buffer",
                                        "qos_sweep",
                                        "procedure_index",
                                        "perf_stats",
                                        "shared_events",
                                        "realtime_task",
                                        "shared_event_wait",
                                        "native_chaining",
                                        "realtime_load",
                                        "compile_budget",
                                        "realtime_evaluate"};
  for (const bool thorough : {false, true}) {
    std::set<std::string> asked;
    for (const auto& [claim, finding] : Probe(thorough ? "limit=20" : "", thorough)) {
      asked.insert(claim);
      EXPECT_THAT(finding.question, EndsWith("?")) << claim;
      EXPECT_THAT(finding.answer, AllOf(Not(IsEmpty()), Not(StartsWith("failed")))) << claim;
      const bool tried = thorough || !kThoroughOnly.contains(claim);
      EXPECT_EQ(finding.evidence, tried ? Evidence::kProbed : Evidence::kAssumed) << claim;
      EXPECT_EQ(finding.answer.starts_with("not tried"), !tried) << claim;
    }
    EXPECT_EQ(asked, claims);
  }
}

TEST_F(AneProbe, LeavesNothing) {
  Probe("limit=20", true);  // what stays are compiled copies of programs that are always the same
  const AneDoubleCounts before = ane_double_counts();
  Probe("realtime=yes, events=yes, chain=yes, rtload=yes, limit=20", true);
  Probe("events=raise, chain=raise, evaluate=error:8");
  Probe("load=error:6");
  Probe("map=raise, request=nil");
  const AneDoubleCounts after = ane_double_counts();
  EXPECT_EQ(after.loaded_now, before.loaded_now);
  EXPECT_EQ(after.models_now, before.models_now);
  EXPECT_EQ(after.requests_now, before.requests_now);
  EXPECT_EQ(after.compiled_now, before.compiled_now);
  EXPECT_EQ(after.real_time_now, 0u);
  EXPECT_EQ(after.loads - before.loads, after.unloads - before.unloads);
  // Another process may be at one of the folders that have the same name every time.
  const absl::Time patience = absl::Now() + absl::Seconds(20);
  while (ane_double_folders_left() > 0 && absl::Now() < patience) {
    absl::SleepFor(absl::Milliseconds(5));
  }
  EXPECT_EQ(ane_double_folders_left(), 0u);
}

TEST_F(AneProbe, NoResultIsTakenFromAnEarlierRun) {
  const Findings findings = Probe("evaluate=nothing, limit=3", true);
  EXPECT_THAT(findings.at("function_parameters").answer, StartsWith("wrong results"));
  EXPECT_EQ(findings.at("weight_reload").answer, "failed: wrong results");
  EXPECT_THAT(findings.at("procedure_index").answer, HasSubstr("runs as none"));
  EXPECT_EQ(findings.at("procedure_index").numbers.at("accepted"), 0);
  EXPECT_THAT(findings.at("qos_sweep").answer, StartsWith("not 0 1 2 3"));
  EXPECT_EQ(findings.at("concat").answer, "no: wrong results");
  EXPECT_EQ(findings.at("shared_events").answer, "no: wrong results");
}

TEST_F(AneProbe, Stops) {
  CallControl control;
  control.Stop();
  ProbeLog log;
  EXPECT_TRUE(absl::IsCancelled(device_->Probe(false, control, log)));
  EXPECT_THAT(log.findings(), IsEmpty());
}

TEST_F(AneProbe, StopsBetweenTwoQuestionsAndUnloadsWhatItHad) {
  const AneDoubleCounts before = ane_double_counts();
  ane_double_faults("evaluate=hang*1");
  CallControl control;
  ProbeLog log;
  absl::Status status;
  std::thread thread([&] { status = device_->Probe(false, control, log); });
  while (ane_double_counts().evaluates == before.evaluates) std::this_thread::yield();
  EXPECT_EQ(log.open()->claim, "function_parameters");
  control.Stop();
  ane_double_release();
  thread.join();
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
  EXPECT_EQ(log.findings().back().claim, "ways") << "those from before stay";
  EXPECT_EQ(ane_double_counts().loaded_now, before.loaded_now);
  EXPECT_EQ(ane_double_counts().models_now, before.models_now);
}

// --- The framework, and what the start found ---

TEST_F(AneProbe, SelectorsThatAreGoneOrHaveOtherTypesAreNamed) {
  Findings findings = Probe("");
  EXPECT_EQ(findings.at("selectors").answer, "all as expected");
  const double asked = findings.at("selectors").numbers.at("asked");
  EXPECT_GT(asked, 55);
  EXPECT_EQ(findings.at("selectors").numbers.at("as_expected"), asked);

  ane_double_change_selector("_ANEClient", "beginRealTimeTask", false, nullptr);
  ane_double_change_selector("_ANEPerformanceStats", "hwExecutionTime", false, "@16@0:8");
  ane_double_change_selector("_ANESharedSignalEvent",
                             "signalEventWithValue:symbolIndex:eventType:sharedEvent:", true,
                             nullptr);
  ane_double_change_selector("_ANEIOSurfaceOutputSets", "objectWithstatsSurRef:outputBuffer:", true,
                             "@28@0:8i16@20");
  ane_double_change_selector("_ANEClient", "loadRealTimeModel:options:qos:error:", false, nullptr);
  ane_double_change_selector("_ANEClient",
                             "evaluateRealTimeWithModel:options:request:error:", false, nullptr);
  Restart();
  findings = Probe("realtime=yes, events=yes, chain=yes, rtload=yes");
  EXPECT_EQ(findings.at("selectors").numbers.at("as_expected"), asked - 6);
  EXPECT_THAT(
      findings.at("selectors").answer,
      AllOf(HasSubstr("-[_ANEClient beginRealTimeTask] is gone"),
            HasSubstr("-[_ANEPerformanceStats hwExecutionTime] has types \"@ \" instead of")));
  EXPECT_EQ(findings.at("realtime_task").answer, "no: the framework does not have it");
  EXPECT_THAT(findings.at("perf_stats").answer,
              StartsWith("unavailable: -[_ANEPerformanceStats hwExecutionTime] has types"));
  for (const std::string claim :
       {"shared_events", "native_chaining", "realtime_load", "realtime_evaluate"}) {
    EXPECT_THAT(findings.at(claim).answer, StartsWith("unavailable: ")) << claim;
  }
  EXPECT_THAT(findings.at("ways").answer, HasSubstr("in-memory real-time: the framework does not"));
}

TEST_F(AneProbe, WithoutEitherWayOfLoadingThereIsNoDevice) {
  ane_double_change_selector("_ANEInMemoryModel", "loadWithQoS:options:error:", false, nullptr);
  EXPECT_TRUE(MakeAneDevice(OnDouble()).ok()) << "the other way is there";
  ane_double_change_selector("_ANEClient", "sharedConnection", true, "i16@0:8");
  const absl::Status status = MakeAneDevice(OnDouble()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("-[_ANEInMemoryModel loadWithQoS:options:error:] is gone"),
                    HasSubstr("+[_ANEClient sharedConnection] has other types")));
}

TEST_F(AneProbe, WaysAreThoseOfTheSelfTest) {
  EXPECT_THAT(Answer("ways", ""),
              AllOf(StartsWith("in-memory: right; client: right"), HasSubstr("taken: in-memory ")));
  Restart("client=off");
  const Findings findings = Probe("");
  EXPECT_THAT(findings.at("ways").answer, HasSubstr("client: compile: com.apple"));
  EXPECT_GT(findings.at("ways").numbers.at("in-memory_model_us"), 0);
  EXPECT_FALSE(findings.at("ways").numbers.contains("client_model_us"));
}

TEST_F(AneProbe, WithoutInMemoryModelsMostIsUnknownAndSaysSo) {
  Restart("memory=off");
  const Findings findings = Probe("memory=off");
  EXPECT_THAT(findings.at("ways").answer, HasSubstr("taken: client"));
  EXPECT_THAT(findings.at("weight_reload").answer, StartsWith("failed: compile: com.apple"));
  EXPECT_THAT(findings.at("compile_budget").answer, StartsWith("0 at once (compile: com.apple"));
  EXPECT_THAT(findings.at("realtime_task").answer, StartsWith("no: the system says NO"));
}

// --- Function parameters ---

TEST_F(AneProbe, TheOrderOfInputsIsSeen) {
  const std::pair<const char*, const char*> orders[] = {
      {"declared", "as declared"},
      {"name", "by name"},
      {"size", "the smallest first"},
      {"reverse", "in an order of its own: a c b for b c a"}};
  for (const auto& [order, words] : orders) {
    EXPECT_EQ(Answer("function_parameters", absl::StrCat("order=", order)),
              absl::StrCat("right; the engine lists inputs ", words));
  }
  EXPECT_THAT(Answer("function_parameters", "evaluate=zeros"), StartsWith("wrong results"));
  EXPECT_THAT(Answer("function_parameters", "evaluate=error:8"),
              StartsWith("evaluate: com.apple.appleneuralengine/8"));
  EXPECT_THAT(Answer("function_parameters", "row=128"), StartsWith("right"));
}

TEST_F(AneProbe, WhoGoesByPlaceIsFoundOut) {
  EXPECT_EQ(Answer("input_binding", ""), "by symbol, whatever the order");
  EXPECT_THAT(Answer("input_binding", "binding=place"), StartsWith("by place: "));
  EXPECT_EQ(Answer("input_binding", "evaluate=zeros"), "failed: wrong results");
}

TEST_F(AneProbe, OutputsAreLookedAtEachByItsName) {
  EXPECT_EQ(Answer("output_order", "order=name"),
            "right; the engine lists what was declared as z y as y z");
  EXPECT_THAT(Answer("output_order", "order=declared"), EndsWith("as z y"));
  EXPECT_THAT(Answer("output_order", "evaluate=zeros"), StartsWith("wrong results"));
}

TEST_F(AneProbe, TheLeastSizeThatIsRightIsFound) {
  Findings findings = Probe("");
  EXPECT_EQ(findings.at("small_tensors").answer, "down to the smallest");
  EXPECT_EQ(findings.at("small_tensors").numbers.at("least_right_bytes"), 2);
  findings = Probe("least=100");
  EXPECT_THAT(findings.at("small_tensors").answer,
              AllOf(StartsWith("not from 32 bytes down: "), HasSubstr("0x1d")));
  EXPECT_EQ(findings.at("small_tensors").numbers.at("least_right_bytes"), 256);
  findings = Probe("evaluate=zeros");
  EXPECT_EQ(findings.at("small_tensors").answer, "not from 4096 bytes down: wrong results");
  EXPECT_THAT(findings.at("small_tensors").numbers, IsEmpty());
}

TEST_F(AneProbe, ConcatIsTriedOnlyWhenAskedFor) {
  EXPECT_EQ(Answer("concat", "limit=3", true), "yes");
  EXPECT_EQ(Answer("concat", "evaluate=zeros, limit=3", true), "no: wrong results");
  EXPECT_THAT(Answer("concat", "refuse=concat(, limit=3", true), StartsWith("no: compile: "));
  ane_double_reset();
  Restart();
  EXPECT_EQ(Probe("refuse=concat(").at("concat").evidence, Evidence::kAssumed);
}

// --- Weights and requests ---

TEST_F(AneProbe, WeightsThatAreReadAnewAreSeen) {
  Findings findings = Probe("");
  EXPECT_EQ(findings.at("weight_reload").answer, "ignored");
  for (const std::string number : {"compile_us", "load_us", "unload_us", "reload_us"}) {
    EXPECT_GT(findings.at("weight_reload").numbers.at(number), 0) << number;
  }
  EXPECT_EQ(Answer("weight_reload", "weights=reload"), "honoured");
}

TEST_F(AneProbe, AWeightsBufferThatCountsIsSeen) {
  EXPECT_EQ(Answer("weights_buffer", ""), "no effect");
  EXPECT_EQ(Answer("weights_buffer", "buffer=file"),
            "as the file: replaces the weights; as bare values: no effect");
  EXPECT_EQ(Answer("weights_buffer", "buffer=values"),
            "as the file: wrong results; as bare values: replaces the weights");
}

TEST_F(AneProbe, ProcedureIndicesAreCounted) {
  Findings findings = Probe("");
  EXPECT_THAT(
      findings.at("procedure_index").answer,
      AllOf(StartsWith("a program's only procedure runs as 0, not as 1 2 3 4"), HasSubstr("0x2")));
  EXPECT_EQ(findings.at("procedure_index").numbers.at("accepted"), 1);
  findings = Probe("procedures=16");
  EXPECT_EQ(findings.at("procedure_index").answer, "0 to 15 all run a program's only procedure");
  EXPECT_EQ(findings.at("procedure_index").numbers.at("accepted"), 16);
  EXPECT_THAT(Answer("procedure_index", "procedures=3"), HasSubstr("runs as 0 1 2, not as 3 4"));
}

TEST_F(AneProbe, ServiceClassesAreTriedAndTimed) {
  Findings findings = Probe("");
  EXPECT_THAT(findings.at("qos_sweep").answer, StartsWith("0 to 63 are all taken; "));
  for (const std::string qos : {"00", "09", "17", "21", "25", "33"}) {
    EXPECT_GT(findings.at("qos_sweep").numbers.at("qos_" + qos + "_us"), 0);
    EXPECT_GT(findings.at("qos_sweep").numbers.at("load_qos_" + qos + "_us"), 0);
  }
  findings = Probe("slow_qos=9");
  EXPECT_THAT(findings.at("qos_sweep").answer,
              ContainsRegex("; 9 takes [0-9.]+ times as long as "));
  EXPECT_GT(findings.at("qos_sweep").numbers.at("qos_09_us"), 5000);
  findings = Probe("refuse_qos=33");
  EXPECT_THAT(findings.at("qos_sweep").answer,
              StartsWith("not 33 (evaluate: com.apple.appleneuralengine/26"));
  EXPECT_FALSE(findings.at("qos_sweep").numbers.contains("qos_33_us"));
}

TEST_F(AneProbe, StatisticsAreBelievedOnlyIfTheyAreNotZero) {
  Findings findings = Probe("");
  EXPECT_EQ(findings.at("perf_stats").answer, "yes");
  EXPECT_DOUBLE_EQ(findings.at("perf_stats").numbers.at("hardware_us"), 12.345);
  EXPECT_EQ(Answer("perf_stats", "stats=zero"), "no: it stays 0, with perfStatsMask too");
  findings = Probe("stats=masked");
  EXPECT_EQ(findings.at("perf_stats").answer, "yes, with perfStatsMask");
  EXPECT_DOUBLE_EQ(findings.at("perf_stats").numbers.at("hardware_us"), 12.345);
  EXPECT_THAT(Answer("perf_stats", "stats=refused"),
              StartsWith("no: it stays 0; with perfStatsMask: load: com"));
  ane_double_change_selector("_ANEInMemoryModel", "setPerfStatsMask:", false, nullptr);
  Restart();
  EXPECT_EQ(Answer("perf_stats", "stats=masked"), "no: it stays 0, and there is no perfStatsMask");
}

// --- The connection ---

TEST_F(AneProbe, EventsCountOnlyWhenTheyAreSignalled) {
  EXPECT_THAT(Answer("shared_events", ""), StartsWith("no: evaluate: com.apple"));
  EXPECT_EQ(Answer("shared_events", "events=yes"), "yes");
  EXPECT_EQ(Answer("shared_events", "events=silent"),
            "no: the run succeeds, and nothing is signalled");
  EXPECT_THAT(Answer("shared_events", "events=raise"), HasSubstr("the framework raised"));
}

TEST_F(AneProbe, AWaitIsTriedOnlyWhenAskedFor) {
  EXPECT_EQ(Answer("shared_event_wait", "events=yes, limit=3", true),
            "yes, for one that has been signalled");
  EXPECT_THAT(Answer("shared_event_wait", "limit=3", true), StartsWith("no: evaluate: com.apple"));
}

TEST_F(AneProbe, AChainIsPrepared) {
  EXPECT_THAT(Answer("native_chaining", ""),
              StartsWith("no: prepare: com.apple.appleneuralengine/15"));
  EXPECT_EQ(Answer("native_chaining", "chain=yes"),
            "a chain can be prepared; whether it runs is not tried");
  EXPECT_THAT(Answer("native_chaining", "chain=error:2"), HasSubstr("engine/2"));
  EXPECT_EQ(Answer("native_chaining", "chain=invalid"),
            "no: the framework finds the chain invalid");
  EXPECT_EQ(Answer("native_chaining", "chain=nil"),
            "unavailable: the framework makes no chaining request");
  EXPECT_THAT(Answer("native_chaining", "chain=raise"),
              StartsWith("failed: native_chaining: the framework raised"));
}

TEST_F(AneProbe, TheRealTimeTaskIsThatOfTheStart) {
  EXPECT_THAT(Answer("realtime_task", ""), StartsWith("no: the system says NO"));
  Restart("realtime=yes, realtime_us=2000");
  Findings findings = Probe("");
  EXPECT_EQ(findings.at("realtime_task").answer, "yes, but it slows the engine");
  EXPECT_GT(findings.at("realtime_task").numbers.at("with_us"), 2000);
  EXPECT_GT(findings.at("realtime_task").numbers.at("with_us"),
            findings.at("realtime_task").numbers.at("without_us"));
  device_.reset();
  EXPECT_EQ(ane_double_counts().real_time_now, 0u);
  Restart("begin=raise");
  EXPECT_THAT(Answer("realtime_task", ""), HasSubstr("the framework raised"));
  ane_double_change_selector("_ANEClient", "endRealTimeTask", false, nullptr);
  Restart();
  EXPECT_EQ(Answer("realtime_task", "realtime=yes"), "no: the framework does not have it");
}

TEST_F(AneProbe, RealTimeLoadsAreTried) {
  EXPECT_THAT(Answer("realtime_load", ""), StartsWith("no: load: com.apple.appleneuralengine/2"));
  EXPECT_EQ(Answer("realtime_load", "rtload=yes"), "yes");
  EXPECT_THAT(Answer("realtime_load", "rtload=stuck"),
              StartsWith("yes, but it cannot be unloaded: unload: com"));
}

TEST_F(AneProbe, RealTimeEvaluationIsTimedAgainstThePlainOne) {
  EXPECT_THAT(Answer("realtime_evaluate", ""), EndsWith(", without the real-time task"));
  const Findings findings = Probe("plain_ms=2");
  const auto& numbers = findings.at("realtime_evaluate").numbers;
  EXPECT_GT(numbers.at("plain_median_us"), 2000);
  EXPECT_GT(numbers.at("plain_median_us"), numbers.at("real_time_median_us"));
  EXPECT_GE(numbers.at("plain_p99_us"), numbers.at("plain_median_us"));
  EXPECT_THAT(Answer("realtime_evaluate", "evaluate=zeros"), "no: wrong results");
}

// --- How many ---

TEST_F(AneProbe, TheBudgetIsFoundAndWhatItCounts) {
  Findings findings = Probe("");
  EXPECT_THAT(findings.at("compile_budget").answer, StartsWith("at least 16 at once; more"));
  EXPECT_EQ(findings.at("compile_budget").numbers.at("loaded_at_once"), 16);
  EXPECT_GT(findings.at("compile_budget").numbers.at("compile_us"), 0);

  findings = Probe("limit=5");
  EXPECT_THAT(findings.at("compile_budget").answer,
              AllOf(StartsWith("5 at once (load: com.apple.appleneuralengine/6"),
                    EndsWith("; one more once these are unloaded: loaded programs count")));
  EXPECT_EQ(findings.at("compile_budget").numbers.at("loaded_at_once"), 5);

  findings = Probe(absl::StrCat("compiles=", ane_double_counts().compiles + 20));
  EXPECT_THAT(findings.at("compile_budget").answer,
              AllOf(HasSubstr("(compile: "), HasSubstr("; none once these are unloaded either: ")));
  EXPECT_LT(findings.at("compile_budget").numbers.at("loaded_at_once"), 16);
}

TEST_F(AneProbe, AThoroughProbeGoesToTheEnd) {
  EXPECT_THAT(Answer("compile_budget", "", true), StartsWith("127 at once (load: "));
  EXPECT_EQ(ane_double_counts().loaded_now, 0u);
  EXPECT_EQ(Answer("compile_budget", "limit=200", true), "at least 140 at once");
}

}  // namespace
}  // namespace anex::device::apple
