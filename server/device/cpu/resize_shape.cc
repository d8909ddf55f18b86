#include "server/device/cpu/resize_shape.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"

namespace anex::device::cpu {
namespace {

AxisTaps LinearTaps(int axis, Sampling sampling, int64_t in, int64_t out) {
  AxisTaps taps{axis, {}, {}, {}};
  for (int64_t i = 0; i < out; ++i) {
    const double point = GridPoint(sampling, static_cast<double>(in), out, i);
    const auto low = static_cast<int64_t>(point);
    taps.low.push_back(low);
    taps.high.push_back(std::min(low + 1, in - 1));
    taps.weight.push_back(point - static_cast<double>(low));
  }
  return taps;
}

// From the top left corner down, in whole numbers; the other samplings take the nearest point.
AxisTaps NearestTaps(int axis, Sampling sampling, int64_t in, int64_t out) {
  AxisTaps taps{axis, {}, {}, std::vector<double>(static_cast<size_t>(out), 0.0)};
  for (int64_t i = 0; i < out; ++i) {
    if (sampling == Sampling::kTopLeft) {
      taps.low.push_back(i * in / out);
    } else {
      const double point = GridPoint(sampling, static_cast<double>(in), out, i);
      taps.low.push_back(std::min(in - 1, static_cast<int64_t>(point + 0.5)));
    }
  }
  taps.high = taps.low;
  return taps;
}

absl::StatusOr<Sampling> SamplingOf(const OpSite& site) {
  if (site.op() != "upsample_bilinear") {
    return site.Has("sampling_mode") ? ReadSampling(site) : Sampling::kTopLeft;
  }
  const bool align = site.BoolOr("align_corners", true);
  if (align) return Sampling::kStrictAlignCorners;
  return site.BoolOr("half_pixel_centers", true) ? Sampling::kUnalignCorners : Sampling::kTopLeft;
}

bool IsNearest(const OpSite& site) {
  if (site.op() == "resize") return site.Text("interpolation_mode") == "NEAREST_NEIGHBOR";
  return site.op().ends_with("nearest_neighbor");
}

}  // namespace

absl::StatusOr<Sampling> ReadSampling(const OpSite& site) {
  const std::string& mode = site.Text("sampling_mode");
  if (mode == "DEFAULT") return Sampling::kTopLeft;
  if (mode == "STRICT_ALIGN_CORNERS") return Sampling::kStrictAlignCorners;
  if (mode == "ALIGN_CORNERS") return Sampling::kAlignCorners;
  if (mode == "OFFSET_CORNERS") return Sampling::kOffsetCorners;
  if (mode == "UNALIGN_CORNERS") return Sampling::kUnalignCorners;
  return site.Unsupported(absl::StrCat("unknown sampling_mode ", mode));
}

double GridPoint(Sampling sampling, double in, int64_t out, int64_t i) {
  const auto at = static_cast<double>(i), count = static_cast<double>(out);
  double point = 0;
  switch (sampling) {
    case Sampling::kTopLeft:
      point = at * in / count;
      break;
    case Sampling::kAlignCorners:
    case Sampling::kStrictAlignCorners:
      if (out > 1) {
        point = at * (in - 1) / (count - 1);
      } else if (sampling == Sampling::kAlignCorners) {
        point = (in - 1) / 2;
      }
      break;
    case Sampling::kOffsetCorners:
      point = (at + 0.5) * std::max(1.0, in - 1) / count;
      break;
    case Sampling::kUnalignCorners:
      point = (at + 0.5) * in / count - 0.5;
      break;
  }
  return std::min(in - 1, std::max(0.0, point));
}

absl::StatusOr<std::vector<AxisTaps>> ReadResize(const OpSite& site) {
  const Shape &x = site.TypeOf("x").shape, &out = site.ResultType().shape;
  const absl::StatusOr<Sampling> sampling = SamplingOf(site);
  if (!sampling.ok()) return sampling.status();
  const int count = site.op() == "resize" ? static_cast<int>(site.Int("resized_dims")) : 2;
  std::vector<AxisTaps> all;
  for (int axis = x.rank() - count; axis < x.rank(); ++axis) {
    // The table of an axis takes 24 bytes per element: 100 MB.
    if (out[axis] > int64_t{1} << 22) return site.Unsupported("an axis of more than 2^22 elements");
    all.push_back(IsNearest(site) ? NearestTaps(axis, *sampling, x[axis], out[axis])
                                  : LinearTaps(axis, *sampling, x[axis], out[axis]));
  }
  return all;
}

}  // namespace anex::device::cpu
