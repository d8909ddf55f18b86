// Loops over arrays of float, and the conversions from and to fp16: what the fast kernels are made
// of. The same source is compiled for several instruction sets (vector_ops_body.inc) and the best
// one that the processor has is picked once.
//
// Threads: pure functions. Invariant: every variant computes the same bits. There is no fused
// multiply-add (-ffp-contract=off) and sums have a fixed number of lanes, so nothing depends on the
// width of the registers.
#ifndef ANEX_SERVER_DEVICE_CPU_VECTOR_OPS_H_
#define ANEX_SERVER_DEVICE_CPU_VECTOR_OPS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "server/device/cpu/elementwise_op.h"

namespace anex::device::cpu {

// out[i] = f(x[i], y[i], z[i]); what an operation does not need may be null. `a`, `b`: see
// ElementwiseParams. `out` may be one of the inputs.
using ElementwiseLoop = void (*)(const float* x, const float* y, const float* z, float* out,
                                 size_t n, float a, float b);

struct VectorOps {
  const char* name;
  // As HalfToFloat and FloatToHalf, bit for bit, except that signalling NaNs come out quiet.
  void (*half_to_float)(const uint16_t* from, float* to, size_t n);
  void (*float_to_half)(const float* from, uint16_t* to, size_t n);
  ElementwiseLoop elementwise[kElementwiseOps];  // by ElementwiseOp
  // In double, 16 lanes: what rounding there is disappears in the one to fp16.
  double (*sum)(const float* x, size_t n);
  double (*sum_abs)(const float* x, size_t n);
  double (*sum_squares)(const float* x, size_t n);
  double (*sum_squared_differences)(const float* x, double mean, size_t n);
  float (*max)(const float* x, size_t n);  // NaN if there is one; -inf if n is 0
  float (*min)(const float* x, size_t n);
  // out[i] = exp(x[i] - shift); returns the sum.
  double (*exp_minus)(const float* x, float shift, float* out, size_t n);
  void (*multiply_by)(float* x, float by, size_t n);
  void (*divide_by)(float* x, float by, size_t n);
  // out[i] = (x[i] - mean) * scale + shift, in double, rounded once to float.
  void (*normalize)(const float* x, double mean, double scale, double shift, float* out, size_t n);
  // x to the powers 1/2 and -1/2 with pow's answers at the edges (-0, -inf).
  ElementwiseLoop power_half, power_minus_half;
  // Column by column: total[i] = op(total[i], x[i]).
  void (*add_columns)(const float* x, double* total, size_t n);
  void (*add_abs_columns)(const float* x, double* total, size_t n);
  void (*add_squares_columns)(const float* x, double* total, size_t n);
};

// The best one for this processor; the same for the process's life.
const VectorOps& ActiveVectorOps();
// All that run here, for tests that compare them; the plain one is first.
std::vector<const VectorOps*> RunnableVectorOps();

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_VECTOR_OPS_H_
