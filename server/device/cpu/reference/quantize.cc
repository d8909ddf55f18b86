#include <cmath>
#include <optional>

#include "server/device/cpu/function_kernel.h"
#include "server/device/cpu/reference/element.h"
#include "server/device/cpu/reference/reference.h"

namespace anex::device::cpu::reference {
namespace {

// One scale and zero point for all, or one per place on an axis.
struct Scales {
  Shape shape;
  int axis = 0;
  bool per_axis = false;
  size_t scale = 0, zero_point = 0;  // operands; 0 = there is none

  double ScaleAt(const RunContext& run, const Index& index) const {
    return GetDouble(run.in[scale], per_axis ? index[axis] : 0);
  }
  double ZeroAt(const RunContext& run, const Index& index) const {
    if (zero_point == 0) return 0;
    return GetDouble(run.in[zero_point], run.in[zero_point].view->elements() > 1 ? index[axis] : 0);
  }
};

Scales ReadScales(OpSite& site, std::string_view data) {
  Scales scales;
  scales.shape = site.TypeOf(data).shape;
  scales.axis = FromZero(site.IntOr("axis", 0), scales.shape.rank());
  scales.per_axis = site.TypeOf("scale").shape.ElementCount() > 1;
  site.Use(data);
  scales.scale = site.Use("scale");
  if (site.Has("zero_point")) scales.zero_point = site.Use("zero_point");
  return scales;
}

// `f(value, scale, zero point)` for every element.
template <typename F>
std::unique_ptr<Kernel> MakeScaled(const Scales& scales, F f) {
  return MakeFunctionKernel([scales, f](const RunContext& run) {
    Index index{};
    int64_t i = 0;
    do {
      const double result =
          f(GetDouble(run.in[0], i), scales.ScaleAt(run, index), scales.ZeroAt(run, index));
      PutDouble(run.out[0], i++, result);
    } while (Advance(scales.shape, index));
  });
}

}  // namespace

MadeKernel MakeQuantize(OpSite& site) {
  return MakeScaled(ReadScales(site, "input"), [](double x, double scale, double zero) {
    return std::nearbyint(x / scale) + zero;  // storing it stops at the type's ends
  });
}

MadeKernel MakeDequantize(OpSite& site) {
  const bool constant = site.op() == "constexpr_affine_dequantize";
  return MakeScaled(ReadScales(site, constant ? "quantized_data" : "input"),
                    [](double q, double scale, double zero) { return (q - zero) * scale; });
}

}  // namespace anex::device::cpu::reference
