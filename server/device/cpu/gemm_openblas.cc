#include <cblas.h>

#include "server/device/cpu/gemm.h"

namespace anex::device::cpu {

void Gemm(int64_t m, int64_t n, int64_t k, const GemmOperand& a, const GemmOperand& b, float* c,
          int64_t c_stride) {
  cblas_sgemm(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans,
              b.transposed ? CblasTrans : CblasNoTrans, static_cast<blasint>(m),
              static_cast<blasint>(n), static_cast<blasint>(k), 1.0f, a.data,
              static_cast<blasint>(a.row_stride), b.data, static_cast<blasint>(b.row_stride), 0.0f,
              c, static_cast<blasint>(c_stride));
}

void UseOneBlasThread() { openblas_set_num_threads(1); }

std::string_view GemmLibrary() { return openblas_get_config(); }

}  // namespace anex::device::cpu
