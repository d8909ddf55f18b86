// Which operations the device has, and who makes their kernels. Constant, any thread.
#ifndef ANEX_SERVER_DEVICE_CPU_OP_TABLE_H_
#define ANEX_SERVER_DEVICE_CPU_OP_TABLE_H_

#include <span>
#include <string_view>

#include "server/device/cpu/op_site.h"

namespace anex::device::cpu {

struct OpEntry {
  std::string_view op;
  KernelMaker reference;
  // Null where the plain loops are good enough (rare, small or integer operations). A fast maker
  // may also return a null kernel for types that it leaves to the reference.
  KernelMaker fast = nullptr;
};

// Null if the device does not have the operation.
const OpEntry* FindOpEntry(std::string_view op);
std::span<const OpEntry> OpEntries();
// Those that read and write states: no kernels, but copies that lowering makes itself.
bool IsStateOp(std::string_view op);

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_OP_TABLE_H_
