// Copies a view to packed memory: how a transpose or slice becomes real where a kernel needs it to.
#ifndef ANEX_SERVER_DEVICE_CPU_KERNELS_COPY_H_
#define ANEX_SERVER_DEVICE_CPU_KERNELS_COPY_H_

#include <memory>

#include "server/device/cpu/kernel.h"
#include "server/device/cpu/view.h"

namespace anex::device::cpu {

// in[0] lies as `from` says; out[0] is packed, of the same shape.
std::unique_ptr<Kernel> MakeCopyKernel(const View& from);

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_KERNELS_COPY_H_
