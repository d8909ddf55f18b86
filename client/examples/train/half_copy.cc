#include "client/examples/train/half_copy.h"

#include <bit>
#include <cassert>
#include <cstdint>

namespace anex::train {
namespace {

// FloatToHalf of proto/wire/half.h with selections in place of branches, so that it vectorises.
inline uint16_t RoundToHalf(float value) {
  const uint32_t all = std::bit_cast<uint32_t>(value);
  const uint32_t sign = all & 0x80000000u;
  const uint32_t bits = all ^ sign;
  const uint32_t small = std::bit_cast<uint32_t>(std::bit_cast<float>(bits) + 0.5f) - 0x3f000000u;
  const uint32_t normal = (bits - 0x38000000u + 0xfffu + ((bits >> 13) & 1)) >> 13;
  const uint32_t large = bits > 0x7f800000u ? 0x7e00u : 0x7c00u;
  const uint32_t finite = bits < 0x38800000u ? small : normal;
  return static_cast<uint16_t>((bits >= 0x47800000u ? large : finite) | (sign >> 16));
}

}  // namespace

void FloatsToHalves(std::span<const float> from, std::span<Half> to) {
  assert(from.size() == to.size());
  const float* in = from.data();
  uint16_t* out = &to.data()->bits;
  for (size_t i = 0; i < from.size(); ++i) out[i] = RoundToHalf(in[i]);
}

void HalvesToFloats(std::span<const Half> from, std::span<float> to, float scale) {
  assert(from.size() == to.size());
  const Half* in = from.data();
  float* out = to.data();
  for (size_t i = 0; i < from.size(); ++i) out[i] = HalfToFloat(in[i].bits) * scale;
}

}  // namespace anex::train
