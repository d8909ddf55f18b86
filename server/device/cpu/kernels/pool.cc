#include <algorithm>
#include <cmath>
#include <limits>

#include "server/device/cpu/kernels/kernels.h"
#include "server/device/cpu/kernels/reader.h"
#include "server/device/cpu/pool_shape.h"

namespace anex::device::cpu {
namespace {

bool IsFast(DType dtype) { return dtype == DType::kFp16 || dtype == DType::kFp32; }

// One plane is a task. The windows of all outputs are gone through element by element of the
// kernel, so that the inner loop runs along a row of outputs.
class PoolKernel final : public Kernel {
 public:
  PoolKernel(const PoolShape& pool, DType dtype)
      : ops_(ActiveVectorOps()),
        pool_(pool),
        dtype_(dtype),
        x_(PackedView(dtype, Shape{pool.planes * pool.in_size()})) {}

  uint64_t scratch_bytes(int slots) const override {
    return static_cast<uint64_t>(SlotBytes() * slots);
  }

  void Run(const RunContext& run) const override {
    run.pool->ParallelFor(pool_.planes, [&](int64_t plane, int slot) {
      std::byte* scratch = run.scratch + slot * SlotBytes();
      auto* totals = reinterpret_cast<double*>(scratch);
      auto* result = reinterpret_cast<float*>(totals + Padded(pool_.out_size()));
      const float* x =
          x_.Load(run.in[0].data, plane * pool_.in_size(), static_cast<size_t>(pool_.in_size()),
                  result + Padded(pool_.out_size()));
      if (pool_.pool == Pool::kMax) {
        Maximum(x, result);
      } else {
        Sum(x, totals);
        Finish(totals, result);
      }
      StoreFloats(ops_, dtype_, result, run.out[0].data, plane * pool_.out_size(),
                  static_cast<size_t>(pool_.out_size()));
    });
  }

 private:
  static int64_t Padded(int64_t n) { return (n + 15) / 16 * 16; }
  int64_t SlotBytes() const {
    return Padded(pool_.out_size()) * static_cast<int64_t>(sizeof(double) + sizeof(float)) +
           Padded(pool_.in_size()) * static_cast<int64_t>(sizeof(float));
  }

  // A NaN stays: it is picked when it comes, and no number compares with it afterwards.
  void Maximum(const float* x, float* best) const {
    std::fill_n(best, pool_.out_size(), -std::numeric_limits<float>::infinity());
    const int64_t stride = pool_.stride[2];
    ForTaps([&](int64_t o, int64_t from, int64_t n) {
      for (int64_t i = 0; i < n; ++i) {
        const float value = x[from + i * stride], now = best[o + i];
        best[o + i] = value > now || value != value ? value : now;
      }
    });
  }

  void Sum(const float* x, double* totals) const {
    std::fill_n(totals, pool_.out_size(), 0.0);
    const int64_t stride = pool_.stride[2];
    const bool squares = pool_.pool == Pool::kL2;
    ForTaps([&](int64_t o, int64_t from, int64_t n) {
      for (int64_t i = 0; i < n; ++i) {
        const double value = x[from + i * stride];
        totals[o + i] += squares ? value * value : value;
      }
    });
  }

  void Finish(const double* totals, float* result) const {
    int64_t i = 0;
    ForSpatial(pool_.out, [&](const Spatial& o) {
      double value = totals[i];
      if (pool_.pool == Pool::kL2) {
        value = std::sqrt(value);
      } else {
        const int64_t divisor = pool_.Divisor(o);
        value = divisor == 0 ? 0 : value / static_cast<double>(divisor);
      }
      result[i++] = static_cast<float>(value);
    });
  }

  template <typename F>
  void ForTaps(F f) const {
    ForSpatial(pool_.kernel, [&](const Spatial& k) { ForRuns(pool_, k, f); });
  }

  const VectorOps& ops_;
  const PoolShape pool_;
  const DType dtype_;
  const Reader x_;
};

}  // namespace

MadeKernel MakePool(OpSite& site) {
  absl::StatusOr<PoolShape> pool = ReadPool(site);
  if (!pool.ok()) return pool.status();
  const DType dtype = site.ResultType().dtype;
  if (!IsFast(dtype)) return nullptr;
  site.Use("x");
  return std::make_unique<PoolKernel>(*pool, dtype);
}

}  // namespace anex::device::cpu
