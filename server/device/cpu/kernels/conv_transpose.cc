#include <algorithm>

#include "server/device/cpu/conv_shape.h"
#include "server/device/cpu/gemm.h"
#include "server/device/cpu/kernels/kernels.h"
#include "server/device/cpu/kernels/reader.h"
#include "server/device/cpu/kernels/weights.h"

namespace anex::device::cpu {
namespace {

bool IsFast(DType dtype) { return dtype == DType::kFp16 || dtype == DType::kFp32; }

// A product gives what each element of x adds to the result by each kernel element; those are added
// up where they fall (col2im). A task is a block of channels of one group of one image.
class ConvTransposeKernel final : public Kernel {
 public:
  ConvTransposeKernel(OpSite& site, const ConvShape& conv)
      : ops_(ActiveVectorOps()),
        conv_(conv),
        result_(site.ResultType().dtype),
        each_(conv.out_channels_of_group()),
        block_(BlockOf(conv)),
        x_(PackedView(site.TypeOf("x").dtype,
                      Shape{conv.batch * conv.groups * conv.in_channels * conv.out_size()})),
        weights_(Ask(site)) {}

  uint64_t scratch_bytes(int slots) const override {
    return static_cast<uint64_t>(weights_.scratch_floats() + SlotFloats() * slots) * sizeof(float);
  }
  uint64_t resident_bytes() const override { return weights_.resident_bytes(); }

  void Run(const RunContext& run) const override {
    auto* scratch = reinterpret_cast<float*>(run.scratch);
    const Weights::Loaded loaded = weights_.Load(run, scratch);
    scratch += weights_.scratch_floats();
    const int64_t blocks = (each_ + block_ - 1) / block_;
    run.pool->ParallelFor(conv_.batch * conv_.groups * blocks, [&](int64_t task, int slot) {
      RunBlock(run, task / blocks, task % blocks * block_, loaded, scratch + slot * SlotFloats());
    });
  }

 private:
  static OpSite& Ask(OpSite& site) {
    site.Use("x");
    return site;
  }
  // Channels per block: columns of about a second-level cache. By shape only.
  static int64_t BlockOf(const ConvShape& conv) {
    const int64_t columns = conv.kernel_size() * conv.out_size();
    return std::clamp<int64_t>((int64_t{1} << 18) / columns, 1, conv.out_channels_of_group());
  }
  int64_t PlaneFloats() const { return conv_.in_channels * conv_.out_size(); }
  int64_t SlotFloats() const {
    return PlaneFloats() + block_ * conv_.kernel_size() * conv_.out_size() + conv_.in_size();
  }

  void RunBlock(const RunContext& run, int64_t image_group, int64_t first,
                const Weights::Loaded& loaded, float* scratch) const {
    const int64_t group = image_group % conv_.groups, size = conv_.kernel_size();
    const int64_t channels = std::min(block_, each_ - first);
    const float* x = x_.Load(run.in[0].data, image_group * PlaneFloats(),
                             static_cast<size_t>(PlaneFloats()), scratch);
    float* columns = scratch + PlaneFloats();
    float* plane = columns + block_ * size * conv_.out_size();
    // weight[input, output, kernel], read the other way round.
    const float* weight = loaded.weight + (group * conv_.in_channels * each_ + first) * size;
    Gemm(channels * size, conv_.out_size(), conv_.in_channels, {weight, each_ * size, true},
         {x, conv_.out_size()}, columns, conv_.out_size());
    for (int64_t c = 0; c < channels; ++c) {
      const float* mine = columns + c * size * conv_.out_size();
      const float bias = loaded.bias == nullptr ? 0.0f : loaded.bias[group * each_ + first + c];
      AddUp(mine, bias, plane);
      StoreFloats(ops_, result_, plane, run.out[0].data,
                  (image_group * each_ + first + c) * conv_.in_size(),
                  static_cast<size_t>(conv_.in_size()));
    }
  }

  void AddUp(const float* columns, float bias, float* plane) const {
    std::fill_n(plane, conv_.in_size(), bias);
    const int64_t stride = conv_.stride[2];
    ForSpatial(conv_.kernel, [&](const Spatial& k) {
      ForRuns(conv_, k, [&](int64_t from, int64_t to, int64_t n) {
        for (int64_t i = 0; i < n; ++i) plane[to + i * stride] += columns[from + i];
      });
      columns += conv_.out_size();
    });
  }

  const VectorOps& ops_;
  const ConvShape conv_;
  const DType result_;
  const int64_t each_, block_;
  const Reader x_;
  const Weights weights_;
};

}  // namespace

MadeKernel MakeConvTranspose(OpSite& site) {
  absl::StatusOr<ConvShape> conv = ReadConvTranspose(site);
  if (!conv.ok()) return conv.status();
  if (!IsFast(site.ResultType().dtype)) return nullptr;
  // Columns beyond any memory: their number must not overflow. The reference keeps none.
  if (conv->kernel_size() > (int64_t{1} << 40) / conv->out_size()) return nullptr;
  return std::make_unique<ConvTransposeKernel>(site, *conv);
}

}  // namespace anex::device::cpu
