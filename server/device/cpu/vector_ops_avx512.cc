// Compiled with -mavx512f -mavx512bw -mavx512dq -mavx512vl -mf16c.

#include <immintrin.h>

#include "server/device/cpu/vector_ops_variants.h"

namespace anex::device::cpu {
namespace {

constexpr char kName[] = "AVX-512";

void HalfToFloatBlock(const uint16_t* from, float* to) {
  _mm512_storeu_ps(to, _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))));
}

// The instruction keeps a NaN's payload; FloatToHalf has one NaN per sign.
void FloatToHalfBlock(const float* from, uint16_t* to) {
  const __m512 value = _mm512_loadu_ps(from);
  const __mmask16 nan = _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
  const __m512i sign = _mm512_and_si512(_mm512_castps_si512(value), _mm512_set1_epi32(INT32_MIN));
  const __m512i quiet = _mm512_or_si512(sign, _mm512_set1_epi32(0x7fc00000));
  const __m512 clean = _mm512_mask_blend_ps(nan, value, _mm512_castsi512_ps(quiet));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                      _mm512_cvtps_ph(clean, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

#include "server/device/cpu/vector_ops_body.inc"

}  // namespace

const VectorOps& Avx512VectorOps() { return kOps; }

}  // namespace anex::device::cpu
