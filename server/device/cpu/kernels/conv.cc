#include <algorithm>

#include "server/device/cpu/conv_shape.h"
#include "server/device/cpu/gemm.h"
#include "server/device/cpu/kernels/kernels.h"
#include "server/device/cpu/kernels/product.h"
#include "server/device/cpu/kernels/reader.h"
#include "server/device/cpu/kernels/weights.h"

namespace anex::device::cpu {
namespace {

bool IsFast(DType dtype) { return dtype == DType::kFp16 || dtype == DType::kFp32; }

// out[image, group] = weight[group] x[image, group]: a product per image and group.
MadeKernel MakePointwise(OpSite& site, const ConvShape& conv) {
  ProductSpec spec;
  spec.result = site.ResultType().dtype;
  const DType dtype = site.TypeOf("x").dtype;
  const View weight =
      PackedView(site.TypeOf("weight").dtype,
                 Shape{1, conv.groups, conv.out_channels_of_group(), conv.in_channels});
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
  ConvKernel(OpSite& site, const ConvShape& conv)
      : ops_(ActiveVectorOps()),
        conv_(conv),
        result_(site.ResultType().dtype),
        channels_(conv.out_channels_of_group()),
        depth_(conv.in_channels * conv.kernel_size()),
        block_(BlockOf(conv, depth_)),
        blocks_((conv.out_size() + block_ - 1) / block_),
        x_(PackedView(site.TypeOf("x").dtype,
                      Shape{conv.batch * conv.groups * conv.in_channels * conv.in_size()})),
        weights_(Ask(site)) {}

  uint64_t scratch_bytes(int slots) const override {
    return static_cast<uint64_t>(weights_.scratch_floats() + PlaneFloats() * PlaneCopies(slots) +
                                 SlotFloats() * slots) *
           sizeof(float);
  }
  uint64_t resident_bytes() const override { return weights_.resident_bytes(); }

  void Run(const RunContext& run) const override {
    auto* scratch = reinterpret_cast<float*>(run.scratch);
    const Weights::Loaded loaded = weights_.Load(run, scratch);
    scratch += weights_.scratch_floats();
    float* planes = scratch;
    scratch += PlaneFloats() * PlaneCopies(run.pool->slots());
    const int64_t count = conv_.batch * conv_.groups;
    if (blocks_ == 1) {
      run.pool->ParallelFor(count, [&](int64_t image, int slot) {
        const float* x = LoadPlanes(run, image, planes + slot * PlaneFloats());
        RunBlock(run, image, 0, x, loaded, scratch + slot * SlotFloats());
      });
      return;
    }
    for (int64_t image = 0; image < count; ++image) {
      const float* x = LoadPlanes(run, image, planes);
      run.pool->ParallelFor(blocks_, [&](int64_t block, int slot) {
        RunBlock(run, image, block * block_, x, loaded, scratch + slot * SlotFloats());
      });
    }
  }

 private:
  static OpSite& Ask(OpSite& site) {
    site.Use("x");
    return site;
  }
  // Columns per block: patches of about a second-level cache. By shape only.
  static int64_t BlockOf(const ConvShape& conv, int64_t depth) {
    return std::min(conv.out_size(), std::max<int64_t>(64, (int64_t{1} << 17) / depth));
  }
  int64_t PlaneFloats() const { return conv_.in_channels * conv_.in_size(); }
  int64_t SlotFloats() const { return depth_ * block_ + channels_ * block_; }
  // Blocks of one image share its planes; whole images are read by whoever computes them.
  int64_t PlaneCopies(int slots) const { return blocks_ == 1 ? slots : 1; }

  const float* LoadPlanes(const RunContext& run, int64_t image_group, float* scratch) const {
    return x_.Load(run.in[0].data, image_group * PlaneFloats(), static_cast<size_t>(PlaneFloats()),
                   scratch);
  }

  // One image and group: output positions [first, first + block).
  void RunBlock(const RunContext& run, int64_t image_group, int64_t first, const float* planes,
                const Weights::Loaded& loaded, float* scratch) const {
    const int64_t group = image_group % conv_.groups;
    const int64_t n = std::min(block_, conv_.out_size() - first);
    float* patches = scratch;
    float* product = patches + depth_ * block_;
    GatherPatches(planes, first, n, patches);
    Gemm(channels_, n, depth_, {loaded.weight + group * channels_ * depth_, depth_}, {patches, n},
         product, n);
    for (int64_t channel = 0; channel < channels_; ++channel) {
      float* row = product + channel * n;
      if (loaded.bias != nullptr) {
        const float add = loaded.bias[group * channels_ + channel];
        for (int64_t i = 0; i < n; ++i) row[i] += add;
      }
      const int64_t at = (image_group * channels_ + channel) * conv_.out_size() + first;
      StoreFloats(ops_, result_, row, run.out[0].data, at, static_cast<size_t>(n));
    }
  }

  // patches[(channel, kernel position), output position].
  void GatherPatches(const float* planes, int64_t first, int64_t n, float* patches) const {
    for (int64_t channel = 0; channel < conv_.in_channels; ++channel) {
      const float* plane = planes + channel * conv_.in_size();
      ForSpatial(conv_.kernel, [&](const Spatial& k) {
        GatherOne(plane, k, first, n, patches);
        patches += n;
      });
    }
  }

  void GatherOne(const float* plane, const Spatial& k, int64_t first, int64_t n, float* to) const {
    std::fill_n(to, n, 0.0f);
    const int64_t stride = conv_.stride[2];
    ForRuns(conv_, k, first, first + n, [&](int64_t o, int64_t from, int64_t count) {
      const int64_t begin = std::max<int64_t>(0, first - o);
      const int64_t end = std::min(count, first + n - o);
      const float* source = plane + from;
      float* target = to + o - first;
      if (stride == 1 && begin < end) {
        std::copy_n(source + begin, end - begin, target + begin);
      } else {
        for (int64_t i = begin; i < end; ++i) target[i] = source[i * stride];
      }
    });
  }

  const VectorOps& ops_;
  const ConvShape conv_;
  const DType result_;
  const int64_t channels_, depth_, block_, blocks_;
  const Reader x_;
  const Weights weights_;
};

// One input channel and a few outputs per group (depthwise): too little for a product. Each filter
// element is added in along rows of outputs.
class DepthwiseKernel final : public Kernel {
 public:
  DepthwiseKernel(OpSite& site, const ConvShape& conv)
      : ops_(ActiveVectorOps()),
        conv_(conv),
        result_(site.ResultType().dtype),
        x_(PackedView(site.TypeOf("x").dtype, Shape{conv.batch * conv.groups * conv.in_size()})),
        weights_(Ask(site)) {}

  uint64_t scratch_bytes(int slots) const override {
    return static_cast<uint64_t>(weights_.scratch_floats() + SlotFloats() * slots) * sizeof(float);
  }
  uint64_t resident_bytes() const override { return weights_.resident_bytes(); }

  void Run(const RunContext& run) const override {
    auto* scratch = reinterpret_cast<float*>(run.scratch);
    const Weights::Loaded loaded = weights_.Load(run, scratch);
    scratch += weights_.scratch_floats();
    run.pool->ParallelFor(conv_.batch * conv_.groups, [&](int64_t plane, int slot) {
      RunPlane(run, plane, loaded, scratch + slot * SlotFloats());
    });
  }

 private:
  static OpSite& Ask(OpSite& site) {
    site.Use("x");
    return site;
  }
  int64_t SlotFloats() const { return conv_.in_size() + conv_.out_size(); }

  void RunPlane(const RunContext& run, int64_t plane, const Weights::Loaded& loaded,
                float* scratch) const {
    const float* x = x_.Load(run.in[0].data, plane * conv_.in_size(),
                             static_cast<size_t>(conv_.in_size()), scratch);
    float* sums = scratch + conv_.in_size();
    const int64_t each = conv_.out_channels_of_group(), stride = conv_.stride[2];
    for (int64_t c = 0; c < each; ++c) {
      const int64_t channel = plane % conv_.groups * each + c;
      const float* filter = loaded.weight + channel * conv_.kernel_size();
      std::fill_n(sums, conv_.out_size(), 0.0f);
      ForSpatial(conv_.kernel, [&](const Spatial& k) {
        const float weight = *filter++;
        ForRuns(conv_, k, [&](int64_t o, int64_t from, int64_t n) {
          for (int64_t i = 0; i < n; ++i) sums[o + i] += weight * x[from + i * stride];
        });
      });
      if (loaded.bias != nullptr) {
        for (int64_t i = 0; i < conv_.out_size(); ++i) sums[i] += loaded.bias[channel];
      }
      StoreFloats(ops_, result_, sums, run.out[0].data, (plane * each + c) * conv_.out_size(),
                  static_cast<size_t>(conv_.out_size()));
    }
  }

  const VectorOps& ops_;
  const ConvShape conv_;
  const DType result_;
  const Reader x_;
  const Weights weights_;
};

}  // namespace

MadeKernel MakeConv(OpSite& site) {
  absl::StatusOr<ConvShape> conv = ReadConv(site);
  if (!conv.ok()) return conv.status();
  // Groups that do not divide the outputs are for nobody to be fast at.
  if (!IsFast(site.ResultType().dtype) || !conv->even()) return nullptr;
  if (conv->pointwise()) return MakePointwise(site, *conv);
  const bool few = conv->in_channels == 1 && conv->out_channels_of_group() <= 4;
  if (few) return std::make_unique<DepthwiseKernel>(site, *conv);
  return std::make_unique<ConvKernel>(site, *conv);
}

}  // namespace anex::device::cpu
