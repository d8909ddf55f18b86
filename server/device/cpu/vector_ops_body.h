// The loops of vector_ops.h, included once by each vector_ops_<set>.cc after it has defined
// HalfToFloatBlock, FloatToHalfBlock and kName in its anonymous namespace. No inline function of
// any other header is called here: the linker would keep one copy of it for the whole program,
// possibly one with instructions that the processor does not have.

constexpr float kInfinity = __builtin_inff();

inline float FromBits(uint32_t bits) { return __builtin_bit_cast(float, bits); }
inline uint32_t ToBits(float value) { return __builtin_bit_cast(uint32_t, value); }
inline float Pick(bool condition, float yes, float no) { return condition ? yes : no; }

// exp as 2^n times a polynomial (Cephes' coefficients, error below 2 units in the last place). The
// power is applied in two halves so that results near the ends of the range come out right.
inline float Exp(float x) {
  const float bounded = Pick(x > 89.0f, 89.0f, Pick(x < -104.0f, -104.0f, x));
  const float scaled = bounded * 1.44269504088896341f;
  const float n = (scaled + 12582912.0f) - 12582912.0f;  // 1.5 * 2^23: rounds to an integer
  const float r = (bounded - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = (p * r * r + r) + 1.0f;
  // n of a NaN is a NaN; picking 0 keeps the conversion to int defined.
  const int32_t whole = static_cast<int32_t>(Pick(n == n, n, 0.0f));
  const int32_t half = whole >> 1;
  const float first = FromBits(static_cast<uint32_t>(half + 127) << 23);
  const float second = FromBits(static_cast<uint32_t>(whole - half + 127) << 23);
  return p * first * second;
}

inline float Sigmoid(float x) { return 1.0f / (1.0f + Exp(-x)); }

// Near 0 the quotient would cancel; there the odd polynomial of Cephes.
inline float Tanh(float x) {
  const float magnitude = FromBits(ToBits(x) & 0x7fffffffu);
  const float square = x * x;
  float p = -5.70498872745e-3f;
  p = p * square + 2.06390887954e-2f;
  p = p * square - 5.37397155531e-2f;
  p = p * square + 1.33314422036e-1f;
  p = p * square - 3.33332819422e-1f;
  const float small = p * square * x + x;
  const float large = 1.0f - 2.0f / (Exp(2.0f * magnitude) + 1.0f);
  const float signed_large = FromBits(ToBits(large) | (ToBits(x) & 0x80000000u));
  return Pick(magnitude < 0.625f, small, Pick(x == x, signed_large, x));
}

// Elementwise loops: one per row of ANEX_CPU_ELEMENTWISE.
#define ANEX_LOOP(name, expression)                                                           \
  void name(const float* xs, const float* ys, const float* zs, float* out, size_t n, float a, \
            float b) {                                                                        \
    (void)ys, (void)zs, (void)a, (void)b;                                                     \
    for (size_t i = 0; i < n; ++i) {                                                          \
      const float x = xs[i];                                                                  \
      out[i] = (expression);                                                                  \
    }                                                                                         \
  }
#define ANEX_LOOP2(name, expression)                                                          \
  void name(const float* xs, const float* ys, const float* zs, float* out, size_t n, float a, \
            float b) {                                                                        \
    (void)zs, (void)a, (void)b;                                                               \
    for (size_t i = 0; i < n; ++i) {                                                          \
      const float x = xs[i], y = ys[i];                                                       \
      out[i] = (expression);                                                                  \
    }                                                                                         \
  }

ANEX_LOOP(kCast, x)
ANEX_LOOP(kAbs, __builtin_fabsf(x))
ANEX_LOOP(kSign, Pick(x > 0, 1.0f, Pick(x < 0, -1.0f, x)))
ANEX_LOOP(kSquare, x* x)
ANEX_LOOP(kSqrt, __builtin_sqrtf(x))
ANEX_LOOP(kRsqrt, 1.0f / __builtin_sqrtf(x + a))
ANEX_LOOP(kInverse, 1.0f / (x + a))
ANEX_LOOP(kExp, Exp(x))
ANEX_LOOP(kExp2, __builtin_exp2f(x))
// In double: near 1 the logarithm is what the rounding of x + a would have taken away.
ANEX_LOOP(kLog, static_cast<float>(__builtin_log(double{x} + double{a})))
ANEX_LOOP(kSin, __builtin_sinf(x))
ANEX_LOOP(kCos, __builtin_cosf(x))
ANEX_LOOP(kErf, __builtin_erff(x))
ANEX_LOOP(kFloor, __builtin_floorf(x))
ANEX_LOOP(kCeil, __builtin_ceilf(x))
ANEX_LOOP(kRound, __builtin_nearbyintf(x))
ANEX_LOOP(kSigmoid, Sigmoid(x))
ANEX_LOOP(kTanh, Tanh(x))
ANEX_LOOP(kRelu, Pick(x < 0, 0.0f, x))
ANEX_LOOP(kRelu6, Pick(x < 0, 0.0f, Pick(x > 6, 6.0f, x)))
ANEX_LOOP(kLeakyRelu, Pick(x < 0, a* x, x))
ANEX_LOOP(kElu, Pick(x < 0, a* __builtin_expm1f(x), x))
ANEX_LOOP(kSilu, x* Sigmoid(x))
ANEX_LOOP(kSoftplus, Pick(x < 0, 0.0f, x) + __builtin_log1pf(Exp(-__builtin_fabsf(x))))
ANEX_LOOP(kSigmoidHard, Pick(a* x + b < 0, 0.0f, Pick(a* x + b > 1, 1.0f, a* x + b)))
ANEX_LOOP(kLinear, a* x + b)
ANEX_LOOP(kThreshold, Pick(x < a, a, x))
ANEX_LOOP(kGeluExact, 0.5f * x * __builtin_erfcf(x * -0.70710678118654752f))
ANEX_LOOP(kGeluTanh, x* Sigmoid(1.5957691216057308f * (x + 0.044715f * x * x * x)))
ANEX_LOOP(kGeluSigmoid, x* Sigmoid(1.702f * x))
ANEX_LOOP(kClip, Pick(x < a, a, Pick(x > b, b, x)))
ANEX_LOOP(kLogicalNot, Pick(x == 0, 1.0f, 0.0f))
ANEX_LOOP2(kAdd, x + y)
ANEX_LOOP2(kSub, x - y)
ANEX_LOOP2(kMul, x* y)
ANEX_LOOP2(kRealDiv, x / y)
ANEX_LOOP2(kFloorDiv, __builtin_floorf(x / y))
ANEX_LOOP2(kMod, x - __builtin_floorf(x / y) * y)
ANEX_LOOP2(kMaximum, Pick(x == x, Pick(x > y, x, y), x))
ANEX_LOOP2(kMinimum, Pick(x == x, Pick(x < y, x, y), x))
ANEX_LOOP2(kPow, __builtin_powf(x, y))
ANEX_LOOP2(kEqual, Pick(x == y, 1.0f, 0.0f))
ANEX_LOOP2(kNotEqual, Pick(x != y, 1.0f, 0.0f))
ANEX_LOOP2(kLess, Pick(x < y, 1.0f, 0.0f))
ANEX_LOOP2(kLessEqual, Pick(x <= y, 1.0f, 0.0f))
ANEX_LOOP2(kGreater, Pick(x > y, 1.0f, 0.0f))
ANEX_LOOP2(kGreaterEqual, Pick(x >= y, 1.0f, 0.0f))
ANEX_LOOP2(kLogicalAnd, Pick((x != 0) & (y != 0), 1.0f, 0.0f))
ANEX_LOOP2(kLogicalOr, Pick((x != 0) | (y != 0), 1.0f, 0.0f))
ANEX_LOOP2(kLogicalXor, Pick((x != 0) != (y != 0), 1.0f, 0.0f))

ANEX_LOOP(PowerHalf, Pick(x == -kInfinity, kInfinity, __builtin_sqrtf(x + 0.0f)))
ANEX_LOOP(PowerMinusHalf, Pick(x == -kInfinity, 0.0f, 1.0f / __builtin_sqrtf(x + 0.0f)))

void kSelect(const float* condition, const float* yes, const float* no, float* out, size_t n, float,
             float) {
  for (size_t i = 0; i < n; ++i) out[i] = Pick(condition[i] != 0, yes[i], no[i]);
}

// Reductions: lane l takes elements l, l + 16, ...; the lanes are added in order at the end.
constexpr size_t kLanes = 16;

#define ANEX_SUM(term)                                  \
  double lane[kLanes] = {};                             \
  size_t i = 0;                                         \
  for (; i + kLanes <= n; i += kLanes) {                \
    for (size_t l = 0; l < kLanes; ++l) {               \
      const double x = xs[i + l];                       \
      lane[l] += (term);                                \
    }                                                   \
  }                                                     \
  for (size_t l = 0; i < n; ++i, ++l) {                 \
    const double x = xs[i];                             \
    lane[l] += (term);                                  \
  }                                                     \
  double total = 0;                                     \
  for (size_t l = 0; l < kLanes; ++l) total += lane[l]; \
  return total;

double Sum(const float* xs, size_t n) { ANEX_SUM(x) }
double SumAbs(const float* xs, size_t n) { ANEX_SUM(__builtin_fabs(x)) }
double SumSquares(const float* xs, size_t n) { ANEX_SUM(x * x) }
double SumSquaredDifferences(const float* xs, double mean, size_t n) {
  ANEX_SUM((x - mean) * (x - mean))
}

// 64 lanes: the compiler unrolls an inner loop of 16 and then finds no vectors in it.
constexpr size_t kManyLanes = 64;
// A NaN stays: it is picked when it comes, and no number compares with it afterwards.
#define ANEX_EXTREME(start, better)                                              \
  float lane[kManyLanes];                                                            \
  for (size_t l = 0; l < kManyLanes; ++l) lane[l] = (start);                         \
  size_t i = 0;                                                                  \
  for (; i + kManyLanes <= n; i += kManyLanes) {                                         \
    for (size_t l = 0; l < kManyLanes; ++l) {                                        \
      const float x = xs[i + l];                                                 \
      lane[l] = Pick(x == x, Pick(x better lane[l], x, lane[l]), x);             \
    }                                                                            \
  }                                                                              \
  for (size_t l = 0; i < n; ++i, ++l) {                                          \
    lane[l] = Pick(xs[i] == xs[i], Pick(xs[i] better lane[l], xs[i], lane[l]), xs[i]); \
  }                                                                              \
  float best = lane[0];                                                          \
  for (size_t l = 1; l < kManyLanes; ++l) {                                          \
    best = Pick(lane[l] == lane[l], Pick(lane[l] better best, lane[l], best), lane[l]); \
  }                                                                              \
  return best;

float Max(const float* xs, size_t n) { ANEX_EXTREME(-kInfinity, >) }
float Min(const float* xs, size_t n) { ANEX_EXTREME(kInfinity, <) }

double ExpMinus(const float* xs, float shift, float* out, size_t n) {
  for (size_t i = 0; i < n; ++i) out[i] = Exp(xs[i] - shift);
  return Sum(out, n);
}

void MultiplyBy(float* x, float by, size_t n) {
  for (size_t i = 0; i < n; ++i) x[i] *= by;
}
void DivideBy(float* x, float by, size_t n) {
  for (size_t i = 0; i < n; ++i) x[i] /= by;
}

void Normalize(const float* xs, double mean, double scale, float* out, size_t n) {
  for (size_t i = 0; i < n; ++i) out[i] = static_cast<float>((double{xs[i]} - mean) * scale);
}

void AddColumns(const float* xs, double* total, size_t n) {
  for (size_t i = 0; i < n; ++i) total[i] += double{xs[i]};
}
void AddAbsColumns(const float* xs, double* total, size_t n) {
  for (size_t i = 0; i < n; ++i) total[i] += __builtin_fabs(double{xs[i]});
}
void AddSquaresColumns(const float* xs, double* total, size_t n) {
  for (size_t i = 0; i < n; ++i) total[i] += double{xs[i]} * double{xs[i]};
}

// Whole blocks of 16, then the rest through a block of their own.
void HalfToFloatAll(const uint16_t* from, float* to, size_t n) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) HalfToFloatBlock(from + i, to + i);
  if (i == n) return;
  uint16_t in[kLanes] = {};
  float out[kLanes];
  for (size_t l = 0; i + l < n; ++l) in[l] = from[i + l];
  HalfToFloatBlock(in, out);
  for (size_t l = 0; i + l < n; ++l) to[i + l] = out[l];
}

void FloatToHalfAll(const float* from, uint16_t* to, size_t n) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) FloatToHalfBlock(from + i, to + i);
  if (i == n) return;
  float in[kLanes] = {};
  uint16_t out[kLanes];
  for (size_t l = 0; i + l < n; ++l) in[l] = from[i + l];
  FloatToHalfBlock(in, out);
  for (size_t l = 0; i + l < n; ++l) to[i + l] = out[l];
}

constexpr VectorOps kOps = {
    kName,
    HalfToFloatAll,
    FloatToHalfAll,
    {
#define ANEX_CPU_LOOP(name, mil, operands) name,
        ANEX_CPU_ELEMENTWISE(ANEX_CPU_LOOP)
#undef ANEX_CPU_LOOP
    },
    Sum,
    SumAbs,
    SumSquares,
    SumSquaredDifferences,
    Max,
    Min,
    ExpMinus,
    MultiplyBy,
    DivideBy,
    Normalize,
    PowerHalf,
    PowerMinusHalf,
    AddColumns,
    AddAbsColumns,
    AddSquaresColumns,
};

#undef ANEX_LOOP
#undef ANEX_LOOP2
#undef ANEX_SUM
#undef ANEX_EXTREME
