// What a client sees of each thing that the framework may do wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "server/device/apple/ane_errors.h"
#include "tests/apple/double_rig.h"
#include "tests/device/harness.h"

namespace anex::device::apple {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<const mil::Program> Double() {
  return ReadProgram(
      MainText("tensor<fp16, [4]> x", "tensor<fp16, [4]> y = add(x = x, y = x);", "y"));
}
Tensor Four() { return MakeTensor(DType::kFp16, {4}, {1, 2, 3, 4}); }

// Where a fault is put in: at the start of a device, a compile, a load, a run.
absl::Status StartWith(const std::string& faults) {
  ane_double_reset();
  ane_double_faults(faults.c_str());
  return MakeAneDevice(OnDouble()).status();
}

class AneFaults : public AneDouble {
 protected:
  AneFaults() : device_(Make()) {}

  absl::Status CompileWith(const std::string& faults) {
    ane_double_faults(faults.c_str());
    return device_->Compile(Double(), {}).status();
  }
  absl::Status LoadWith(const std::string& faults) {
    ane_double_faults("");
    const auto artifact = device_->Compile(Double(), {});
    EXPECT_TRUE(artifact.ok()) << artifact.status();
    ane_double_faults(faults.c_str());
    return device_->Load(*artifact).status();
  }
  absl::Status RunWith(const std::string& faults) {
    ane_double_faults("");
    Bound bound(*device_, Double());
    bound.Run({{"x", Four()}});
    ane_double_faults(faults.c_str());
    const absl::Status status = bound.request().Run().status();
    ane_double_faults("");
    return status;
  }

  const std::unique_ptr<Device> device_;
};

// --- The start of a device ---

TEST_F(AneDouble, NoLibraryNoDevice) {
  AneOptions options = OnDouble();
  options.framework_path = "/no/such/framework";
  EXPECT_TRUE(absl::IsUnavailable(MakeAneDevice(options).status()));
}

TEST_F(AneDouble, NoEngineNoDevice) {
  EXPECT_THAT(std::string(StartWith("ane=no").message()), HasSubstr("no Neural Engine"));
  EXPECT_THAT(std::string(StartWith("ane=virtual").message()), HasSubstr("virtual machine"));
}

TEST_F(AneDouble, AWrongAnswerAtTheStartIsNoDevice) {
  for (const std::string fault :
       {"evaluate=zeros", "evaluate=swap", "evaluate=raise", "compile=raise", "load=error:6",
        "descriptor=nil, model=nil", "request=nil", "map=error:13"}) {
    const absl::Status status = StartWith(fault);
    EXPECT_TRUE(absl::IsUnavailable(status)) << fault << ": " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("self-test")) << fault;
  }
}

TEST_F(AneDouble, OneWayOfLoadingIsEnough) {
  ane_double_faults("memory=off");
  const auto device = Make();
  EXPECT_EQ(device->capabilities().claims.at("load_way"), "client");
  Bound bound(*device, Double());
  EXPECT_EQ(ValuesOf(bound.Run({{"x", Four()}}).at("y")), (std::vector<double>{2, 4, 6, 8}));
}

// --- Compile ---

TEST_F(AneFaults, ARefusedProgramIsInvalidAndNotTriedAgain) {
  const absl::Status refused = CompileWith("compile=compiler");
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("ANECCompile() FAILED"));
  const uint64_t tries = ane_double_counts().compiles;
  EXPECT_EQ(CompileWith(""), refused);
  EXPECT_EQ(ane_double_counts().compiles, tries);
}

TEST_F(AneFaults, ACompilerThatRaisesIsAnErrorAndNotTheEnd) {
  const absl::Status status = CompileWith("compile=raise*1");
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("NSInvalidArgumentException"));
  EXPECT_TRUE(CompileWith("").ok());
}

TEST_F(AneFaults, NothingInsteadOfAnObjectIsSaid) {
  for (const std::string fault : {"descriptor=nil", "model=nil"}) {
    EXPECT_EQ(CompileWith(fault).code(), absl::StatusCode::kInvalidArgument) << fault;
  }
  EXPECT_EQ(CompileWith("descriptor=raise").code(), absl::StatusCode::kInternal);
}

// --- Load ---

TEST_F(AneFaults, ALoadThatFailsOnceIsTriedAgain) {
  EXPECT_TRUE(LoadWith("load=error:6*1").ok());
  EXPECT_TRUE(LoadWith("load=no*1").ok());
}

TEST_F(AneFaults, AStaleCompiledCopyIsMadeAgainOnce) {
  const uint64_t before = ane_double_counts().compiles;
  EXPECT_TRUE(LoadWith("load=error:17*2").ok());
  EXPECT_EQ(ane_double_counts().purges, 1u);
  EXPECT_EQ(ane_double_counts().compiles - before, 2u);
}

TEST_F(AneFaults, ALoadThatKeepsFailingSaysApplesReason) {
  const absl::Status status = LoadWith("load=error:6");
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("com.apple.appleneuralengine/6"));
}

// --- Run: every code that is known, and what has none ---

TEST_F(AneFaults, EveryCodeOfAnEvaluationReachesTheClientAsItsStatus) {
  for (const AneErrorCode& known : AneErrorCodes()) {
    const absl::Status status = RunWith(absl::StrCat("evaluate=error:", known.code));
    EXPECT_EQ(status.code(), known.status) << known.code;
    EXPECT_THAT(std::string(status.message()), HasSubstr(absl::StrCat("/", known.code, ": ")));
    EXPECT_TRUE(RunWith("").ok()) << "the next run after code " << known.code;
  }
}

TEST_F(AneFaults, NoWithoutAReasonIsSaidToBeThat) {
  const absl::Status status = RunWith("evaluate=no");
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("without a reason"));
}

TEST_F(AneFaults, AnExceptionIsAnErrorOfThatRunOnly) {
  EXPECT_EQ(RunWith("evaluate=raise*1").code(), absl::StatusCode::kInternal);
  EXPECT_TRUE(RunWith("").ok());
}

TEST_F(AneFaults, AProgramThatTheEngineHasLostIsLoadedAgain) {
  const uint64_t loads = ane_double_counts().loads;
  EXPECT_TRUE(RunWith("evaluate=lost*1").ok());
  EXPECT_EQ(ane_double_counts().loads - loads, 2u);
  EXPECT_TRUE(absl::IsNotFound(RunWith("evaluate=lost")));  // it is not tried for ever
}

TEST_F(AneFaults, SurfacesThatCannotBeMappedAreAnErrorOfTheFirstRun) {
  Bound bound(*device_, Double());
  bound.Set("x", Four());
  ane_double_faults("map=error:13*1");
  EXPECT_THAT(std::string(bound.request().Run().status().message()),
              HasSubstr("com.apple.appleneuralengine/13"));
  EXPECT_TRUE(bound.request().Run().ok());
}

TEST_F(AneFaults, ARequestThatCannotBeMadeIsRefusedWhenItIsPrepared) {
  ane_double_faults("");
  const auto executable = *device_->Load(*device_->Compile(Double(), {}));
  const std::vector<BoundPort> ports = MemoryFor(executable->functions()[0]);
  ane_double_faults("request=nil");
  EXPECT_EQ(executable->Prepare(0, ports).status().code(), absl::StatusCode::kInternal);
  ane_double_faults("request=raise");
  EXPECT_EQ(executable->Prepare(0, ports).status().code(), absl::StatusCode::kInternal);
  ane_double_faults("");
  EXPECT_TRUE(executable->Prepare(0, ports).ok());
}

TEST_F(AneFaults, AHungEvaluationHoldsNothingThatOthersNeed) {
  Bound hangs(*device_, Double()), runs(*device_, Double());
  hangs.Set("x", Four());
  runs.Run({{"x", Four()}});
  ane_double_faults("evaluate=hang*1");
  const uint64_t evaluates = ane_double_counts().evaluates;
  std::thread stuck([&] { EXPECT_TRUE(hangs.request().Run().ok()); });
  while (ane_double_counts().evaluates == evaluates) std::this_thread::yield();
  // While it hangs: another program compiles, loads, is prepared and runs, here and on a new
  // device.
  Bound here(*device_, ReadProgram(MainText("tensor<fp16, [4]> x",
                                            "tensor<fp16, [4]> y = relu(x = x);", "y")));
  EXPECT_TRUE(here.ok());
  EXPECT_EQ(ValuesOf(here.Run({{"x", Four()}}).at("y"))[3], 4);
  const auto fresh = Make();
  Bound there(*fresh, Double());
  EXPECT_EQ(ValuesOf(there.Run({{"x", Four()}}).at("y"))[3], 8);
  ane_double_release();
  stuck.join();
}

}  // namespace
}  // namespace anex::device::apple
