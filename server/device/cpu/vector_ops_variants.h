// The variants that this build has. Private to vector_ops*.cc.
#ifndef ANEX_SERVER_DEVICE_CPU_VECTOR_OPS_VARIANTS_H_
#define ANEX_SERVER_DEVICE_CPU_VECTOR_OPS_VARIANTS_H_

#include "server/device/cpu/vector_ops.h"

namespace anex::device::cpu {

const VectorOps& PlainVectorOps();
// x86-64 only. REQUIRES (to call what is in them): the processor has those instructions.
const VectorOps& Avx2VectorOps();
const VectorOps& Avx512VectorOps();

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_VECTOR_OPS_VARIANTS_H_
