#include "server/device/device_list.h"

#include <gtest/gtest.h>

#include "server/device/null/null_device.h"

namespace anex::device {
namespace {

DeviceFactory Missing(const std::string& name, const std::string& why) {
  return {name, [why]() -> absl::StatusOr<std::unique_ptr<Device>> {
            return absl::UnavailableError(why);
          }};
}

TEST(DeviceListTest, TheFirstDeviceThatThisMachineHasIsTheDefault) {
  const auto list = DeviceList::Make({Missing("ane", "no ANE here"), null::NullDeviceFactory()});
  ASSERT_TRUE(list.ok());
  const auto device = list->MakeDevice("");
  ASSERT_TRUE(device.ok()) << device.status();
  EXPECT_EQ((*device)->capabilities().name, "null");
}

TEST(DeviceListTest, WithoutAnyDeviceTheAnswerSaysWhyForEach) {
  const auto list = DeviceList::Make({Missing("ane", "no ANE here"), Missing("gpu", "no driver")});
  const auto device = list->MakeDevice("");
  EXPECT_EQ(device.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(device.status().message(),
            "this machine has no device: ane: no ANE here; gpu: no driver");
}

TEST(DeviceListTest, ANamedDeviceIsNeverReplacedByAnother) {
  const auto list = DeviceList::Make({Missing("ane", "no ANE here"), null::NullDeviceFactory()});
  EXPECT_EQ(list->MakeDevice("ane").status().message(), "no ANE here");
  const absl::Status unknown = list->MakeDevice("npu").status();
  EXPECT_EQ(unknown.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(unknown.message(), "there is no device 'npu'; there are: ane, null");
}

TEST(DeviceListTest, NamesMustBeGivenAndDistinct) {
  const auto code = [](std::vector<DeviceFactory> factories) {
    return DeviceList::Make(std::move(factories)).status().code();
  };
  EXPECT_EQ(code({null::NullDeviceFactory(), null::NullDeviceFactory()}),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({Missing("", "x")}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({{"cpu", nullptr}}), absl::StatusCode::kInvalidArgument);
}

TEST(NullDeviceTest, EveryCallSaysThatItCannot) {
  const std::unique_ptr<Device> device = null::MakeNullDevice();
  EXPECT_EQ(device->Compile(nullptr, {}).status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(device->Load({}).status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(device->PreferredLayout(DType::kFp16, {3}).status().code(),
            absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace anex::device
