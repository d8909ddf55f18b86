// For any processor: what the compiler makes of plain loops (NEON on Arm, SSE2 on x86-64).

#include "proto/wire/half.h"
#include "server/device/cpu/vector_ops_variants.h"

namespace anex::device::cpu {
namespace {

constexpr char kName[] = "plain";

void HalfToFloatBlock(const uint16_t* from, float* to) {
  for (int i = 0; i < 16; ++i) {
    const uint16_t half = from[i];
    const bool nan = (half & 0x7fffu) > 0x7c00u;
    to[i] = HalfToFloat(static_cast<uint16_t>(half | (nan ? 0x200u : 0u)));
  }
}

void FloatToHalfBlock(const float* from, uint16_t* to) {
  for (int i = 0; i < 16; ++i) to[i] = FloatToHalf(from[i]);
}

#include "server/device/cpu/vector_ops_body.inc"

}  // namespace

const VectorOps& PlainVectorOps() { return kOps; }

}  // namespace anex::device::cpu
