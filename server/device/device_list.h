// The devices that this build knows, in order of preference. Nothing registers itself: whoever
// starts the daemon writes the list down.
//
// Threads: immutable after construction; Make may be called from any thread, again after a hang.
// Invariant: names are distinct and not empty.
#ifndef ANEX_SERVER_DEVICE_DEVICE_LIST_H_
#define ANEX_SERVER_DEVICE_DEVICE_LIST_H_

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "server/device/device.h"

namespace anex::device {

class DeviceList {
 public:
  // INVALID_ARGUMENT for an empty or repeated name, or a factory that makes nothing.
  static absl::StatusOr<DeviceList> Make(std::vector<DeviceFactory> factories);

  std::span<const DeviceFactory> factories() const { return factories_; }
  // Null if no device is called that.
  const DeviceFactory* Find(std::string_view name) const;
  // Makes the named device; "" is the first of the list that this machine has. NOT_FOUND names the
  // devices there are; UNAVAILABLE says why this machine has none.
  absl::StatusOr<std::unique_ptr<Device>> MakeDevice(std::string_view name) const;

 private:
  explicit DeviceList(std::vector<DeviceFactory> factories) : factories_(std::move(factories)) {}

  absl::StatusOr<std::unique_ptr<Device>> MakeDefault() const;

  std::vector<DeviceFactory> factories_;
};

}  // namespace anex::device

#endif  // ANEX_SERVER_DEVICE_DEVICE_LIST_H_
