#include <algorithm>
#include <vector>

#include "server/device/cpu/kernels/copy.h"
#include "server/device/cpu/kernels/kernels.h"
#include "server/device/cpu/kernels/reader.h"
#include "server/device/cpu/resize_shape.h"

namespace anex::device::cpu {
namespace {

bool IsFast(DType dtype) { return dtype == DType::kFp16 || dtype == DType::kFp32; }

double Between(double low, double high, double weight) {
  return weight == 0 ? low : low * (1 - weight) + high * weight;
}

// The last two axes: rows are mixed first, then columns, in double. A plane is a task.
class ResizeKernel final : public Kernel {
 public:
  ResizeKernel(const View& x, const Shape& out, std::vector<AxisTaps> axes, DType dtype)
      : ops_(ActiveVectorOps()),
        dtype_(dtype),
        height_(x.shape[x.shape.rank() - 2]),
        width_(x.shape[x.shape.rank() - 1]),
        planes_(x.elements() / (height_ * width_)),
        tall_(out[out.rank() - 2]),
        wide_(out[out.rank() - 1]),
        rows_(std::move(axes[0])),
        columns_(std::move(axes[1])),
        x_(PackedView(x.dtype, Shape{x.elements()})) {}

  uint64_t scratch_bytes(int slots) const override {
    return static_cast<uint64_t>(SlotBytes() * slots);
  }

  void Run(const RunContext& run) const override {
    run.pool->ParallelFor(planes_, [&](int64_t plane, int slot) {
      auto* row = reinterpret_cast<double*>(run.scratch + slot * SlotBytes());
      auto* result = reinterpret_cast<float*>(row + width_);
      const float* x = x_.Load(run.in[0].data, plane * height_ * width_,
                               static_cast<size_t>(height_ * width_), result + wide_);
      for (int64_t i = 0; i < tall_; ++i) {
        MixRow(x, static_cast<size_t>(i), row);
        for (size_t j = 0; j < static_cast<size_t>(wide_); ++j) {
          result[j] = static_cast<float>(
              Between(row[columns_.low[j]], row[columns_.high[j]], columns_.weight[j]));
        }
        StoreFloats(ops_, dtype_, result, run.out[0].data, (plane * tall_ + i) * wide_,
                    static_cast<size_t>(wide_));
      }
    });
  }

 private:
  int64_t SlotBytes() const {
    const int64_t bytes = width_ * static_cast<int64_t>(sizeof(double)) +
                          (wide_ + height_ * width_) * static_cast<int64_t>(sizeof(float));
    return (bytes + 63) / 64 * 64;
  }

  void MixRow(const float* x, size_t i, double* row) const {
    const float *low = x + rows_.low[i] * width_, *high = x + rows_.high[i] * width_;
    const double weight = rows_.weight[i];
    if (weight == 0) {
      std::copy_n(low, width_, row);
      return;
    }
    for (int64_t j = 0; j < width_; ++j) {
      row[j] = double{low[j]} * (1 - weight) + double{high[j]} * weight;
    }
  }

  const VectorOps& ops_;
  const DType dtype_;
  const int64_t height_, width_, planes_, tall_, wide_;
  const AxisTaps rows_, columns_;
  const Reader x_;
};

// x, packed, seen through other axes and strides, and copied as it is seen.
MadeKernel MakeSeen(OpSite& site, const std::vector<int64_t>& dims,
                    const std::vector<int64_t>& strides) {
  View view{site.TypeOf("x").dtype, *Shape::Make(dims), {}, 0};
  std::copy(strides.begin(), strides.end(), view.strides.begin());
  site.Use("x");
  return MakeCopyKernel(view);
}

}  // namespace

MadeKernel MakeResize(OpSite& site) {
  if (!IsFast(site.ResultType().dtype)) return nullptr;
  absl::StatusOr<std::vector<AxisTaps>> axes = ReadResize(site);
  if (!axes.ok()) return axes.status();
  if (axes->size() != 2) return nullptr;
  const View x = site.InputView(site.Use("x"));
  return std::make_unique<ResizeKernel>(x, site.ResultType().shape, *std::move(axes),
                                        site.ResultType().dtype);
}

// Both are x as [N, channel and block, H, W] seen as [N, C, H, block, W, block].
MadeKernel MakeDepthToSpace(OpSite& site) {
  const bool shuffle = site.op() == "pixel_shuffle";
  const int64_t b = site.Int(shuffle ? "upscale_factor" : "block_size");
  const Shape &x = site.TypeOf("x").shape, &out = site.ResultType().shape;
  const int64_t plane = x[2] * x[3], channels = out[1];
  const int64_t channel = shuffle ? b * b * plane : plane;
  const int64_t block = shuffle ? plane : channels * plane;
  return MakeSeen(site, {x[0], channels, x[2], b, x[3], b},
                  {x[1] * plane, channel, x[3], b * block, 1, block});
}

MadeKernel MakeSpaceToDepth(OpSite& site) {
  const bool shuffle = site.op() == "pixel_unshuffle";
  const int64_t b = site.Int(shuffle ? "downscale_factor" : "block_size");
  const Shape& x = site.TypeOf("x").shape;
  const int64_t plane = x[2] * x[3], h = x[2] / b, w = x[3] / b;
  if (shuffle) {
    return MakeSeen(site, {x[0], x[1], b, b, h, w}, {x[1] * plane, plane, x[3], 1, b * x[3], b});
  }
  return MakeSeen(site, {x[0], b, b, x[1], h, w}, {x[1] * plane, x[3], 1, plane, b * x[3], b});
}

}  // namespace anex::device::cpu
