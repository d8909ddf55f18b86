// The operations that compute each element of their result from one element of each operand. The
// list is shared by both modes; how each is computed is not.
#ifndef ANEX_SERVER_DEVICE_CPU_ELEMENTWISE_OP_H_
#define ANEX_SERVER_DEVICE_CPU_ELEMENTWISE_OP_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "server/device/cpu/op_site.h"

namespace anex::device::cpu {

// name in MIL, number of operands. `gelu` has three rows: its modes.
#define ANEX_CPU_ELEMENTWISE(X)              \
  X(kCast, "cast", 1)                        \
  X(kAbs, "abs", 1)                          \
  X(kSign, "sign", 1)                        \
  X(kSquare, "square", 1)                    \
  X(kSqrt, "sqrt", 1)                        \
  X(kRsqrt, "rsqrt", 1)                      \
  X(kInverse, "inverse", 1)                  \
  X(kExp, "exp", 1)                          \
  X(kExp2, "exp2", 1)                        \
  X(kLog, "log", 1)                          \
  X(kSin, "sin", 1)                          \
  X(kCos, "cos", 1)                          \
  X(kTan, "tan", 1)                          \
  X(kAsin, "asin", 1)                        \
  X(kAcos, "acos", 1)                        \
  X(kAtan, "atan", 1)                        \
  X(kSinh, "sinh", 1)                        \
  X(kCosh, "cosh", 1)                        \
  X(kAtanh, "atanh", 1)                      \
  X(kErf, "erf", 1)                          \
  X(kFloor, "floor", 1)                      \
  X(kCeil, "ceil", 1)                        \
  X(kRound, "round", 1)                      \
  X(kSigmoid, "sigmoid", 1)                  \
  X(kTanh, "tanh", 1)                        \
  X(kRelu, "relu", 1)                        \
  X(kRelu6, "relu6", 1)                      \
  X(kLeakyRelu, "leaky_relu", 1)             \
  X(kElu, "elu", 1)                          \
  X(kSilu, "silu", 1)                        \
  X(kSoftplus, "softplus", 1)                \
  X(kSigmoidHard, "sigmoid_hard", 1)         \
  X(kLinear, "linear_activation", 1)         \
  X(kThreshold, "threshold", 1)              \
  X(kThresholdedRelu, "thresholded_relu", 1) \
  X(kClampedRelu, "clamped_relu", 1)         \
  X(kScaledTanh, "scaled_tanh", 1)           \
  X(kSoftsign, "softsign", 1)                \
  X(kGeluExact, "gelu", 1)                   \
  X(kGeluTanh, "gelu", 1)                    \
  X(kGeluSigmoid, "gelu", 1)                 \
  X(kClip, "clip", 1)                        \
  X(kLogicalNot, "logical_not", 1)           \
  X(kAdd, "add", 2)                          \
  X(kSub, "sub", 2)                          \
  X(kMul, "mul", 2)                          \
  X(kRealDiv, "real_div", 2)                 \
  X(kFloorDiv, "floor_div", 2)               \
  X(kMod, "mod", 2)                          \
  X(kMaximum, "maximum", 2)                  \
  X(kMinimum, "minimum", 2)                  \
  X(kPow, "pow", 2)                          \
  X(kEqual, "equal", 2)                      \
  X(kNotEqual, "not_equal", 2)               \
  X(kLess, "less", 2)                        \
  X(kLessEqual, "less_equal", 2)             \
  X(kGreater, "greater", 2)                  \
  X(kGreaterEqual, "greater_equal", 2)       \
  X(kLogicalAnd, "logical_and", 2)           \
  X(kLogicalOr, "logical_or", 2)             \
  X(kLogicalXor, "logical_xor", 2)           \
  X(kPrelu, "prelu", 2)                      \
  X(kSelect, "select", 3)                    \
  X(kSoftplusParametric, "softplus_parametric", 3)

enum class ElementwiseOp : uint8_t {
#define ANEX_CPU_NAME(name, mil, operands) name,
  ANEX_CPU_ELEMENTWISE(ANEX_CPU_NAME)
#undef ANEX_CPU_NAME
};

#define ANEX_CPU_ONE(name, mil, operands) +1
inline constexpr size_t kElementwiseOps = 0 ANEX_CPU_ELEMENTWISE(ANEX_CPU_ONE);
#undef ANEX_CPU_ONE

// Numbers that go with the operation: rsqrt's epsilon; clip's lower and upper bound; leaky_relu's,
// elu's, threshold's and thresholded_relu's alpha; alpha and beta of sigmoid_hard,
// linear_activation, clamped_relu and scaled_tanh. Those of integers are whole as well: a double
// does not hold every int64.
struct ElementwiseParams {
  double a = 0, b = 0;
  int64_t whole_a = 0, whole_b = 0;  // of clip and threshold, if x holds integers
};

struct Elementwise {
  ElementwiseOp op;
  int operands;
  ElementwiseParams params;
};

// REQUIRES: site.op() is in the list. UNIMPLEMENTED for a mode of gelu that nobody knows.
absl::StatusOr<Elementwise> ReadElementwise(const OpSite& site);
// The names of the operands, in order.
std::span<const std::string_view> OperandNames(const Elementwise& elementwise);
// Operand number `i` as numpy would broadcast it: the numbers of prelu and softplus_parametric, one
// per channel, stand along axis 1 of a result of `rank` axes.
View BroadcastForm(const Elementwise& elementwise, size_t i, const View& view, int rank);

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_ELEMENTWISE_OP_H_
