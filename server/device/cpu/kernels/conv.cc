#include <algorithm>
#include <vector>

#include "server/device/cpu/conv_shape.h"
#include "server/device/cpu/gemm.h"
#include "server/device/cpu/kernels/kernels.h"
#include "server/device/cpu/kernels/product.h"
#include "server/device/cpu/kernels/reader.h"

namespace anex::device::cpu {
namespace {

bool IsFast(DType dtype) { return dtype == DType::kFp16 || dtype == DType::kFp32; }

// out[image, group] = weight[group] x[image, group]: a product per image and group.
MadeKernel MakePointwise(OpSite& site, const ConvShape& conv) {
  ProductSpec spec;
  spec.result = site.ResultType().dtype;
  const DType dtype = site.TypeOf("x").dtype;
  const View weight = PackedView(dtype, Shape{1, conv.groups, conv.out_channels, conv.in_channels});
  const View x =
      PackedView(dtype, Shape{conv.batch, conv.groups, conv.in_channels, conv.in_size()});
  site.Use("weight");
  site.Use("x");
  spec.shape = MatmulShapeOf(weight, false, x, false);
  spec.constant_x = site.ConstantOf("weight");
  if (site.Has("bias")) {
    spec.bias = ProductBias::kPerRow;
    spec.bias_batches = conv.groups;
    spec.bias_dtype = site.InputView(site.Use("bias")).dtype;
  }
  return MakeProduct(spec);
}

// The general case: the patches under the filter become columns of a matrix (im2col), a block of
// output positions at a time, and that is multiplied by the filters.
class ConvKernel final : public Kernel {
 public:
  ConvKernel(const ConvShape& conv, DType dtype, DType result, const std::byte* weight, DType bias)
      : ops_(ActiveVectorOps()),
        conv_(conv),
        result_(result),
        depth_(conv.in_channels * conv.kernel_size()),
        block_(BlockOf(conv, depth_)),
        x_(PackedView(dtype, Shape{conv.batch * conv.groups * conv.in_channels * conv.in_size()})),
        weight_(PackedView(dtype, Shape{WeightFloats()})),
        bias_(PackedView(bias, Shape{conv.groups * conv.out_channels})),
        has_bias_(bias != DType::kInvalid) {
    if (weight == nullptr) return;
    prepared_.resize(static_cast<size_t>(WeightFloats()));
    const float* loaded = weight_.Load(weight, 0, prepared_.size(), prepared_.data());
    if (loaded != prepared_.data()) std::copy_n(loaded, prepared_.size(), prepared_.data());
  }

  uint64_t scratch_bytes(int slots) const override {
    const int64_t weight = prepared_.empty() ? WeightFloats() : 0;
    return static_cast<uint64_t>(weight + SlotFloats() * slots + BiasFloats()) * sizeof(float);
  }
  uint64_t resident_bytes() const override { return prepared_.size() * sizeof(float); }

  void Run(const RunContext& run) const override {
    auto* scratch = reinterpret_cast<float*>(run.scratch);
    float* bias = scratch + SlotFloats() * run.pool->slots();
    float* converted = bias + BiasFloats();
    const float* bias_read = bias;
    if (has_bias_) {
      bias_read = bias_.Load(run.in[2].data, 0, static_cast<size_t>(BiasFloats()), bias);
    }
    const float* weight =
        prepared_.empty()
            ? weight_.Load(run.in[1].data, 0, static_cast<size_t>(WeightFloats()), converted)
            : prepared_.data();
    const int64_t blocks = (conv_.out_size() + block_ - 1) / block_;
    run.pool->ParallelFor(conv_.batch * conv_.groups * blocks, [&](int64_t task, int slot) {
      RunBlock(run, task / blocks, task % blocks * block_, weight, bias_read,
               scratch + slot * SlotFloats());
    });
  }

 private:
  // Columns per block: patches of about a second-level cache. By shape only.
  static int64_t BlockOf(const ConvShape& conv, int64_t depth) {
    return std::min(conv.out_size(), std::max<int64_t>(64, (int64_t{1} << 17) / depth));
  }
  int64_t WeightFloats() const { return conv_.groups * conv_.out_channels * depth_; }
  int64_t BiasFloats() const { return conv_.groups * conv_.out_channels; }
  int64_t PlaneFloats() const { return conv_.in_channels * conv_.in_size(); }
  int64_t SlotFloats() const {
    return PlaneFloats() + depth_ * block_ + conv_.out_channels * block_;
  }

  // One image and group: output positions [first, first + block).
  void RunBlock(const RunContext& run, int64_t image_group, int64_t first, const float* weight,
                const float* bias, float* scratch) const {
    const int64_t group = image_group % conv_.groups;
    const int64_t n = std::min(block_, conv_.out_size() - first);
    const float* planes = x_.Load(run.in[0].data, image_group * PlaneFloats(),
                                  static_cast<size_t>(PlaneFloats()), scratch);
    float* patches = scratch + PlaneFloats();
    float* product = patches + depth_ * block_;
    GatherPatches(planes, first, n, patches);
    Gemm(conv_.out_channels, n, depth_, {weight + group * conv_.out_channels * depth_, depth_},
         {patches, n}, product, n);
    for (int64_t channel = 0; channel < conv_.out_channels; ++channel) {
      float* row = product + channel * n;
      const float add = has_bias_ ? bias[group * conv_.out_channels + channel] : 0.0f;
      if (has_bias_) {
        for (int64_t i = 0; i < n; ++i) row[i] += add;
      }
      const int64_t at = (image_group * conv_.out_channels + channel) * conv_.out_size() + first;
      StoreFloats(ops_, result_, row, run.out[0].data, at, static_cast<size_t>(n));
    }
  }

  // patches[(channel, kernel position), output position].
  void GatherPatches(const float* planes, int64_t first, int64_t n, float* patches) const {
    for (int64_t channel = 0; channel < conv_.in_channels; ++channel) {
      const float* plane = planes + channel * conv_.in_size();
      for (int64_t k = 0; k < conv_.kernel_size(); ++k) {
        GatherOne(plane, k, first, n, patches);
        patches += n;
      }
    }
  }

  void GatherOne(const float* plane, int64_t k, int64_t first, int64_t n, float* to) const {
    const std::array<int64_t, 3> kernel = Unflatten(conv_.kernel, k);
    std::array<int64_t, 3> out = Unflatten(conv_.out, first);
    for (int64_t i = 0; i < n; ++i) {
      int64_t at = 0;
      bool inside = true;
      for (int axis = 0; axis < kMaxSpatial; ++axis) {
        const int64_t in =
            out[axis] * conv_.stride[axis] + kernel[axis] * conv_.dilation[axis] - conv_.pad[axis];
        inside = inside && in >= 0 && in < conv_.in[axis];
        at = at * conv_.in[axis] + in;
      }
      to[i] = inside ? plane[at] : 0.0f;
      for (int axis = 2; axis >= 0 && ++out[axis] == conv_.out[axis]; --axis) out[axis] = 0;
    }
  }

  static std::array<int64_t, 3> Unflatten(const std::array<int64_t, 3>& size, int64_t i) {
    return {i / (size[1] * size[2]), i / size[2] % size[1], i % size[2]};
  }

  const VectorOps& ops_;
  const ConvShape conv_;
  const DType result_;
  const int64_t depth_, block_;
  const Reader x_, weight_, bias_;
  const bool has_bias_;
  std::vector<float> prepared_;
};

}  // namespace

MadeKernel MakeConv(OpSite& site) {
  absl::StatusOr<ConvShape> conv = ReadConv(site);
  if (!conv.ok()) return conv.status();
  if (!IsFast(site.ResultType().dtype)) return nullptr;
  if (conv->pointwise()) return MakePointwise(site, *conv);
  site.Use("x");
  site.Use("weight");
  const DType bias = site.Has("bias") ? site.InputView(site.Use("bias")).dtype : DType::kInvalid;
  return std::make_unique<ConvKernel>(*conv, site.TypeOf("x").dtype, site.ResultType().dtype,
                                      site.ConstantOf("weight"), bias);
}

}  // namespace anex::device::cpu
