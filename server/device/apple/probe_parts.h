// What the probes share, and their list: one function for each question of probe_questions.h.
// Header for probe*.mm only. Each function is called with an autorelease pool, and where a
// framework's exception ends it.
#ifndef ANEX_SERVER_DEVICE_APPLE_PROBE_PARTS_H_
#define ANEX_SERVER_DEVICE_APPLE_PROBE_PARTS_H_

#include <initializer_list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#import "server/device/apple/engine_parts.h"
#import "server/device/apple/probe_rig.h"
#import "server/device/apple/self_test.h"
#include "server/device/call_control.h"

namespace anex::device::apple {

struct ProbeContext {
  const EngineParts& parts;
  const SelfTestResult& tested;
  const bool thorough;
  CallControl& control;
};

// What a probe answers; a Status is why it could not.
struct Answer {
  std::string answer;
  std::map<std::string, double> numbers;
};

inline std::string Words(const absl::Status& status) { return std::string(status.message()); }

// The framework has none of these as anexd knows it: "unavailable: -[X y] is gone". "" if it has
// them all.
struct Needed {
  const char* class_name;
  const char* selector;
};
std::string Lacks(const Framework& framework, std::initializer_list<Needed> needed);
// "-[X y] is gone", "-[X y] has types ... instead of ..."
std::string Describe(const SelectorCheck& check);

// A program of its own with weights, and the rig that it runs on.
struct WeightRig {
  uint32_t seed = 0;
  TestProgram test;
  std::unique_ptr<ProbeRig> rig;
};
absl::StatusOr<WeightRig> MakeWeightRig(const ProbeContext& context, unsigned stats_mask = 0);

// Sorts `values`, of which there is one at least.
double Median(std::vector<double>& values);
double Percentile99(std::vector<double>& values);

// probe.mm
absl::StatusOr<Answer> AnswerSelectors(std::span<const SelectorCheck> checks);
absl::StatusOr<Answer> ProbeSelectors(const ProbeContext& context);
absl::StatusOr<Answer> ProbeWays(const ProbeContext& context);
// probe_binding.mm
absl::StatusOr<Answer> ProbeFunctionParameters(const ProbeContext& context);
absl::StatusOr<Answer> ProbeInputBinding(const ProbeContext& context);
absl::StatusOr<Answer> ProbeOutputOrder(const ProbeContext& context);
absl::StatusOr<Answer> ProbeSmallTensors(const ProbeContext& context);
absl::StatusOr<Answer> ProbeConcat(const ProbeContext& context);
// probe_request.mm
absl::StatusOr<Answer> ProbeWeightReload(const ProbeContext& context);
absl::StatusOr<Answer> ProbeWeightsBuffer(const ProbeContext& context);
absl::StatusOr<Answer> ProbeProcedures(const ProbeContext& context);
absl::StatusOr<Answer> ProbeQos(const ProbeContext& context);
absl::StatusOr<Answer> ProbePerfStats(const ProbeContext& context);
// probe_client.mm
absl::StatusOr<Answer> ProbeSharedEvents(const ProbeContext& context);
absl::StatusOr<Answer> ProbeEventWait(const ProbeContext& context);
absl::StatusOr<Answer> ProbeChaining(const ProbeContext& context);
absl::StatusOr<Answer> ProbeRealTimeTask(const ProbeContext& context);
absl::StatusOr<Answer> ProbeRealTimeLoad(const ProbeContext& context);
absl::StatusOr<Answer> ProbeRealTimeEvaluate(const ProbeContext& context);
// probe_budget.mm
absl::StatusOr<Answer> ProbeCompileBudget(const ProbeContext& context);

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_PROBE_PARTS_H_
