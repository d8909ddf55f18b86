#include "tests/doubles/fake_device.h"

#include <gtest/gtest.h>

#include "tests/device/harness.h"

namespace anex::device {
namespace {

std::shared_ptr<const mil::Program> Subtract() {
  return ReadProgram(MainText("tensor<fp16, [2, 3]> a, tensor<fp16, [2, 3]> b",
                              "tensor<fp16, [2, 3]> y = sub(x = a, y = b);", "y"));
}

TEST(FakeDeviceTest, ComputesThroughPaddedRows) {
  const std::unique_ptr<Device> device = MakeFakeDevice();
  Bound bound(*device, Subtract());
  ASSERT_TRUE(bound.ok());
  EXPECT_FALSE(IsPacked(bound.info().ports[0].layout));
  const Tensors out = bound.Run({{"a", MakeTensor(DType::kFp16, {2, 3}, {10, 20, 30, 40, 50, 60})},
                                 {"b", MakeTensor(DType::kFp16, {2, 3}, {1, 2, 3, 4, 5, 6})}});
  EXPECT_EQ(ValuesOf(out.at("y")), (std::vector<double>{9, 18, 27, 36, 45, 54}));
}

TEST(FakeDeviceTest, RecordsWhatItWasAskedFor) {
  FakeConfig config;
  {
    const std::unique_ptr<Device> device = MakeFakeDevice(config);
    Bound bound(*device, Subtract());
    bound.Run();
    bound.Run();
    EXPECT_EQ(config.record->unloads, 0);
  }
  EXPECT_EQ(config.record->compiles, 1);
  EXPECT_EQ(config.record->loads, 1);
  EXPECT_EQ(config.record->prepares, 1);
  EXPECT_EQ(config.record->runs, 2);
  EXPECT_EQ(config.record->most_running, 1);
  EXPECT_EQ(config.record->unloads, 1);
}

TEST(FakeDeviceTest, WithoutComputingItLeavesOutputsAlone) {
  const std::unique_ptr<Device> device = MakeFakeDevice({.compute = false});
  Bound bound(*device, Subtract());
  const Tensor before = NoiseTensor(DType::kFp16, {2, 3}, 7);
  bound.Set("y", before);
  EXPECT_EQ(bound.Run().at("y").bytes, before.bytes);
}

}  // namespace
}  // namespace anex::device
