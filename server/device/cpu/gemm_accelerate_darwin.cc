// The interface of before macOS 13.3 is deprecated; this names the other one.
#define ACCELERATE_NEW_LAPACK
#include <Accelerate/Accelerate.h>
#include <stdlib.h>

#include "server/device/cpu/gemm.h"

namespace anex::device::cpu {

void Gemm(int64_t m, int64_t n, int64_t k, const GemmOperand& a, const GemmOperand& b, float* c,
          int64_t c_stride) {
  cblas_sgemm(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans,
              b.transposed ? CblasTrans : CblasNoTrans, static_cast<int>(m), static_cast<int>(n),
              static_cast<int>(k), 1.0f, a.data, static_cast<int>(a.row_stride), b.data,
              static_cast<int>(b.row_stride), 0.0f, c, static_cast<int>(c_stride));
}

// Accelerate takes this from the environment, read once when it is first used (macOS 14).
void UseOneBlasThread() { setenv("VECLIB_MAXIMUM_THREADS", "1", 1); }

std::string_view GemmLibrary() { return "Accelerate"; }

}  // namespace anex::device::cpu
