// Changing the size of tensors, and cutting boxes out of images: interpolation between neighbours.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "server/device/cpu/function_kernel.h"
#include "server/device/cpu/reference/element.h"
#include "server/device/cpu/reference/reference.h"
#include "server/device/cpu/resize_shape.h"

namespace anex::device::cpu::reference {
namespace {

// The sum over all corners around a point of the axes from number `next` on. A neighbour without
// weight is not looked at: it may be infinite.
double Interpolate(const TensorRef& x, const std::vector<AxisTaps>& axes, size_t next, Index& at,
                   const Index& out) {
  if (next == axes.size()) return GetDouble(x, Position(x.view->shape, at, x.view->shape.rank()));
  const AxisTaps& taps = axes[next];
  const auto i = static_cast<size_t>(out[taps.axis]);
  at[taps.axis] = taps.low[i];
  const double low = Interpolate(x, axes, next + 1, at, out);
  if (taps.weight[i] == 0) return low;
  at[taps.axis] = taps.high[i];
  const double high = Interpolate(x, axes, next + 1, at, out);
  return low * (1 - taps.weight[i]) + high * taps.weight[i];
}

// Between the four pixels of [H, W] (the last axes of x, from element `plane` on) around a point
// that lies inside.
double Bilinear(const TensorRef& x, int64_t plane, double h, double w) {
  const Shape& shape = x.view->shape;
  const int64_t height = shape[shape.rank() - 2], width = shape[shape.rank() - 1];
  const auto top = static_cast<int64_t>(h), left = static_cast<int64_t>(w);
  const double down = h - static_cast<double>(top), right = w - static_cast<double>(left);
  const int64_t below = std::min(top + 1, height - 1), beside = std::min(left + 1, width - 1);
  const auto row = [&](int64_t at) {
    const double first = GetDouble(x, plane + at * width + left);
    if (right == 0) return first;
    return first * (1 - right) + GetDouble(x, plane + at * width + beside) * right;
  };
  return down == 0 ? row(top) : row(top) * (1 - down) + row(below) * down;
}

// Boxes as crop_resize has them: iOS 15's roi (with or without the image's number in front) and iOS
// 17's boxes beside box_indices.
struct Boxes {
  bool roi = false;  // one operand for all; each box is for every image unless it has a number
  bool numbered = false;
  bool indices = false;  // operand 2 has the numbers
  bool normalized = false, height_first = true, centred = false;
  double scale = 1, pad = 0;
  Sampling sampling = Sampling::kTopLeft;

  int64_t entries() const { return roi && numbered ? 5 : 4; }
  // Runtime data: kept inside the batch.
  int64_t ImageOf(const RunContext& run, int64_t box, int64_t images) const {
    int64_t image = box;
    if (roi) image = GetInt(run.in[1], box * entries());
    if (indices) image = GetInt(run.in[2], box);
    return std::clamp<int64_t>(image, 0, images - 1);
  }
  // First and last point of the box along height (axis 0) or width (axis 1) of `size` pixels.
  std::pair<double, double> Ends(const RunContext& run, int64_t box, int axis, int64_t size) const {
    const int64_t first = box * entries() + (entries() - 4);
    const int64_t place = (axis == 0) == height_first ? 0 : 1;
    double a = GetDouble(run.in[1], first + place), b = GetDouble(run.in[1], first + place + 2);
    if (centred) {
      const double half = b / 2;
      b = a + half;
      a -= half;
    }
    const double factor = scale * (normalized ? static_cast<double>(size - 1) : 1);
    return {a * factor, b * factor};
  }
};

Boxes ReadBoxes(OpSite& site, Sampling sampling) {
  Boxes boxes;
  boxes.sampling = sampling;
  boxes.roi = site.Has("roi");
  boxes.numbered = boxes.roi && site.TypeOf("roi").shape[2] == 5;
  site.Use("x");
  site.Use(boxes.roi ? "roi" : "boxes");
  boxes.indices = !boxes.roi && site.Has("box_indices");
  if (boxes.indices) site.Use("box_indices");
  boxes.normalized = site.BoolOr("normalized_coordinates", false);
  const std::string mode = site.Text("box_coordinate_mode");
  boxes.height_first = mode.ends_with("HEIGHT_FIRST");
  boxes.centred = mode.starts_with("CENTER");
  boxes.scale = site.DoubleOr("spatial_scale", 1);
  boxes.pad = site.DoubleOr("pad_value", 0);
  return boxes;
}

// One crop of one channel: element (i, j) of target [H, W].
double CropOne(const Boxes& boxes, const RunContext& run, int64_t box, int64_t plane,
               const std::array<int64_t, 2>& size, const std::array<int64_t, 2>& target,
               const std::array<int64_t, 2>& at) {
  std::array<double, 2> point;
  for (int axis = 0; axis < 2; ++axis) {
    const auto [first, last] = boxes.Ends(run, box, axis, size[axis]);
    point[axis] = first + GridPoint(boxes.sampling, last - first + 1, target[axis], at[axis]);
    // Not a number is outside too.
    if (!(point[axis] >= 0 && point[axis] <= static_cast<double>(size[axis] - 1))) return boxes.pad;
  }
  return Bilinear(run.in[0], plane, point[0], point[1]);
}

}  // namespace

MadeKernel MakeResize(OpSite& site) {
  absl::StatusOr<std::vector<AxisTaps>> axes = ReadResize(site);
  if (!axes.ok()) return axes.status();
  site.Use("x");
  return MakeFunctionKernel([axes = *std::move(axes)](const RunContext& run) {
    Index index{};
    int64_t i = 0;
    do {
      Index at = index;
      PutDouble(run.out[0], i++, Interpolate(run.in[0], axes, 0, at, index));
    } while (Advance(run.out[0].view->shape, index));
  });
}

MadeKernel MakeCropResize(OpSite& site) {
  absl::StatusOr<Sampling> sampling = ReadSampling(site);
  if (!sampling.ok()) return sampling.status();
  const Shape x = site.TypeOf("x").shape, out = site.ResultType().shape;
  const Boxes boxes = ReadBoxes(site, *sampling);
  const int rank = out.rank();
  return MakeFunctionKernel([=](const RunContext& run) {
    Index index{};
    int64_t i = 0;
    do {  // out: [box, (image,) channel, h, w]
      const bool every = boxes.roi && !boxes.numbered;
      const int64_t image = every ? index[1] : boxes.ImageOf(run, index[0], x[0]);
      const int64_t plane = (image * x[1] + index[rank - 3]) * x[2] * x[3];
      PutDouble(run.out[0], i++,
                CropOne(boxes, run, index[0], plane, {x[2], x[3]}, {out[rank - 2], out[rank - 1]},
                        {index[rank - 2], index[rank - 1]}));
    } while (Advance(out, index));
  });
}

}  // namespace anex::device::cpu::reference
