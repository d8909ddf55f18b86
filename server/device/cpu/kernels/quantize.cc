#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "server/device/cpu/kernels/kernels.h"
#include "server/device/cpu/kernels/reader.h"
#include "server/device/cpu/quantize_shape.h"

namespace anex::device::cpu {
namespace {

bool IsFast(DType dtype) { return dtype == DType::kFp16 || dtype == DType::kFp32; }

constexpr int64_t kBlock = 1024;
constexpr int64_t kChunk = 16 * kBlock;

// What both directions share: runs of elements with one scale and one zero point, in blocks.
class ScaledKernel : public Kernel {
 public:
  void Run(const RunContext& run) const override {
    run.pool->ParallelFor((count_ + kChunk - 1) / kChunk, [&](int64_t chunk, int) {
      const int64_t end = std::min(count_, (chunk + 1) * kChunk);
      for (int64_t at = chunk * kChunk; at < end;) {
        const int64_t place = at / shape_.inner % shape_.places;
        const int64_t rest = shape_.inner - at % shape_.inner;
        const auto n = static_cast<size_t>(std::min({kBlock, rest, end - at}));
        RunBlock(run, at, n, ScaleAt(run, place), ZeroAt(run, place));
        at += static_cast<int64_t>(n);
      }
    });
  }

 protected:
  ScaledKernel(OpSite& site, DType bytes)
      : ops_(ActiveVectorOps()),
        shape_(ReadQuantize(site, "input")),
        count_(shape_.outer * shape_.places * shape_.inner),
        is_signed_(bytes == DType::kInt8),
        x_(site.InputView(site.Use("input"))),
        scale_dtype_(site.InputView(site.Use("scale")).dtype),
        scales_(site.InputView(1).elements()),
        zeros_(site.Has("zero_point") ? site.InputView(site.Use("zero_point")).elements() : 0) {}

  virtual void RunBlock(const RunContext& run, int64_t at, size_t n, double scale,
                        double zero) const = 0;

  const VectorOps& ops_;
  const QuantizeShape shape_;
  const int64_t count_;
  const bool is_signed_;
  const View x_;

 private:
  double ScaleAt(const RunContext& run, int64_t place) const {
    const Reader scale(PackedView(scale_dtype_, Shape{scales_}));
    float value;
    return double{*scale.Load(run.in[1].data, scales_ > 1 ? place : 0, 1, &value)};
  }
  double ZeroAt(const RunContext& run, int64_t place) const {
    if (zeros_ == 0) return 0;
    const int64_t at = zeros_ > 1 ? place : 0;
    return is_signed_ ? run.in[2].as<const int8_t>()[at] : run.in[2].as<const uint8_t>()[at];
  }

  const DType scale_dtype_;
  const int64_t scales_, zeros_;
};

class QuantizeKernel final : public ScaledKernel {
 public:
  explicit QuantizeKernel(OpSite& site)
      : ScaledKernel(site, site.ResultType().dtype), reader_(PackedView(x_.dtype, Shape{count_})) {}

 private:
  void RunBlock(const RunContext& run, int64_t at, size_t n, double scale,
                double zero) const override {
    alignas(64) float block[kBlock];
    const float* x = reader_.Load(run.in[0].data, at, n, block);
    if (is_signed_) {
      Round(x, run.out[0].as<int8_t>() + at, n, scale, zero);
    } else {
      Round(x, run.out[0].as<uint8_t>() + at, n, scale, zero);
    }
  }

  template <typename T>
  static void Round(const float* x, T* to, size_t n, double scale, double zero) {
    constexpr double kLow = std::numeric_limits<T>::min(), kHigh = std::numeric_limits<T>::max();
    for (size_t i = 0; i < n; ++i) {
      const double value = std::nearbyint(double{x[i]} / scale) + zero;
      const double kept = value < kLow ? kLow : value > kHigh ? kHigh : value;
      to[i] = static_cast<T>(kept == kept ? kept : 0.0);  // NaN: 0, as everywhere
    }
  }

  const Reader reader_;
};

class DequantizeKernel final : public ScaledKernel {
 public:
  explicit DequantizeKernel(OpSite& site)
      : ScaledKernel(site, site.TypeOf("input").dtype), result_(site.ResultType().dtype) {}

 private:
  void RunBlock(const RunContext& run, int64_t at, size_t n, double scale,
                double zero) const override {
    alignas(64) float block[kBlock];
    if (is_signed_) {
      Scale(run.in[0].as<const int8_t>() + at, block, n, scale, zero);
    } else {
      Scale(run.in[0].as<const uint8_t>() + at, block, n, scale, zero);
    }
    StoreFloats(ops_, result_, block, run.out[0].data, at, n);
  }

  template <typename T>
  static void Scale(const T* from, float* to, size_t n, double scale, double zero) {
    for (size_t i = 0; i < n; ++i) to[i] = static_cast<float>((from[i] - zero) * scale);
  }

  const DType result_;
};

}  // namespace

MadeKernel MakeQuantize(OpSite& site) {
  if (!IsFast(site.TypeOf("input").dtype) || !IsFast(site.TypeOf("scale").dtype)) return nullptr;
  return std::make_unique<QuantizeKernel>(site);
}

MadeKernel MakeDequantize(OpSite& site) {
  if (!IsFast(site.ResultType().dtype)) return nullptr;
  return std::make_unique<DequantizeKernel>(site);
}

}  // namespace anex::device::cpu
