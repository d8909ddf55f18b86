// The one seam to CBLAS. Everything that multiplies matrices goes through here.
//
// Threads: any; each call computes on its caller's thread alone. Sharing out is the work pool's
// job: a library with threads of its own would split by how many there are, and the result would
// depend on the machine.
#ifndef ANEX_SERVER_DEVICE_CPU_GEMM_H_
#define ANEX_SERVER_DEVICE_CPU_GEMM_H_

#include <cstdint>
#include <string_view>

namespace anex::device::cpu {

// A row-major matrix as it lies; `transposed` reads it the other way round.
struct GemmOperand {
  const float* data;
  int64_t row_stride;  // elements from one stored row to the next
  bool transposed = false;
};

// c[m, n] = a[m, k] b[k, n], c row-major with `c_stride`. c is only written.
void Gemm(int64_t m, int64_t n, int64_t k, const GemmOperand& a, const GemmOperand& b, float* c,
          int64_t c_stride);

// Tells the library to keep to the caller's thread. Process-wide, idempotent.
void UseOneBlasThread();
// For people: "OpenBLAS 0.3.21 ...".
std::string_view GemmLibrary();

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_GEMM_H_
