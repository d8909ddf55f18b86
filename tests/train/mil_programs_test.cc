#include "client/examples/train/mil_programs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "client/examples/train/step_plan.h"
#include "server/mil/front_end.h"
#include "server/mil/program.h"

namespace anex::train {
namespace {

using ::testing::ElementsAre;

constexpr ModelShape kOdd{
    .dim = 12, .hidden = 20, .layers = 3, .heads = 2, .seq = 7, .batch = 3, .vocab = 11};

// Port name -> shape, of a program that the front end accepts.
std::map<std::string, Shape> Ports(Program program, const ModelShape& shape) {
  const ProgramSource source = MakeProgram(program, shape);
  const mil::FrontEndResult read = mil::Read(source);
  std::map<std::string, Shape> ports;
  EXPECT_NE(read.program, nullptr) << source.text << mil::ToStatus(read.diagnostics);
  if (read.program == nullptr) return ports;
  const mil::Function& function = read.program->functions.front();
  for (const auto* ids : {&function.inputs, &function.outputs}) {
    for (const mil::ValueId id : *ids) {
      ports[function.value(id).name] = function.value(id).type.tensor.shape;
    }
  }
  return ports;
}

class MilProgramsTest : public ::testing::TestWithParam<int> {
 protected:
  Program program() const { return static_cast<Program>(GetParam()); }
};

TEST_P(MilProgramsTest, AreAcceptedWithoutAWarning) {
  for (const ModelShape& shape : {kOdd, *PresetShape("demo"), *PresetShape("small")}) {
    const mil::FrontEndResult read = mil::Read(MakeProgram(program(), shape));
    EXPECT_NE(read.program, nullptr);
    for (const Diagnostic& diagnostic : read.diagnostics) ADD_FAILURE() << diagnostic.message;
  }
}

TEST_P(MilProgramsTest, AreTheSameTextForTheSameShape) {
  const ProgramSource one = MakeProgram(program(), kOdd), two = MakeProgram(program(), kOdd);
  EXPECT_EQ(one.text, two.text);
  ASSERT_EQ(one.weights.size(), two.weights.size());
  for (const auto& [path, bytes] : one.weights) EXPECT_EQ(*bytes, *two.weights.at(path));
}

INSTANTIATE_TEST_SUITE_P(All, MilProgramsTest, ::testing::Range(0, kPrograms));

TEST(MilProgramPortsTest, WeightsAreNativeAndActivationsChannelFirst) {
  const std::map<std::string, Shape> ports = Ports(Program::kFfnForward, kOdd);
  EXPECT_EQ(ports.at("xm"), (Shape{1, 12, 1, 21}));
  EXPECT_EQ(ports.at("w1"), (Shape{1, 20, 12}));
  EXPECT_EQ(ports.at("w2"), (Shape{1, 12, 20}));
  EXPECT_EQ(ports.at("norm2"), (Shape{1, 12, 1, 1}));
  EXPECT_EQ(ports.at("a"), (Shape{1, 20, 1, 21}));
  EXPECT_EQ(Ports(Program::kAttentionForward, kOdd).at("probs"), (Shape{3, 2, 7, 7}));
}

TEST(StepPlanTest, BindsEveryPortOfItsProgramOnceAndNoOther) {
  const StepPlan plan = MakeStepPlan(kOdd);
  for (const auto* pass : {&plan.forward, &plan.backward}) {
    for (const PlannedStep& step : *pass) {
      const std::map<std::string, Shape> ports = Ports(step.program, kOdd);
      std::set<std::string> bound;
      for (const PlannedBinding& binding : step.bindings) {
        EXPECT_TRUE(bound.insert(binding.port).second) << binding.port;
        EXPECT_TRUE(ports.contains(binding.port)) << binding.port;
      }
      EXPECT_EQ(bound.size(), ports.size());
    }
  }
}

TEST(StepPlanTest, ATensorHasOneShapeWhereverItIsBound) {
  const StepPlan plan = MakeStepPlan(kOdd);
  std::map<std::string, Shape> shapes;
  for (const auto* pass : {&plan.forward, &plan.backward}) {
    for (const PlannedStep& step : *pass) {
      const std::map<std::string, Shape> ports = Ports(step.program, kOdd);
      for (const PlannedBinding& binding : step.bindings) {
        const Shape& shape = ports.at(binding.port);
        EXPECT_EQ(shapes.try_emplace(binding.tensor, shape).first->second, shape) << binding.tensor;
      }
    }
  }
  const ParameterTable table(kOdd);
  for (const Parameter& parameter : table.all()) {
    EXPECT_EQ(shapes.at(parameter.name), *Shape::Make(parameter.dims)) << parameter.name;
    EXPECT_EQ(shapes.at("d." + parameter.name), *Shape::Make(parameter.dims)) << parameter.name;
  }
}

TEST(StepPlanTest, StepsReadOnlyWhatWasWrittenBefore) {
  const StepPlan plan = MakeStepPlan(kOdd);
  const ParameterTable table(kOdd);
  std::set<std::string> written{"x0", "dlogits"};
  for (const Parameter& parameter : table.all()) written.insert(parameter.name);
  for (const auto* pass : {&plan.forward, &plan.backward}) {
    for (const PlannedStep& step : *pass) {
      const mil::FrontEndResult read = mil::Read(MakeProgram(step.program, kOdd));
      ASSERT_NE(read.program, nullptr);
      std::set<std::string> inputs;
      const mil::Function& function = read.program->functions.front();
      for (const mil::ValueId id : function.inputs) inputs.insert(function.value(id).name);
      std::set<std::string> outputs;
      for (const PlannedBinding& binding : step.bindings) {
        if (inputs.contains(binding.port)) {
          EXPECT_TRUE(written.contains(binding.tensor)) << binding.tensor;
        } else {
          EXPECT_TRUE(outputs.insert(binding.tensor).second) << binding.tensor;
        }
      }
      for (const PlannedBinding& binding : step.bindings) {
        if (!inputs.contains(binding.port)) continue;
        EXPECT_FALSE(outputs.contains(binding.tensor)) << binding.tensor;
      }
      written.insert(outputs.begin(), outputs.end());
    }
  }
  for (const Parameter& parameter : table.all()) {
    EXPECT_TRUE(written.contains("d." + parameter.name)) << parameter.name;
  }
  EXPECT_TRUE(written.contains("g.x0"));
}

TEST(StepPlanTest, PassesHaveFourProgramsALayerAndTheClassifier) {
  const StepPlan plan = MakeStepPlan(kOdd);
  EXPECT_EQ(plan.forward.size(), 13u);
  EXPECT_EQ(plan.backward.size(), 13u);
}

TEST(ModelShapeTest, RefusesSizesThatDoNotFit) {
  EXPECT_TRUE(Validate(kOdd).ok());
  ModelShape shape = kOdd;
  shape.heads = 4;  // 3 channels a head: no pairs
  EXPECT_EQ(Validate(shape).code(), absl::StatusCode::kInvalidArgument);
  shape = kOdd;
  shape.hidden = 0;
  EXPECT_EQ(Validate(shape).code(), absl::StatusCode::kInvalidArgument);
  shape = kOdd;
  shape.seq = shape.batch = 30000;
  EXPECT_EQ(Validate(shape).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(PresetShape("huge").status().code(), absl::StatusCode::kNotFound);
}

TEST(ModelShapeTest, ParametersFillTheFlatArrayWithoutGap) {
  const ParameterTable table(kOdd);
  size_t next = 0;
  for (const Parameter& parameter : table.all()) {
    EXPECT_EQ(parameter.offset, next) << parameter.name;
    next += parameter.size;
  }
  EXPECT_EQ(next, table.total());
  EXPECT_EQ(table.total(), 11u * 12 + 3 * (4u * 12 * 12 + 3 * 12 * 20 + 24) + 12);
  EXPECT_EQ(table.Find("layer2.w1").dims, (std::vector<int64_t>{1, 20, 12}));
}

TEST(ModelShapeTest, SeedsDecideTheWeights) {
  EXPECT_EQ(InitialWeights(kOdd, 4), InitialWeights(kOdd, 4));
  EXPECT_NE(InitialWeights(kOdd, 4), InitialWeights(kOdd, 5));
}

}  // namespace
}  // namespace anex::train
