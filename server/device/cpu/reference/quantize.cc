#include <cmath>

#include "server/device/cpu/function_kernel.h"
#include "server/device/cpu/quantize_shape.h"
#include "server/device/cpu/reference/element.h"
#include "server/device/cpu/reference/reference.h"

namespace anex::device::cpu::reference {
namespace {

// One scale and zero point for all, or one per place on an axis.
struct Scales : QuantizeShape {
  size_t scale = 0, zero_point = 0;  // operands; 0 = there is none

  // Element of a scale or zero point: one for all, or one per place.
  static double At(const TensorRef& numbers, int64_t place) {
    return GetDouble(numbers, numbers.view->elements() > 1 ? place : 0);
  }
};

Scales ReadScales(OpSite& site, std::string_view data) {
  Scales scales{ReadQuantize(site, data)};
  site.Use(data);
  scales.scale = site.Use("scale");
  if (site.Has("zero_point")) scales.zero_point = site.Use("zero_point");
  return scales;
}

// `f(value, scale, zero point)` for every element.
template <typename F>
std::unique_ptr<Kernel> MakeScaled(const Scales& scales, F f) {
  return MakeFunctionKernel([scales, f](const RunContext& run) {
    int64_t i = 0;
    for (int64_t row = 0; row < scales.outer * scales.places; ++row) {
      const int64_t place = row % scales.places;
      const double scale = Scales::At(run.in[scales.scale], place);
      const double zero = scales.zero_point == 0 ? 0 : Scales::At(run.in[scales.zero_point], place);
      for (const int64_t end = i + scales.inner; i < end; ++i) {
        PutDouble(run.out[0], i, f(GetDouble(run.in[0], i), scale, zero));
      }
    }
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
