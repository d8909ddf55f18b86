// resample and affine: images read at points that are computed or given at run time.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "server/device/cpu/function_kernel.h"
#include "server/device/cpu/reference/element.h"
#include "server/device/cpu/reference/reference.h"

namespace anex::device::cpu::reference {
namespace {

enum class Padding : uint8_t { kConstant, kBorder, kReflection, kSymmetric };
enum class Coordinates : uint8_t { kPixels, kMinusOneToOne, kZeroToOne };

struct Sampler {
  bool nearest = false, align_corners = false;
  Padding padding = Padding::kConstant;
  Coordinates coordinates = Coordinates::kPixels;
  double value = 0;  // of constant padding

  // A coordinate in pixels of an axis of `size`.
  double ToPixels(double at, int64_t size) const {
    if (coordinates == Coordinates::kPixels) return at;
    const double zero_to_one = coordinates == Coordinates::kZeroToOne ? at : (at + 1) / 2;
    const auto n = static_cast<double>(size);
    return align_corners ? zero_to_one * (n - 1) : zero_to_one * n - 0.5;
  }
  // The other way round, for pixel `i`: where an affine map starts from.
  double FromPixel(int64_t i, int64_t size) const {
    if (coordinates == Coordinates::kPixels) return static_cast<double>(i);
    const auto n = static_cast<double>(size), at = static_cast<double>(i);
    const double zero_to_one = !align_corners ? (at + 0.5) / n : size > 1 ? at / (n - 1) : 0.5;
    return coordinates == Coordinates::kZeroToOne ? zero_to_one : zero_to_one * 2 - 1;
  }
  // Brings a point into the image, unless padding is constant.
  double Folded(double at, int64_t size) const {
    const double last = static_cast<double>(size - 1);
    if (padding == Padding::kConstant) return at;
    if (padding == Padding::kReflection) at = Reflected(at, 0, last);
    if (padding == Padding::kSymmetric) at = Reflected(at, -0.5, last + 0.5);
    return at > 0 ? std::min(at, last) : 0;  // NaN: 0
  }
  static double Reflected(double at, double low, double high) {
    const double span = high - low;
    if (span <= 0) return low;
    const double over = std::fmod(std::fabs(at - low), 2 * span);
    return low + (over > span ? 2 * span - over : over);
  }
};

// The pixel, or the padding around the image.
double PixelAt(const Sampler& sampler, const TensorRef& x, int64_t plane, double h, double w) {
  const Shape& shape = x.view->shape;
  const bool inside =
      h >= 0 && h < static_cast<double>(shape[2]) && w >= 0 && w < static_cast<double>(shape[3]);
  if (!inside) return sampler.value;
  return GetDouble(x, plane + static_cast<int64_t>(h) * shape[3] + static_cast<int64_t>(w));
}

// Whether a pixel has a share in this point; none has in NaN. Far outside, where one more than a
// coordinate is the same number, the corners around the point would be one and count several times.
bool MeetsImage(const Shape& shape, double h, double w) {
  return h > -1 && h < static_cast<double>(shape[2]) && w > -1 && w < static_cast<double>(shape[3]);
}

double SampleAt(const Sampler& sampler, const TensorRef& x, int64_t plane, double h, double w) {
  h = sampler.Folded(sampler.ToPixels(h, x.view->shape[2]), x.view->shape[2]);
  w = sampler.Folded(sampler.ToPixels(w, x.view->shape[3]), x.view->shape[3]);
  if (sampler.padding == Padding::kConstant && !MeetsImage(x.view->shape, h, w)) {
    return sampler.value;
  }
  if (sampler.nearest) {
    return PixelAt(sampler, x, plane, std::nearbyint(h), std::nearbyint(w));
  }
  const double top = std::floor(h), left = std::floor(w);
  double sum = 0;
  for (int corner = 0; corner < 4; ++corner) {
    const double row = top + (corner / 2), column = left + (corner % 2);
    const double weight = (1 - std::fabs(h - row)) * (1 - std::fabs(w - column));
    // A neighbour without weight is not looked at: it may be infinite.
    if (weight != 0) sum += weight * PixelAt(sampler, x, plane, row, column);
  }
  return sum;
}

Sampler ReadSampler(const OpSite& site) {
  Sampler sampler;
  sampler.nearest = site.Text("sampling_mode") == "nearest";
  sampler.align_corners = site.Bool("align_corners");
  sampler.value = site.DoubleOr("padding_value", 0);
  const std::string& padding = site.Text("padding_mode");
  if (padding == "border") sampler.padding = Padding::kBorder;
  if (padding == "reflection") sampler.padding = Padding::kReflection;
  if (padding == "symmetric") sampler.padding = Padding::kSymmetric;
  const std::string& mode = site.Text("coordinates_mode");
  if (mode == "normalized_minus_one_to_one") sampler.coordinates = Coordinates::kMinusOneToOne;
  if (mode == "normalized_zero_to_one") sampler.coordinates = Coordinates::kZeroToOne;
  return sampler;
}

// A kernel that reads image n for each element [n, c, h, w] of its result at `where(run, n, h, w)`,
// as {h, w}.
template <typename F>
std::unique_ptr<Kernel> MakeSampled(const OpSite& site, F where) {
  const Shape x = site.TypeOf("x").shape, out = site.ResultType().shape;
  return MakeFunctionKernel([=, sampler = ReadSampler(site)](const RunContext& run) {
    Index o{};
    int64_t i = 0;
    do {
      const std::array<double, 2> at = where(run, o);
      const int64_t plane = (o[0] * x[1] + o[1]) * x[2] * x[3];
      PutDouble(run.out[0], i++, SampleAt(sampler, run.in[0], plane, at[0], at[1]));
    } while (Advance(out, o));
  });
}

}  // namespace

// coordinates[n, h, w] = (x, y)
MadeKernel MakeResample(OpSite& site) {
  site.Use("x");
  site.Use("coordinates");
  const Shape out = site.ResultType().shape;
  return MakeSampled(site, [out](const RunContext& run, const Index& o) -> std::array<double, 2> {
    const int64_t first = ((o[0] * out[2] + o[2]) * out[3] + o[3]) * 2;
    return {GetDouble(run.in[1], first + 1), GetDouble(run.in[1], first)};
  });
}

// transform_matrix[n] = a0 a1 a2 b0 b1 b2: x' = a0 x + a1 y + a2, y' = b0 x + b1 y + b2.
MadeKernel MakeAffine(OpSite& site) {
  site.Use("x");
  site.Use("transform_matrix");
  const Shape out = site.ResultType().shape;
  const bool one = site.TypeOf("transform_matrix").shape[0] == 1;
  const Sampler sampler = ReadSampler(site);
  return MakeSampled(site, [=](const RunContext& run, const Index& o) -> std::array<double, 2> {
    const double x = sampler.FromPixel(o[3], out[3]), y = sampler.FromPixel(o[2], out[2]);
    const int64_t first = one ? 0 : o[0] * 6;
    const auto row = [&](int64_t at) {
      return GetDouble(run.in[1], at) * x + GetDouble(run.in[1], at + 1) * y +
             GetDouble(run.in[1], at + 2);
    };
    return {row(first + 3), row(first)};
  });
}

}  // namespace anex::device::cpu::reference
