// Operations that only move elements: bits are copied, nothing is widened or rounded. For the
// reference.
#ifndef ANEX_SERVER_DEVICE_CPU_REFERENCE_MOVER_H_
#define ANEX_SERVER_DEVICE_CPU_REFERENCE_MOVER_H_

#include <cstring>
#include <memory>

#include "server/device/cpu/function_kernel.h"
#include "server/device/cpu/reference/element.h"

namespace anex::device::cpu::reference {

// A kernel that takes each element of its result from `source(index)`, a position in x, or makes it
// 0 where that is negative.
template <typename F>
std::unique_ptr<Kernel> MakeElementMover(F source) {
  return MakeFunctionKernel([source](const RunContext& run) {
    const size_t size = ElementSize(run.out[0].view->dtype);
    std::byte* to = run.out[0].data;
    Index index{};
    do {
      const int64_t from = source(index);
      if (from < 0) {
        std::memset(to, 0, size);
      } else {
        std::memcpy(to, run.in[0].data + static_cast<size_t>(from) * size, size);
      }
      to += size;
    } while (Advance(run.out[0].view->shape, index));
  });
}

}  // namespace anex::device::cpu::reference

#endif  // ANEX_SERVER_DEVICE_CPU_REFERENCE_MOVER_H_
