#import "server/device/apple/framework.h"

#include <dlfcn.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#import "server/device/apple/guard.h"

namespace anex::device::apple {
namespace {

Classes FindClasses() {
  Classes found;
  found.descriptor = NSClassFromString(@"_ANEInMemoryModelDescriptor");
  found.in_memory_model = NSClassFromString(@"_ANEInMemoryModel");
  found.model = NSClassFromString(@"_ANEModel");
  found.client = NSClassFromString(@"_ANEClient");
  found.request = NSClassFromString(@"_ANERequest");
  found.surface = NSClassFromString(@"_ANEIOSurfaceObject");
  found.device_info = NSClassFromString(@"_ANEDeviceInfo");
  found.performance_stats = NSClassFromString(@"_ANEPerformanceStats");
  found.chaining_request = NSClassFromString(@"_ANEChainingRequest");
  found.chain_buffer = NSClassFromString(@"_ANEBuffer");
  found.output_sets = NSClassFromString(@"_ANEIOSurfaceOutputSets");
  found.shared_events = NSClassFromString(@"_ANESharedEvents");
  found.signal_event = NSClassFromString(@"_ANESharedSignalEvent");
  found.wait_event = NSClassFromString(@"_ANESharedWaitEvent");
  found.event = NSClassFromString(@"IOSurfaceSharedEvent");
  return found;
}

// What keeps a program from being loaded either way.
std::string Missing(std::span<const SelectorCheck> checks) {
  std::string missing;
  for (const SelectorCheck& check : checks) {
    if (check.ok || check.use == SelectorUse::kOption) continue;
    absl::StrAppend(&missing, missing.empty() ? "" : ", ", check.Name(),
                    check.found.empty() ? " is gone" : " has other types (", check.found,
                    check.found.empty() ? "" : ")");
  }
  return missing;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Framework>> Framework::Open(const std::string& path) {
  // The file itself may be missing: the system keeps its frameworks in one shared cache.
  if (::dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    const char* why = ::dlerror();
    return absl::UnavailableError(
        absl::StrCat("AppleNeuralEngine.framework cannot be opened: ", why == nullptr ? "" : why));
  }
  return Guard(
      "open AppleNeuralEngine.framework",
      [&]() -> absl::StatusOr<std::shared_ptr<const Framework>> {
        std::shared_ptr<Framework> opened(new Framework);
        opened->classes_ = FindClasses();
        opened->selectors_ = CheckSelectors();
        const bool usable =
            opened->Has(SelectorUse::kAlways) &&
            (opened->Has(SelectorUse::kInMemory) || opened->Has(SelectorUse::kClient));
        if (!usable) {
          return absl::UnimplementedError(absl::StrCat(
              "this system's AppleNeuralEngine.framework is not the one that anexd knows: ",
              Missing(opened->selectors_), "; please report it"));
        }
        opened->ReadMachine();
        if (!opened->machine_.has_ane) {
          return absl::UnavailableError(opened->machine_.is_virtual_machine
                                            ? "a virtual machine has no Neural Engine"
                                            : "this machine has no Neural Engine");
        }
        return std::shared_ptr<const Framework>(std::move(opened));
      });
}

bool Framework::Has(SelectorUse use) const {
  return std::ranges::all_of(
      selectors_, [use](const SelectorCheck& check) { return check.use != use || check.ok; });
}

bool Framework::Has(std::string_view class_name, std::string_view selector) const {
  return std::ranges::any_of(selectors_, [&](const SelectorCheck& check) {
    return check.ok && check.class_name == class_name && check.selector == selector;
  });
}

void Framework::ReadMachine() {
  constexpr std::string_view kInfo = "_ANEDeviceInfo";
  const auto info = classes_.device_info;
  // A system that does not say is taken at its word by the first program that runs.
  machine_.has_ane = !Has(kInfo, "hasANE") || [info hasANE];
  machine_.is_virtual_machine = Has(kInfo, "isVirtualMachine") && [info isVirtualMachine];
  if (Has(kInfo, "numANEs")) machine_.engines = [info numANEs];
  if (Has(kInfo, "numANECores")) machine_.cores = [info numANECores];
  if (Has(kInfo, "aneArchitectureType"))
    machine_.architecture = ToString([info aneArchitectureType]);
  if (Has(kInfo, "buildVersion")) machine_.system_build = ToString([info buildVersion]);
  if (Has(kInfo, "productName")) machine_.product = ToString([info productName]);
}

}  // namespace anex::device::apple
