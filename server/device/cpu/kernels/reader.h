// Reads elements of a view, in row-major order from any place on, as floats. What lets the fast
// kernels take slices and broadcasts as they lie.
//
// Threads: immutable after construction.
#ifndef ANEX_SERVER_DEVICE_CPU_KERNELS_READER_H_
#define ANEX_SERVER_DEVICE_CPU_KERNELS_READER_H_

#include <cstddef>
#include <cstdint>

#include "server/device/cpu/vector_ops.h"
#include "server/device/cpu/view.h"

namespace anex::device::cpu {

// fp16, fp32 and bool: what fits into a float without loss and is worth being fast.
inline bool FitsFloat(DType dtype) {
  return dtype == DType::kFp16 || dtype == DType::kFp32 || dtype == DType::kBool;
}

class Reader {
 public:
  // REQUIRES: FitsFloat(view.dtype). For a broadcast operand, `view` is already repeated.
  explicit Reader(const View& view)
      : ops_(ActiveVectorOps()), dtype_(view.dtype), loops_(Coalesce(view)) {}

  // Elements [first, first + n) of the view that starts at `data`. Gives `to`, or the memory itself
  // if it is floats without gaps.
  const float* Load(const std::byte* data, int64_t first, size_t n, float* to) const;

  // True if every element is the same one.
  bool is_scalar() const {
    return loops_.rank == 0 || (loops_.rank == 1 && loops_.strides[0] == 0);
  }

 private:
  // One run along the innermost loop.
  void LoadRun(const std::byte* data, int64_t at, int64_t stride, size_t n, float* to) const;

  const VectorOps& ops_;
  const DType dtype_;
  const Loops loops_;
};

// Rounds `n` floats to `dtype` (fp16, fp32 or bool) at element `first` of packed memory.
void StoreFloats(const VectorOps& ops, DType dtype, const float* from, std::byte* data,
                 int64_t first, size_t n);

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_KERNELS_READER_H_
