#include "server/device/device_list.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace anex::device {

absl::StatusOr<DeviceList> DeviceList::Make(std::vector<DeviceFactory> factories) {
  for (size_t i = 0; i < factories.size(); ++i) {
    const DeviceFactory& factory = factories[i];
    if (factory.name.empty()) return absl::InvalidArgumentError("a device has no name");
    if (!factory.make) {
      return absl::InvalidArgumentError(absl::StrCat("device '", factory.name, "' has no factory"));
    }
    for (size_t j = 0; j < i; ++j) {
      if (factories[j].name == factory.name) {
        return absl::InvalidArgumentError(
            absl::StrCat("two devices are called '", factory.name, "'"));
      }
    }
  }
  return DeviceList(std::move(factories));
}

const DeviceFactory* DeviceList::Find(std::string_view name) const {
  for (const DeviceFactory& factory : factories_) {
    if (factory.name == name) return &factory;
  }
  return nullptr;
}

absl::StatusOr<std::unique_ptr<Device>> DeviceList::MakeDevice(std::string_view name) const {
  if (name.empty()) return MakeDefault();
  if (const DeviceFactory* factory = Find(name)) return factory->make();
  const auto append_name = [](std::string* out, const DeviceFactory& factory) {
    out->append(factory.name);
  };
  return absl::NotFoundError(
      absl::StrCat("there is no device '", std::string(name),
                   "'; there are: ", absl::StrJoin(factories_, ", ", append_name)));
}

absl::StatusOr<std::unique_ptr<Device>> DeviceList::MakeDefault() const {
  std::string reasons;
  for (const DeviceFactory& factory : factories_) {
    absl::StatusOr<std::unique_ptr<Device>> device = factory.make();
    if (device.ok()) return device;
    absl::StrAppend(&reasons, reasons.empty() ? "" : "; ", factory.name, ": ",
                    device.status().message());
  }
  return absl::UnavailableError(
      absl::StrCat("this machine has no device", reasons.empty() ? "" : ": ", reasons));
}

}  // namespace anex::device
