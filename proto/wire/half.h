// Conversions of the 16-bit floats: fp16 (IEEE binary16) and bf16. Pure functions, any thread.
//
// Every conversion rounds exactly once, to nearest with ties to even, subnormals included; values
// too large become infinity; a NaN stays a (quiet) NaN. Going up to float or double is exact. From
// a double there is one rounding, not two: going through float first would be wrong for values just
// above a tie (1 + 2^-11 + 2^-40 must become 1 + 2^-10, yet as a float it is the tie itself).
#ifndef ANEX_PROTO_WIRE_HALF_H_
#define ANEX_PROTO_WIRE_HALF_H_

#include <bit>
#include <cstdint>

namespace anex {

inline constexpr float kHalfMax = 65504.0f;  // the largest finite fp16

inline float HalfToFloat(uint16_t half) {
  const uint32_t sign = uint32_t{half & 0x8000u} << 16;
  const uint32_t exponent_and_mantissa = half & 0x7fffu;
  // The half's bits moved into a float's fields; multiplying by 2^112 repairs the exponent's bias
  // and normalises subnormals, both exactly.
  const float magnitude =
      std::bit_cast<float>(exponent_and_mantissa << 13) * std::bit_cast<float>(0x77800000u);
  const uint32_t bits = exponent_and_mantissa >= 0x7c00u
                            ? (exponent_and_mantissa << 13) | 0x7f800000u  // infinity, NaN
                            : std::bit_cast<uint32_t>(magnitude);
  return std::bit_cast<float>(bits | sign);
}

inline double HalfToDouble(uint16_t half) { return double{HalfToFloat(half)}; }

inline uint16_t FloatToHalf(float value) {
  const uint32_t all = std::bit_cast<uint32_t>(value);
  const uint32_t sign = all & 0x80000000u;
  const uint32_t bits = all ^ sign;
  uint32_t half;
  if (bits >= 0x47800000u) {  // 2^16 and above, infinity, NaN
    half = bits > 0x7f800000u ? 0x7e00u : 0x7c00u;
  } else if (bits < 0x38800000u) {            // below 2^-14: let the float adder round at bit 2^-24
    constexpr uint32_t kMagic = 0x3f000000u;  // 0.5, whose last bit is 2^-24
    half =
        std::bit_cast<uint32_t>(std::bit_cast<float>(bits) + std::bit_cast<float>(kMagic)) - kMagic;
  } else {
    const uint32_t odd = (bits >> 13) & 1;
    half =
        (bits - 0x38000000u + 0xfffu + odd) >> 13;  // a carry moves into the exponent, as it should
  }
  return static_cast<uint16_t>(half | (sign >> 16));
}

// Rounds `value` to a binary format of 16 bits with kMantissa stored mantissa bits.
template <int kMantissa>
inline uint16_t DoubleToSmallFloat(double value) {
  constexpr int kExponentBits = 15 - kMantissa;
  constexpr int kBias = (1 << (kExponentBits - 1)) - 1;
  constexpr uint16_t kInfinity = static_cast<uint16_t>(((1 << kExponentBits) - 1) << kMantissa);
  const uint64_t all = std::bit_cast<uint64_t>(value);
  const uint16_t sign = static_cast<uint16_t>((all >> 48) & 0x8000u);
  const uint64_t bits = all & ~(uint64_t{1} << 63);
  if (bits >= uint64_t{0x7ff} << 52) {
    const bool nan = bits > uint64_t{0x7ff} << 52;
    return static_cast<uint16_t>(sign | kInfinity | (nan ? 1u << (kMantissa - 1) : 0u));
  }
  const int exponent = static_cast<int>(bits >> 52) - 1023;
  if (exponent > kBias) return sign | kInfinity;
  // Below half of the smallest subnormal. (A double's own subnormals end here too.)
  if (exponent < -kBias - kMantissa) return sign;
  const uint64_t mantissa = (bits & ((uint64_t{1} << 52) - 1)) | (uint64_t{1} << 52);
  const int below_normal = exponent < 1 - kBias ? 1 - kBias - exponent : 0;
  const int shift = 52 - kMantissa + below_normal;
  const uint64_t rest = mantissa & ((uint64_t{1} << shift) - 1);
  const uint64_t tie = uint64_t{1} << (shift - 1);
  uint64_t kept = mantissa >> shift;
  kept += rest > tie || (rest == tie && (kept & 1)) ? 1 : 0;
  // `kept` holds the implicit bit of a normal number, hence the exponent field is one less.
  const uint64_t field = below_normal ? 0 : static_cast<uint64_t>(exponent + kBias - 1);
  return static_cast<uint16_t>(sign | ((field << kMantissa) + kept));
}

inline uint16_t DoubleToHalf(double value) { return DoubleToSmallFloat<10>(value); }

inline float Bf16ToFloat(uint16_t bf16) { return std::bit_cast<float>(uint32_t{bf16} << 16); }
inline double Bf16ToDouble(uint16_t bf16) { return double{Bf16ToFloat(bf16)}; }

inline uint16_t FloatToBf16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((bits >> 16) | 0x40u);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1)) >> 16);
}

inline uint16_t DoubleToBf16(double value) { return DoubleToSmallFloat<7>(value); }

}  // namespace anex

#endif  // ANEX_PROTO_WIRE_HALF_H_
