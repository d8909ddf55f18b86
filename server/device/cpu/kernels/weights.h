// The weights of a convolution as floats: widened at Load if they are known then, else for each
// run. Threads: immutable after construction.
#ifndef ANEX_SERVER_DEVICE_CPU_KERNELS_WEIGHTS_H_
#define ANEX_SERVER_DEVICE_CPU_KERNELS_WEIGHTS_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "server/device/cpu/kernels/reader.h"
#include "server/device/cpu/op_site.h"

namespace anex::device::cpu {

// Operands 1 (weight) and 2 (bias), in that order behind x.
class Weights {
 public:
  // Asks for both operands.
  explicit Weights(OpSite& site)
      : weight_count_(site.TypeOf("weight").shape.ElementCount()),
        weight_(Packed(site.TypeOf("weight").dtype, weight_count_)),
        bias_count_(site.Has("bias") ? site.TypeOf("bias").shape.ElementCount() : 0),
        bias_(Packed(site.Has("bias") ? site.TypeOf("bias").dtype : DType::kFp32,
                     std::max<int64_t>(bias_count_, 1))) {
    site.Use("weight");
    if (bias_count_ > 0) site.Use("bias");
    const std::byte* constant = site.ConstantOf("weight");
    if (constant == nullptr) return;
    prepared_.resize(static_cast<size_t>(weight_count_));
    const float* loaded = weight_.Load(constant, 0, prepared_.size(), prepared_.data());
    if (loaded != prepared_.data()) std::copy_n(loaded, prepared_.size(), prepared_.data());
  }

  int64_t scratch_floats() const {
    return Padded(prepared_.empty() ? weight_count_ : 0) + Padded(bias_count_);
  }
  uint64_t resident_bytes() const { return prepared_.size() * sizeof(float); }

  struct Loaded {
    const float* weight;
    const float* bias;  // null if there is none
  };
  Loaded Load(const RunContext& run, float* scratch) const {
    Loaded loaded{prepared_.data(), nullptr};
    if (prepared_.empty()) {
      loaded.weight = weight_.Load(run.in[1].data, 0, static_cast<size_t>(weight_count_), scratch);
      scratch += Padded(weight_count_);
    }
    if (bias_count_ > 0) {
      loaded.bias = bias_.Load(run.in[2].data, 0, static_cast<size_t>(bias_count_), scratch);
    }
    return loaded;
  }

 private:
  static Reader Packed(DType dtype, int64_t count) {
    return Reader(PackedView(dtype, Shape{count}));
  }
  static int64_t Padded(int64_t n) { return (n + 15) / 16 * 16; }

  const int64_t weight_count_;
  const Reader weight_;
  const int64_t bias_count_;
  const Reader bias_;
  std::vector<float> prepared_;
};

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_KERNELS_WEIGHTS_H_
