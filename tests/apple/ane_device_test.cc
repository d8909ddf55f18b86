// The Apple device on a fake engine that computes: what it asks the framework for, and when.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "proto/shm/iosurface_region.h"
#include "tests/apple/double_rig.h"
#include "tests/device/harness.h"

namespace anex::device::apple {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<const mil::Program> Plus(int value) {
  return ReadProgram(MainText(
      "tensor<fp16, [2, 3]> x",
      "tensor<fp16, [2, 3]> y = add(x = x, y = fp16(" + std::to_string(value) + "));", "y"));
}

std::shared_ptr<Executable> LoadOn(Device& device, std::shared_ptr<const mil::Program> program,
                                   const DeviceOptions& options = {}) {
  const auto artifact = device.Compile(std::move(program), options);
  EXPECT_TRUE(artifact.ok()) << artifact.status();
  if (!artifact.ok()) return nullptr;
  auto executable = device.Load(*artifact);
  EXPECT_TRUE(executable.ok()) << executable.status();
  return executable.ok() ? *executable : nullptr;
}

Tensor Six() { return MakeTensor(DType::kFp16, {2, 3}, {1, 2, 3, 4, 5, 6}); }

TEST_F(AneDouble, SaysWhatItIsAndHowItWasTried) {
  const auto device = Make();
  const Capabilities& capabilities = device->capabilities();
  EXPECT_THAT(capabilities.description, HasSubstr("h16g"));
  EXPECT_THAT(capabilities.compiler_version, HasSubstr("double-1"));
  EXPECT_EQ(capabilities.claims.at("load_way"), "in-memory");
  EXPECT_EQ(capabilities.claims.at("self_test_in-memory"), "passed");
  EXPECT_EQ(capabilities.claims.at("self_test_client"), "passed");
  EXPECT_THAT(capabilities.claims.at("self_test_in-memory_process"), HasSubstr(" us"));
  EXPECT_EQ(capabilities.claims.at("self_test_client_process"), "the framework does not have it");
}

TEST_F(AneDouble, AProgramTheSystemKnowsIsLoadedWithoutACompile) {
  const auto device = Make();
  const uint64_t before = ane_double_counts().compiles;
  ASSERT_NE(LoadOn(*device, Plus(1)), nullptr);
  EXPECT_EQ(ane_double_counts().compiles, before + 1);
  ASSERT_NE(LoadOn(*device, Plus(1)), nullptr);
  EXPECT_EQ(ane_double_counts().compiles, before + 1);
}

TEST_F(AneDouble, ARequestIsBuiltAndMappedOnce) {
  const auto device = Make();
  Bound bound(*device, Plus(1));
  bound.Run({{"x", Six()}});
  const AneDoubleCounts before = ane_double_counts();
  for (int i = 0; i < 100; ++i) bound.Run();
  const AneDoubleCounts after = ane_double_counts();
  EXPECT_EQ(after.maps, before.maps);
  EXPECT_EQ(after.requests_now, before.requests_now);
  EXPECT_EQ(after.evaluates, before.evaluates + 100);
}

TEST_F(AneDouble, EightPlacesServeTwentyFourPrograms) {
  // The engine itself refuses a ninth.
  ane_double_faults("limit=8");
  AneOptions options = OnDouble();
  options.loaded_programs = 8;
  const auto device = Make(options);
  std::vector<std::unique_ptr<Bound>> kernels;
  for (int i = 0; i < 24; ++i) kernels.push_back(std::make_unique<Bound>(*device, Plus(i)));
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 24; ++i) {
      const std::vector<double> y = ValuesOf(kernels[i]->Run({{"x", Six()}}).at("y"));
      EXPECT_EQ(y, (std::vector<double>{1.0 + i, 2.0 + i, 3.0 + i, 4.0 + i, 5.0 + i, 6.0 + i}));
      EXPECT_LE(ane_double_counts().loaded_now, 8u);
    }
  }
}

TEST_F(AneDouble, SurfacesOfItsKindAreUsedInPlace) {
  const auto device = Make();
  const auto executable = LoadOn(*device, Plus(2));
  std::vector<BoundPort> ports;
  for (uint32_t i = 0; i < 2; ++i) {
    const TensorLayout& layout = executable->functions()[0].ports[i].layout;
    ports.push_back({i, *shm::CreateIosurfaceRegion(layout.allocation_bytes, "test"), layout});
  }
  auto request = executable->Prepare(0, ports);
  ASSERT_TRUE(request.ok()) << request.status();
  const uint16_t one = 0x3c00, three = 0x4200;
  std::memcpy(ports[0].region->data(), &one, 2);
  ASSERT_TRUE((*request)->Run().ok());
  EXPECT_EQ(std::memcmp(ports[1].region->data(), &three, 2), 0);
}

TEST_F(AneDouble, TheFirstRunIsCheckedWhereThatIsAskedFor) {
  const auto device = Make();
  Bound good(*device, Plus(1), {{"check", "first-run"}});
  EXPECT_EQ(ValuesOf(good.Run({{"x", Six()}}).at("y"))[5], 7);
  const auto executable = LoadOn(*device, Plus(3), {{"check", "first-run"}});
  Bound bound(executable, "main");
  bound.Set("x", Six());
  ane_double_faults("evaluate=zeros");
  const absl::Status wrong = bound.request().Run().status();
  EXPECT_EQ(wrong.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(wrong.message()), HasSubstr("output 'y' wrongly: element [0, 0] is 0"));
  // Until a run was right every run is looked at.
  EXPECT_EQ(bound.request().Run().status().code(), absl::StatusCode::kDataLoss);
  ane_double_faults("");
  EXPECT_TRUE(bound.request().Run().ok());
  ane_double_faults("evaluate=zeros");
  EXPECT_TRUE(bound.request().Run().ok());
}

// The reference may take minutes where the engine takes microseconds: whoever watches for progress
// sees some, and whoever stops the run stops it.
TEST_F(AneDouble, ACheckedRunMakesProgressWithItsReference) {
  const auto device = Make();
  const auto executable = LoadOn(*device, Plus(5), {{"check", "first-run"}});
  Bound bound(executable, "main");
  bound.Set("x", Six());
  CallControl checked, unchecked;
  ASSERT_TRUE(bound.request().Run(checked).ok());
  ASSERT_TRUE(bound.request().Run(unchecked).ok());
  EXPECT_GT(checked.progress(), unchecked.progress());
}

// y = x + what x was so far.
std::shared_ptr<const mil::Program> Sum() {
  return ReadProgram(MainText("tensor<fp16, [2, 3]> x, state<tensor<fp16, [2, 3]>> total",
                              "tensor<fp16, [2, 3]> old = read_state(input = total);"
                              "tensor<fp16, [2, 3]> y = add(x = old, y = x);"
                              "write_state(data = y, input = total);",
                              "y"));
}

TEST_F(AneDouble, AStateIsWhereItIsBoundBetweenRuns) {
  const auto device = Make();
  Bound bound(*device, Sum());
  for (const double times : {1, 2, 3}) {
    EXPECT_EQ(ValuesOf(bound.Run({{"x", Six()}}).at("y"))[5], 6 * times);
    EXPECT_EQ(ValuesOf(bound.Get("total"))[5], 6 * times);
  }
  bound.Set("total", MakeTensor(DType::kFp16, {2, 3}, {-1, -2, -3, -4, -5, -7}));
  EXPECT_EQ(ValuesOf(bound.Run().at("y")), (std::vector<double>{0, 0, 0, 0, 0, -1}));
}

TEST_F(AneDouble, ARunThatFailsChangesNoState) {
  const auto device = Make();
  Bound bound(*device, Sum());
  bound.Run({{"x", Six()}});
  for (const char* fault : {"evaluate=error:8*1", "evaluate=raise*1", "evaluate=no*1"}) {
    ane_double_faults(fault);
    EXPECT_FALSE(bound.request().Run().ok()) << fault;
    EXPECT_EQ(ValuesOf(bound.Get("total"))[5], 6) << fault;
  }
  ane_double_faults("");
  EXPECT_EQ(ValuesOf(bound.Run().at("y"))[5], 12);
}

TEST_F(AneDouble, AFirstRunThatIsWrongChangesNoState) {
  const auto device = Make();
  Bound bound(LoadOn(*device, Sum(), {{"check", "first-run"}}), "main");
  bound.Set("x", Six());
  bound.Set("total", Six());
  ane_double_faults("evaluate=zeros");
  const absl::Status wrong = bound.request().Run().status();
  EXPECT_EQ(wrong.code(), absl::StatusCode::kDataLoss) << wrong;
  EXPECT_EQ(ValuesOf(bound.Get("total"))[5], 6);
  ane_double_faults("");
  EXPECT_EQ(ValuesOf(bound.Run().at("y"))[5], 12);
  EXPECT_EQ(ValuesOf(bound.Run().at("y"))[5], 18);
}

TEST_F(AneDouble, TheRealTimeTaskIsAskedForAndItsAnswerTold) {
  EXPECT_THAT(Make()->capabilities().claims.at("realtime_task"), HasSubstr("NO"));
  ane_double_faults("realtime=yes");
  {
    const auto device = Make();
    EXPECT_EQ(device->capabilities().claims.at("realtime_task"), "YES");
    EXPECT_THAT(device->capabilities().claims.at("realtime_task_timed"), HasSubstr(" us with it"));
    EXPECT_GT(ane_double_counts().real_time_tasks, 0u);
    EXPECT_LE(ane_double_counts().real_time_now, 1u);
  }
  EXPECT_EQ(ane_double_counts().real_time_now, 0u) << "what was begun has ended";
  ane_double_faults("begin=raise");
  EXPECT_THAT(Make()->capabilities().claims.at("realtime_task"), HasSubstr("raised"));
}

TEST_F(AneDouble, ARealTimeTaskThatSlowsTheEngineIsNotKept) {
  ane_double_faults("realtime=yes, realtime_us=2000");
  const auto device = Make();
  EXPECT_THAT(device->capabilities().claims.at("realtime_task_timed"), HasSubstr("not kept"));
  EXPECT_EQ(ane_double_counts().real_time_now, 0u);
}

TEST_F(AneDouble, NewSurfacesHaveTheRowsOfTheChip) {
  EXPECT_EQ(Make()->PreferredLayout(DType::kFp16, {3, 5})->strides[0], 64);
  ane_double_reset();  // what has been compiled has the rows of its time
  ane_double_faults("row=256");
  const auto wide = Make();
  EXPECT_EQ(wide->PreferredLayout(DType::kFp16, {3, 5})->strides[0], 256);
  EXPECT_EQ(wide->capabilities().claims.at("row_alignment"), "256 bytes");
  ane_double_reset();
  // 100 is no alignment.
  ane_double_faults("row=100");
  EXPECT_EQ(Make()->PreferredLayout(DType::kFp16, {3, 5})->strides[0], 64);
}

TEST_F(AneDouble, OptionsThatItDoesNotHaveAreNamed) {
  const auto device = Make();
  EXPECT_THAT(std::string(device->Compile(Plus(1), {{"numerics", "x"}}).status().message()),
              HasSubstr("\"check\""));
  EXPECT_THAT(std::string(device->Compile(Plus(1), {{"check", "x"}}).status().message()),
              HasSubstr("\"first-run\" or \"off\""));
}

TEST_F(AneDouble, PortsThatTheEngineLacksAreNamedBeforeACompile) {
  const auto device = Make();
  const uint64_t before = ane_double_counts().compiles;
  const auto program =
      ReadProgram(MainText("tensor<bf16, [2]> x", "tensor<bf16, [2]> y = relu(x = x);", "y"));
  if (program == nullptr) GTEST_SKIP() << "the front end takes no bf16 here";
  EXPECT_EQ(device->Compile(program, {}).status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(device->FindLacking(*program).size(), 2u);
  EXPECT_EQ(ane_double_counts().compiles, before);
}

TEST_F(AneDouble, LoadingAndGoingAThousandTimesLeavesNothing) {
  const auto device = Make();
  const auto artifact = device->Compile(Plus(1), {});
  ASSERT_TRUE(artifact.ok());
  const AneDoubleCounts before = ane_double_counts();
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(device->Load(*artifact).ok());
  const AneDoubleCounts after = ane_double_counts();
  EXPECT_EQ(after.loaded_now, before.loaded_now);
  EXPECT_EQ(after.models_now, before.models_now);
  EXPECT_EQ(after.requests_now, before.requests_now);
  EXPECT_EQ(after.loads - before.loads, 1000u);
  EXPECT_EQ(after.unloads - before.unloads, 1000u);
}

}  // namespace
}  // namespace anex::device::apple
