// A program compiled and loaded on a device; one per digest, shared by the sessions that shipped
// it.
//
// Threads: any. Invariants: digest, functions and artifact never change; the executable is of the
// device slot's current epoch after EnsureLoaded. A loaded kernel keeps its device instance alive.
#ifndef ANEX_SERVER_ENGINE_OBJECTS_KERNEL_H_
#define ANEX_SERVER_ENGINE_OBJECTS_KERNEL_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "proto/values/kernel_values.h"
#include "server/device/artifact.h"
#include "server/device/device.h"
#include "server/device/memory_account.h"
#include "server/engine/objects/byte_budget.h"
#include "server/engine/objects/device_slot.h"
#include "server/engine/objects/usage.h"

namespace anex::engine {

class Kernel {
 public:
  struct Loaded {
    DeviceInstance instance;  // before the executable: a device outlives its executables
    std::shared_ptr<device::Executable> executable;
  };

  // What it takes is counted in `account` (null: nobody counts); `program` is held for the
  // artifact's program.
  struct Memory {
    std::shared_ptr<device::MemoryAccount> account;
    device::MemoryHold program;
  };

  // `loaded.executable` came from loaded.instance.device->Load(artifact).
  Kernel(std::string digest, std::shared_ptr<DeviceSlot> slot, device::Artifact artifact,
         Loaded loaded, Memory memory = {});

  const std::string& digest() const { return digest_; }
  const std::string& device_name() const { return slot_->name(); }
  DeviceSlot& slot() const { return *slot_; }
  std::span<const FunctionInfo> functions() const { return functions_; }
  // "" = the only function. INVALID_ARGUMENT with the nearest name, or if "" is ambiguous.
  absl::StatusOr<size_t> FindFunction(std::string_view name) const;
  // Index into ports; INVALID_ARGUMENT with the nearest name.
  absl::StatusOr<size_t> FindPort(size_t function, std::string_view port) const;

  // The executable on the device's current instance; loads the artifact again if that is newer.
  // CANCELLED if `control` stops that.
  absl::StatusOr<Loaded> EnsureLoaded(device::CallControl& control);
  // Of the program's constants and of the executable.
  uint64_t resident_bytes() const;

  Usage& usage() const { return *usage_; }
  const std::shared_ptr<Usage>& shared_usage() const { return usage_; }

 private:
  const std::string digest_;
  const std::shared_ptr<DeviceSlot> slot_;
  const device::Artifact artifact_;
  const std::vector<FunctionInfo> functions_;
  const Memory memory_;
  const std::shared_ptr<Usage> usage_ = std::make_shared<Usage>();
  mutable absl::Mutex mutex_;
  Loaded loaded_ ABSL_GUARDED_BY(mutex_);
};

// What a session's table holds under a KernelId: the kernel and how this session came by it.
struct KernelEntry {
  std::shared_ptr<Kernel> kernel;
  KernelInfo info;
  std::shared_ptr<const ByteCharge> memory;  // what the session pays for it
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_OBJECTS_KERNEL_H_
