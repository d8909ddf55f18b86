#include <cpuid.h>

#include "server/device/cpu/vector_ops_variants.h"

namespace anex::device::cpu {
namespace {

// __builtin_cpu_supports knows no "f16c" in clang.
bool HasF16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}

bool HasAvx2() { return __builtin_cpu_supports("avx2") && HasF16c(); }

bool HasAvx512() {
  return HasAvx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

}  // namespace

std::vector<const VectorOps*> RunnableVectorOps() {
  std::vector<const VectorOps*> runnable = {&PlainVectorOps()};
  if (HasAvx2()) runnable.push_back(&Avx2VectorOps());
  if (HasAvx512()) runnable.push_back(&Avx512VectorOps());
  return runnable;
}

const VectorOps& ActiveVectorOps() {
  static const VectorOps& best = *RunnableVectorOps().back();
  return best;
}

}  // namespace anex::device::cpu
