#include "server/device/cpu/conv_shape.h"
#include "server/device/cpu/function_kernel.h"
#include "server/device/cpu/reference/element.h"
#include "server/device/cpu/reference/reference.h"

namespace anex::device::cpu::reference {
namespace {

// Where kernel element `k` falls for output `o`; false if that is in the padding.
bool InputAt(const ConvShape& conv, const Spatial& o, const Spatial& k, Spatial& at) {
  for (int axis = 0; axis < kMaxSpatial; ++axis) {
    at[axis] = conv.InputAt(axis, o[axis], k[axis]);
    if (at[axis] < 0 || at[axis] >= conv.in[axis]) return false;
  }
  return true;
}

double ConvOne(const ConvShape& conv, const RunContext& run, int64_t image, int64_t channel,
               const Spatial& o) {
  const int64_t group = conv.GroupOf(channel);
  double sum = 0;
  for (int64_t c = 0; c < conv.in_channels; ++c) {
    const int64_t plane = (image * conv.groups + group) * conv.in_channels + c;
    const int64_t filter = channel * conv.in_channels + c;
    ForSpatial(conv.kernel, [&](const Spatial& k) {
      Spatial at;
      if (!InputAt(conv, o, k, at)) return;
      sum += GetDouble(run.in[0], plane * conv.in_size() + Flat(conv.in, at)) *
             GetDouble(run.in[1], filter * conv.kernel_size() + Flat(conv.kernel, k));
    });
  }
  return sum;
}

// Which element of x kernel element `k` brings to position `at` of the result; false if none.
bool SourceOf(const ConvShape& conv, const Spatial& at, const Spatial& k, Spatial& x) {
  for (int axis = 0; axis < kMaxSpatial; ++axis) {
    const int64_t reach = at[axis] + conv.pad[axis] - k[axis] * conv.dilation[axis];
    if (reach < 0 || reach % conv.stride[axis] != 0) return false;
    x[axis] = reach / conv.stride[axis];
    if (x[axis] >= conv.out[axis]) return false;
  }
  return true;
}

double TransposedOne(const ConvShape& conv, const RunContext& run, int64_t image, int64_t channel,
                     const Spatial& at) {
  const int64_t each = conv.out_channels_of_group();
  const int64_t group = channel / each;
  double sum = 0;
  for (int64_t c = 0; c < conv.in_channels; ++c) {
    const int64_t source = group * conv.in_channels + c;  // channel of x
    const int64_t plane = image * conv.groups * conv.in_channels + source;
    const int64_t filter = source * each + channel % each;
    ForSpatial(conv.kernel, [&](const Spatial& k) {
      Spatial x;
      if (!SourceOf(conv, at, k, x)) return;
      sum += GetDouble(run.in[0], plane * conv.out_size() + Flat(conv.out, x)) *
             GetDouble(run.in[1], filter * conv.kernel_size() + Flat(conv.kernel, k));
    });
  }
  return sum;
}

// Fills the result, `size` per channel, with `one(run, image, channel, position)` and the bias.
template <typename F>
std::unique_ptr<Kernel> MakeFilled(OpSite& site, const ConvShape& conv, const Spatial& size,
                                   F one) {
  site.Use("x");
  site.Use("weight");
  const bool bias = site.Has("bias");
  if (bias) site.Use("bias");
  return MakeFunctionKernel([=](const RunContext& run) {
    int64_t i = 0;
    for (int64_t image = 0; image < conv.batch; ++image) {
      for (int64_t channel = 0; channel < conv.out_channels; ++channel) {
        const double start = bias ? GetDouble(run.in[2], channel) : 0;
        ForSpatial(size, [&](const Spatial& at) {
          PutDouble(run.out[0], i++, start + one(conv, run, image, channel, at));
        });
      }
    }
  });
}

}  // namespace

MadeKernel MakeConv(OpSite& site) {
  absl::StatusOr<ConvShape> conv = ReadConv(site);
  if (!conv.ok()) return conv.status();
  return MakeFilled(site, *conv, conv->out, ConvOne);
}

MadeKernel MakeConvTranspose(OpSite& site) {
  absl::StatusOr<ConvShape> conv = ReadConvTranspose(site);
  if (!conv.ok()) return conv.status();
  return MakeFilled(site, *conv, conv->in, TransposedOne);
}

}  // namespace anex::device::cpu::reference
