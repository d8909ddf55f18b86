// The place of one device in the engine: its current instance and its epoch. After a hang the
// watchdog puts a fresh instance in; whoever still runs on the old one keeps that alive by
// shared_ptr.
//
// Threads: any. Invariant: the epoch grows by one with every instance and never comes back; epoch()
// of the slot changes only after Current() gives the new instance.
#ifndef ANEX_SERVER_ENGINE_OBJECTS_DEVICE_SLOT_H_
#define ANEX_SERVER_ENGINE_OBJECTS_DEVICE_SLOT_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "proto/values/status_values.h"
#include "server/device/device.h"

namespace anex::engine {

struct DeviceInstance {
  std::shared_ptr<device::Device> device;
  uint64_t epoch = 0;
};

class DeviceSlot {
 public:
  // The factory's error (UNAVAILABLE) if this machine has no such device.
  static absl::StatusOr<std::shared_ptr<DeviceSlot>> Start(device::DeviceFactory factory);

  const std::string& name() const { return name_; }
  // Of the first instance; fresh ones come from the same factory and have the same.
  const device::Capabilities& capabilities() const { return capabilities_; }
  uint64_t epoch() const { return epoch_.load(std::memory_order_acquire); }
  // UNAVAILABLE with the reason after a Replace that failed.
  absl::StatusOr<DeviceInstance> Current() const;

  // Puts a fresh instance in because of `reason` (a sentence). On failure the slot stays
  // UNAVAILABLE, and a later Replace may mend it.
  absl::Status Replace(std::string_view reason);

  // kServing; kDegraded with the reason after a hang that was mended; kUnavailable otherwise.
  Health health(std::string* reason = nullptr) const;

 private:
  DeviceSlot(device::DeviceFactory factory, std::shared_ptr<device::Device> first);

  const device::DeviceFactory factory_;
  const std::string name_;
  const device::Capabilities capabilities_;
  std::atomic<uint64_t> epoch_{1};
  mutable absl::Mutex mutex_;
  std::shared_ptr<device::Device> device_ ABSL_GUARDED_BY(mutex_);
  Health health_ ABSL_GUARDED_BY(mutex_) = Health::kServing;
  std::string reason_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_OBJECTS_DEVICE_SLOT_H_
