// AppleNeuralEngine.framework, opened by path: its classes by name, and whether their selectors are
// those that this device was written for. Nothing of it is linked.
//
// Threads: immutable once open; any. The library stays loaded for the life of the process: classes
// cannot be unloaded.
#ifndef ANEX_SERVER_DEVICE_APPLE_FRAMEWORK_H_
#define ANEX_SERVER_DEVICE_APPLE_FRAMEWORK_H_

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#import "server/device/apple/ane_protocols.h"
#include "server/device/apple/selector_check.h"

namespace anex::device::apple {

// Nil where the running system has no such class.
struct Classes {
  Class<ANEDescriptorClass> descriptor = Nil;
  Class<ANEInMemoryModelClass> in_memory_model = Nil;
  Class<ANEModelClass> model = Nil;
  Class<ANEClientClass> client = Nil;
  Class<ANERequestClass> request = Nil;
  Class<ANESurfaceObjectClass> surface = Nil;
  Class<ANEDeviceInfoClass> device_info = Nil;
  Class<ANEPerformanceStatsClass> performance_stats = Nil;
  Class<ANEChainingRequestClass> chaining_request = Nil;
  Class<ANEChainBufferClass> chain_buffer = Nil;
  Class<ANEOutputSetsClass> output_sets = Nil;
  Class<ANESharedEventsClass> shared_events = Nil;
  Class<ANESignalEventClass> signal_event = Nil;
  Class<ANEWaitEventClass> wait_event = Nil;
  Class<IOSurfaceEventClass> event = Nil;
};

// What the framework says of the machine; "" and 0 where it does not.
struct MachineInfo {
  bool has_ane = false;
  bool is_virtual_machine = false;
  unsigned engines = 0, cores = 0;
  std::string architecture;  // "h16g"
  std::string system_build;  // "25A354"
  std::string product;
};

class Framework {
 public:
  // UNAVAILABLE if there is no library at `path` or the machine has no engine; UNIMPLEMENTED naming
  // every class and selector that neither way of loading a program can do without, if the running
  // system has changed them.
  static absl::StatusOr<std::shared_ptr<const Framework>> Open(const std::string& path);

  const Classes& classes() const { return classes_; }
  const MachineInfo& machine() const { return machine_; }
  // Every selector of the table as the running system has it.
  std::span<const SelectorCheck> selectors() const { return selectors_; }
  // All that `use` needs is there as expected.
  bool Has(SelectorUse use) const;
  // That one selector is there as expected: "doEvaluateDirectWithModel:options:request:qos:error:".
  bool Has(std::string_view class_name, std::string_view selector) const;

 private:
  Framework() = default;
  void ReadMachine();

  Classes classes_;
  MachineInfo machine_;
  std::vector<SelectorCheck> selectors_;
};

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_FRAMEWORK_H_
