// Compiled with -mavx2 -mf16c.

#include <immintrin.h>

#include "server/device/cpu/vector_ops_variants.h"

namespace anex::device::cpu {
namespace {

constexpr char kName[] = "AVX2";

void HalfToFloatBlock(const uint16_t* from, float* to) {
  for (int i = 0; i < 16; i += 8) {
    const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i));
    _mm256_storeu_ps(to + i, _mm256_cvtph_ps(half));
  }
}

// The instruction keeps a NaN's payload; FloatToHalf has one NaN per sign.
void FloatToHalfBlock(const float* from, uint16_t* to) {
  for (int i = 0; i < 16; i += 8) {
    const __m256 value = _mm256_loadu_ps(from + i);
    const __m256 nan = _mm256_cmp_ps(value, value, _CMP_UNORD_Q);
    const __m256 sign = _mm256_and_ps(value, _mm256_set1_ps(-0.0f));
    const __m256 quiet = _mm256_or_ps(sign, _mm256_castsi256_ps(_mm256_set1_epi32(0x7fc00000)));
    const __m256 clean = _mm256_blendv_ps(value, quiet, nan);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i),
                     _mm256_cvtps_ph(clean, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }
}

#include "server/device/cpu/vector_ops_body.inc"

}  // namespace

const VectorOps& Avx2VectorOps() { return kOps; }

}  // namespace anex::device::cpu
