// What the parts of one device instance share. Immutable but for what locks for itself; any thread.
#ifndef ANEX_SERVER_DEVICE_APPLE_ENGINE_PARTS_H_
#define ANEX_SERVER_DEVICE_APPLE_ENGINE_PARTS_H_

#include <memory>

#include "server/device/apple/compile_gate.h"
#import "server/device/apple/framework.h"
#import "server/device/apple/model.h"
#include "server/device/apple/residency.h"
#include "server/device/apple/work_folder.h"
#include "server/device/device.h"

namespace anex::device::apple {

struct EngineParts {
  std::shared_ptr<const Framework> framework;
  std::shared_ptr<WorkFolders> folders;
  std::shared_ptr<Residency> residency;
  std::shared_ptr<CompileGate> gate;
  LoadWay load_way = LoadWay::kInMemory;
  EvaluateWay evaluate_way = EvaluateWay::kModel;
  // Checks the first run of every request against it; null = no checks.
  std::shared_ptr<Device> reference;
};

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_ENGINE_PARTS_H_
