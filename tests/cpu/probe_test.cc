// What the cpu device says of itself when it is asked what a Neural Engine is asked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <thread>

#include "server/device/cpu/cpu_device.h"
#include "server/device/cpu/cpu_probe.h"
#include "tests/doubles/fault_device.h"

namespace anex::device::cpu {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::map<std::string, ProbeFinding> ByClaim(const ProbeLog& log) {
  std::map<std::string, ProbeFinding> findings;
  for (const ProbeFinding& finding : log.findings()) findings[finding.claim] = finding;
  return findings;
}

class CpuProbeTest : public ::testing::Test {
 protected:
  std::map<std::string, ProbeFinding> Probe() {
    ProbeLog log;
    const absl::Status probed = ProbeCpu(*device_, control_, log);
    EXPECT_TRUE(probed.ok()) << probed;
    return ByClaim(log);
  }

  const std::shared_ptr<Faults> faults_ = std::make_shared<Faults>();
  const std::unique_ptr<Device> device_ = MakeFaultDevice(MakeCpuDevice({.threads = 1}), faults_);
  CallControl control_;
};

TEST_F(CpuProbeTest, ImitatesAndNeverClaimsToHaveProbedAnEngine) {
  const auto findings = Probe();
  for (const auto& [claim, finding] : findings) {
    EXPECT_EQ(finding.evidence, Evidence::kEmulated) << claim;
    EXPECT_FALSE(finding.question.empty()) << claim;
    EXPECT_FALSE(finding.answer.empty()) << claim;
    EXPECT_THAT(finding.answer, ::testing::Not(HasSubstr("failed"))) << claim;
  }
  for (const std::string claim :
       {"function_parameters", "input_binding", "output_order", "small_tensors", "concat",
        "weight_reload", "weights_buffer", "procedure_index", "qos_sweep", "perf_stats",
        "shared_events", "shared_event_wait", "native_chaining", "realtime_task", "realtime_load",
        "realtime_evaluate", "compile_budget", "selectors"}) {
    EXPECT_TRUE(findings.contains(claim)) << claim;
  }
  EXPECT_EQ(findings.at("function_parameters").answer, "right");
  EXPECT_EQ(findings.at("input_binding").answer, "by name, whatever the order");
  EXPECT_EQ(findings.at("output_order").answer, "right");
  EXPECT_EQ(findings.at("small_tensors").answer, "every size");
  EXPECT_EQ(findings.at("small_tensors").numbers.at("least_right_bytes"), 2);
  EXPECT_EQ(findings.at("concat").answer, "right");
  EXPECT_THAT(findings.at("weight_reload").answer, StartsWith("ignored"));
  EXPECT_GT(findings.at("perf_stats").numbers.at("median_us"), 0);
  EXPECT_GT(findings.at("compile_budget").numbers.at("compile_and_load_us"), 0);
  EXPECT_EQ(faults_->executables_alive(), 0);
}

TEST_F(CpuProbeTest, WhatIsComputedIsLookedAt) {
  faults_->WrongAnswers(true);
  const auto findings = Probe();
  for (const std::string claim :
       {"function_parameters", "input_binding", "output_order", "small_tensors", "concat"}) {
    EXPECT_EQ(findings.at(claim).answer, "wrong results") << claim;
  }
}

TEST_F(CpuProbeTest, AQuestionThatFailsIsAFindingAndTheRestGoesOn) {
  faults_->FailRun(absl::InternalError("broken"));
  const auto findings = Probe();
  EXPECT_EQ(findings.at("function_parameters").answer, "failed: broken");
  EXPECT_EQ(findings.at("perf_stats").answer, "failed: broken");
  EXPECT_TRUE(findings.at("perf_stats").numbers.empty());
  EXPECT_EQ(findings.at("compile_budget").answer, "no bound found") << "it needs no run";
  EXPECT_EQ(faults_->executables_alive(), 0);
}

TEST_F(CpuProbeTest, StopsWhenItIsTold) {
  faults_->HangCompiles();
  ProbeLog log;
  absl::Status status;
  std::thread thread([&] { status = ProbeCpu(*device_, control_, log); });
  ASSERT_TRUE(faults_->WaitForCompileStarted());
  EXPECT_EQ(log.open()->claim, "function_parameters");
  control_.Stop();
  faults_->ReleaseCompiles();
  thread.join();
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
  EXPECT_EQ(faults_->executables_alive(), 0);
}

TEST_F(CpuProbeTest, CountsProgressWithEveryAnswer) {
  const size_t answers = Probe().size();
  EXPECT_GE(control_.progress(), answers);
}

}  // namespace
}  // namespace anex::device::cpu
