// Rearrangements of images, [N, C, H, W].
#include <array>
#include <vector>

#include "server/device/cpu/reference/mover.h"
#include "server/device/cpu/reference/reference.h"

namespace anex::device::cpu::reference {
namespace {

int64_t At(const Shape& x, int64_t n, int64_t c, int64_t h, int64_t w) {
  return ((n * x[1] + c) * x[2] + h) * x[3] + w;
}

}  // namespace

// depth_to_space has the block in front of the channel, pixel_shuffle behind it.
MadeKernel MakeDepthToSpace(OpSite& site) {
  const bool shuffle = site.op() == "pixel_shuffle";
  const Shape x = site.TypeOf("x").shape, out = site.ResultType().shape;
  const int64_t b = site.Int(shuffle ? "upscale_factor" : "block_size");
  site.Use("x");
  return MakeElementMover([=](const Index& o) {
    const int64_t block = o[2] % b * b + o[3] % b;
    const int64_t channel = shuffle ? o[1] * b * b + block : block * out[1] + o[1];
    return At(x, o[0], channel, o[2] / b, o[3] / b);
  });
}

MadeKernel MakeSpaceToDepth(OpSite& site) {
  const bool shuffle = site.op() == "pixel_unshuffle";
  const Shape x = site.TypeOf("x").shape;
  const int64_t b = site.Int(shuffle ? "downscale_factor" : "block_size");
  site.Use("x");
  return MakeElementMover([=](const Index& o) {
    const int64_t block = shuffle ? o[1] % (b * b) : o[1] / x[1];
    const int64_t channel = shuffle ? o[1] / (b * b) : o[1] % x[1];
    return At(x, o[0], channel, o[2] * b + block / b, o[3] * b + block % b);
  });
}

// Batch entry (bh * blocks across + bw) * N + n of the result holds what stands at (bh, bw) of
// every block of image n.
MadeKernel MakeSpaceToBatch(OpSite& site) {
  const Shape x = site.TypeOf("x").shape;
  const std::vector<int64_t> block = site.Ints("block_shape"), pad = site.Ints("paddings");
  site.Use("x");
  return MakeElementMover([=](const Index& o) -> int64_t {
    const int64_t cell = o[0] / x[0];
    const int64_t h = o[2] * block[0] + cell / block[1] - pad[0];
    const int64_t w = o[3] * block[1] + cell % block[1] - pad[2];
    const bool inside = h >= 0 && h < x[2] && w >= 0 && w < x[3];
    return inside ? At(x, o[0] % x[0], o[1], h, w) : -1;
  });
}

MadeKernel MakeBatchToSpace(OpSite& site) {
  const Shape x = site.TypeOf("x").shape, out = site.ResultType().shape;
  const std::vector<int64_t> block = site.Ints("block_shape"), crop = site.Ints("crops");
  site.Use("x");
  return MakeElementMover([=](const Index& o) {
    const int64_t h = o[2] + crop[0], w = o[3] + crop[2];
    const int64_t cell = h % block[0] * block[1] + w % block[1];
    return At(x, cell * out[0] + o[0], o[1], h / block[0], w / block[1]);
  });
}

MadeKernel MakeCrop(OpSite& site) {
  const Shape x = site.TypeOf("x").shape;
  const int64_t top = site.Ints("crop_height")[0], left = site.Ints("crop_width")[0];
  site.Use("x");
  return MakeElementMover([=](const Index& o) {
    Index from = o;
    from[x.rank() - 2] += top;
    from[x.rank() - 1] += left;
    return Position(x, from, x.rank());
  });
}

}  // namespace anex::device::cpu::reference
