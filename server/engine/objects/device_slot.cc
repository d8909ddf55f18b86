#include "server/engine/objects/device_slot.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace anex::engine {

absl::StatusOr<std::shared_ptr<DeviceSlot>> DeviceSlot::Start(device::DeviceFactory factory) {
  absl::StatusOr<std::unique_ptr<device::Device>> first = factory.make();
  if (!first.ok()) return first.status();
  return std::shared_ptr<DeviceSlot>(new DeviceSlot(std::move(factory), *std::move(first)));
}

DeviceSlot::DeviceSlot(device::DeviceFactory factory, std::shared_ptr<device::Device> first)
    : factory_(std::move(factory)),
      name_(factory_.name),
      capabilities_(first->capabilities()),
      device_(std::move(first)) {}

absl::StatusOr<DeviceInstance> DeviceSlot::Current() const {
  absl::MutexLock lock(&mutex_);
  if (!device_) return absl::UnavailableError(reason_);
  return DeviceInstance{device_, epoch_.load(std::memory_order_relaxed)};
}

// The epoch passes before the fresh instance is there, so nothing of the old one is used meanwhile,
// nor ever again if no fresh one can be made.
absl::Status DeviceSlot::Replace(std::string_view reason) {
  std::shared_ptr<device::Device> old;
  {
    absl::MutexLock lock(&mutex_);
    old = std::move(device_);
    device_.reset();
    health_ = Health::kUnavailable;
    reason_ = std::string(reason);
    epoch_.fetch_add(1, std::memory_order_release);
  }
  old.reset();
  absl::StatusOr<std::unique_ptr<device::Device>> fresh = factory_.make();
  absl::MutexLock lock(&mutex_);
  if (!fresh.ok()) {
    reason_ = absl::StrCat(std::string(reason),
                           "; a fresh connection failed: ", std::string(fresh.status().message()));
    return absl::UnavailableError(reason_);
  }
  device_ = *std::move(fresh);
  health_ = Health::kDegraded;
  return absl::OkStatus();
}

Health DeviceSlot::health(std::string* reason) const {
  absl::MutexLock lock(&mutex_);
  if (reason != nullptr) *reason = reason_;
  return health_;
}

}  // namespace anex::engine
