// A kernel made of a function: for kernels that need nothing but what they capture.
#ifndef ANEX_SERVER_DEVICE_CPU_FUNCTION_KERNEL_H_
#define ANEX_SERVER_DEVICE_CPU_FUNCTION_KERNEL_H_

#include <memory>
#include <utility>

#include "server/device/cpu/kernel.h"

namespace anex::device::cpu {

// `body(const RunContext&)` is called for each run; see kernel.h for what it may not do.
template <typename Body>
std::unique_ptr<Kernel> MakeFunctionKernel(Body body, uint64_t scratch_bytes_per_slot = 0) {
  class FunctionKernel final : public Kernel {
   public:
    FunctionKernel(Body body, uint64_t scratch) : body_(std::move(body)), scratch_(scratch) {}
    void Run(const RunContext& run) const override { body_(run); }
    uint64_t scratch_bytes(int slots) const override {
      return scratch_ * static_cast<uint64_t>(slots);
    }

   private:
    const Body body_;
    const uint64_t scratch_;
  };
  return std::make_unique<FunctionKernel>(std::move(body), scratch_bytes_per_slot);
}

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_FUNCTION_KERNEL_H_
