// Which elements of quantised data share a scale and a zero point. Pure.
#ifndef ANEX_SERVER_DEVICE_CPU_QUANTIZE_SHAPE_H_
#define ANEX_SERVER_DEVICE_CPU_QUANTIZE_SHAPE_H_

#include <cstdint>
#include <string_view>

#include "server/device/cpu/op_site.h"

namespace anex::device::cpu {

// Data seen as [outer, places, inner]: one scale for all, or one per place.
struct QuantizeShape {
  int64_t outer = 1, places = 1, inner = 1;
};

// Of quantize, dequantize and constexpr_affine_dequantize, whose data is the argument `data`.
inline QuantizeShape ReadQuantize(const OpSite& site, std::string_view data) {
  const Shape& shape = site.TypeOf(data).shape;
  QuantizeShape seen;
  const int axis = FromZero(site.IntOr("axis", 0), shape.rank());
  for (int i = 0; i < shape.rank(); ++i) {
    (i < axis ? seen.outer : i == axis ? seen.places : seen.inner) *= shape[i];
  }
  return seen;
}

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_QUANTIZE_SHAPE_H_
