#include "tests/doubles/fault_device.h"

#include <gtest/gtest.h>

#include <thread>

#include "absl/time/clock.h"
#include "tests/device/harness.h"
#include "tests/doubles/fake_device.h"

namespace anex::device {
namespace {

class FaultDeviceTest : public ::testing::Test {
 protected:
  static std::shared_ptr<const mil::Program> Double() {
    return ReadProgram(
        MainText("tensor<fp16, [3]> x", "tensor<fp16, [3]> y = add(x = x, y = x);", "y"));
  }
  static Tensor Input() { return MakeTensor(DType::kFp16, {3}, {1, 2, 4}); }

  std::shared_ptr<Faults> faults = std::make_shared<Faults>();
  std::unique_ptr<Device> device = MakeFaultDevice(MakeFakeDevice(), faults);
};

TEST_F(FaultDeviceTest, WithoutFaultsItIsTheDeviceInside) {
  Bound bound(*device, Double());
  EXPECT_EQ(ValuesOf(bound.Run({{"x", Input()}}).at("y")), (std::vector<double>{2, 4, 8}));
  EXPECT_EQ(device->capabilities().name, "fake");
}

TEST_F(FaultDeviceTest, EachCallCanFailAndRecover) {
  const absl::Status fault = absl::InternalError("injected");
  faults->FailCompile(fault);
  EXPECT_EQ(device->Compile(Double(), {}).status(), fault);
  faults->FailCompile(absl::OkStatus());
  const auto artifact = device->Compile(Double(), {});
  ASSERT_TRUE(artifact.ok());
  faults->FailLoad(fault);
  EXPECT_EQ(device->Load(*artifact).status(), fault);
  faults->FailLoad(absl::OkStatus());
  const auto executable = device->Load(*artifact);
  ASSERT_TRUE(executable.ok());
  const std::vector<BoundPort> memory = MemoryFor((*executable)->functions()[0]);
  faults->FailPrepare(fault);
  EXPECT_EQ((*executable)->Prepare(0, memory).status(), fault);
  faults->FailPrepare(absl::OkStatus());
  const auto request = (*executable)->Prepare(0, memory);
  ASSERT_TRUE(request.ok());
  faults->FailRun(fault);
  EXPECT_EQ((*request)->Run().status(), fault);
  faults->FailRun(absl::OkStatus());
  EXPECT_TRUE((*request)->Run().ok());
}

TEST_F(FaultDeviceTest, AHangingRunStaysInsideUntilReleased) {
  Bound bound(*device, Double());
  bound.Set("x", Input());
  faults->HangRuns();
  std::thread runner([&] { bound.Run(); });
  EXPECT_TRUE(faults->WaitForRunStarted());
  EXPECT_TRUE(faults->WaitForRunsInside(1));
  EXPECT_EQ(ValuesOf(bound.Get("y")), (std::vector<double>{0, 0, 0}));
  EXPECT_FALSE(faults->WaitForRunEnded(1, absl::Milliseconds(1)));
  faults->ReleaseRuns();
  EXPECT_TRUE(faults->WaitForRunEnded());
  runner.join();
  EXPECT_EQ(ValuesOf(bound.Get("y")), (std::vector<double>{2, 4, 8}));
}

TEST_F(FaultDeviceTest, WrongAnswersDifferFromRightOnes) {
  Bound bound(*device, Double());
  const Tensor right = bound.Run({{"x", Input()}}).at("y");
  faults->WrongAnswers(true);
  EXPECT_NE(bound.Run().at("y").bytes, right.bytes);
}

TEST_F(FaultDeviceTest, SlowCallsTakeTheirTime) {
  faults->SlowCompile(absl::Milliseconds(20));
  const absl::Time before = absl::Now();
  Bound bound(*device, Double());
  EXPECT_GE(absl::Now() - before, absl::Milliseconds(20));
  faults->SlowRun(absl::Milliseconds(20));
  const absl::Time between = absl::Now();
  bound.Run();
  EXPECT_GE(absl::Now() - between, absl::Milliseconds(20));
}

TEST_F(FaultDeviceTest, AFreshDeviceFromTheFactoryObeysTheSameFaults) {
  const DeviceFactory factory = FaultDeviceFactory(FakeDeviceFactory(), faults);
  EXPECT_EQ(factory.name, "fake");
  EXPECT_TRUE(factory.make().ok());
  faults->FailMake(absl::UnavailableError("gone"));
  EXPECT_EQ(factory.make().status(), absl::UnavailableError("gone"));
  EXPECT_EQ(faults->devices_made(), 2);
}

TEST_F(FaultDeviceTest, CountsExecutablesThatAreAlive) {
  {
    Bound bound(*device, Double());
    EXPECT_EQ(faults->executables_alive(), 1);
  }
  EXPECT_EQ(faults->executables_alive(), 0);
}

}  // namespace
}  // namespace anex::device
