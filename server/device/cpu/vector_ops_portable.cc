#include "server/device/cpu/vector_ops_variants.h"

namespace anex::device::cpu {

std::vector<const VectorOps*> RunnableVectorOps() { return {&PlainVectorOps()}; }

const VectorOps& ActiveVectorOps() { return PlainVectorOps(); }

}  // namespace anex::device::cpu
