#include <array>
#include <cmath>
#include <optional>

#include "server/device/cpu/elementwise_op.h"
#include "server/device/cpu/function_kernel.h"
#include "server/device/cpu/reference/element.h"
#include "server/device/cpu/reference/integers.h"
#include "server/device/cpu/reference/reference.h"

namespace anex::device::cpu::reference {
namespace {

constexpr double kSqrtHalf = 0.70710678118654752440;
constexpr double kSqrtTwoOverPi = 0.79788456080286535588;

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double Softplus(double x) { return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x))); }

// A NaN stays.
double Clip(double x, double low, double high) { return x < low ? low : x > high ? high : x; }

// The quotient rounded down. Where it is so close to a whole number that it was rounded to it, the
// remainder, which is exact, tells on which side it lies.
double FloorDivide(double x, double y) {
  const double quotient = std::floor(x / y);
  const double rest = std::fmod(x, y);
  if (!std::isfinite(quotient) || std::isnan(rest)) return quotient;
  if (std::isinf(y)) return rest != 0 && (rest < 0) != (y < 0) ? -1 : quotient;
  const double whole = std::nearbyint((x - rest) / y);
  if (rest != 0 && (rest < 0) != (y < 0)) return whole - 1;
  return whole != 0 ? whole : std::copysign(0.0, quotient);
}

// With the sign of y, as in Python.
double Modulo(double x, double y) {
  const double rest = std::fmod(x, y);
  if (rest == 0) return std::copysign(0.0, y);
  return (rest < 0) != (y < 0) ? rest + y : rest;
}

double Activation(ElementwiseOp op, double x, double a, double b) {
  switch (op) {
    case ElementwiseOp::kSigmoid:
      return Sigmoid(x);
    case ElementwiseOp::kTanh:
      return std::tanh(x);
    case ElementwiseOp::kRelu:
      return x < 0 ? 0 : x;
    case ElementwiseOp::kRelu6:
      return x < 0 ? 0 : x > 6 ? 6 : x;
    case ElementwiseOp::kLeakyRelu:
      return x < 0 ? a * x : x;
    case ElementwiseOp::kElu:
      return x < 0 ? a * std::expm1(x) : x;
    case ElementwiseOp::kSilu:
      return x * Sigmoid(x);
    case ElementwiseOp::kSoftplus:
      return Softplus(x);
    case ElementwiseOp::kSigmoidHard:
      return Clip(a * x + b, 0, 1);
    case ElementwiseOp::kLinear:
      return a * x + b;
    case ElementwiseOp::kThreshold:
      return x < a ? a : x;
    case ElementwiseOp::kThresholdedRelu:
      return x < a ? 0 : x;
    case ElementwiseOp::kClampedRelu: {
      const double y = x < 0 ? a * x : x;
      return y > b ? b : y;
    }
    case ElementwiseOp::kScaledTanh:
      return a * std::tanh(b * x);
    case ElementwiseOp::kSoftsign:
      return x / (1 + std::fabs(x));
    case ElementwiseOp::kGeluExact:
      return 0.5 * x * std::erfc(-x * kSqrtHalf);
    case ElementwiseOp::kGeluTanh:
      // 0.5 (1 + tanh(u)) = sigmoid(2 u), without the cancellation at large negative x.
      return x * Sigmoid(2 * kSqrtTwoOverPi * (x + 0.044715 * x * x * x));
    case ElementwiseOp::kGeluSigmoid:
      return x * Sigmoid(1.702 * x);
    case ElementwiseOp::kClip:
      return Clip(x, a, b);
    default:
      return std::nan("");
  }
}

double Unary(ElementwiseOp op, double x, double a, double b) {
  switch (op) {
    case ElementwiseOp::kCast:
      return x;
    case ElementwiseOp::kAbs:
      return std::fabs(x);
    case ElementwiseOp::kSign:
      return x > 0 ? 1 : x < 0 ? -1 : x == 0 ? 0 : x;  // a NaN stays
    case ElementwiseOp::kSquare:
      return x * x;
    case ElementwiseOp::kSqrt:
      return std::sqrt(x);
    case ElementwiseOp::kRsqrt:
      return 1 / std::sqrt(x + a);
    case ElementwiseOp::kInverse:
      return 1 / (x + a);
    case ElementwiseOp::kExp:
      return std::exp(x);
    case ElementwiseOp::kExp2:
      return std::exp2(x);
    case ElementwiseOp::kLog:
      return std::log(x + a);
    case ElementwiseOp::kSin:
      return std::sin(x);
    case ElementwiseOp::kCos:
      return std::cos(x);
    case ElementwiseOp::kTan:
      return std::tan(x);
    case ElementwiseOp::kAsin:
      return std::asin(x);
    case ElementwiseOp::kAcos:
      return std::acos(x);
    case ElementwiseOp::kAtan:
      return std::atan(x);
    case ElementwiseOp::kSinh:
      return std::sinh(x);
    case ElementwiseOp::kCosh:
      return std::cosh(x);
    case ElementwiseOp::kAtanh:
      return std::atanh(x);
    case ElementwiseOp::kErf:
      return std::erf(x);
    case ElementwiseOp::kFloor:
      return std::floor(x);
    case ElementwiseOp::kCeil:
      return std::ceil(x);
    case ElementwiseOp::kRound:
      return std::nearbyint(x);
    case ElementwiseOp::kLogicalNot:
      return x == 0;
    default:
      return Activation(op, x, a, b);
  }
}

double Binary(ElementwiseOp op, double x, double y) {
  switch (op) {
    case ElementwiseOp::kAdd:
      return x + y;
    case ElementwiseOp::kSub:
      return x - y;
    case ElementwiseOp::kMul:
      return x * y;
    case ElementwiseOp::kRealDiv:
      return x / y;
    case ElementwiseOp::kFloorDiv:
      return FloorDivide(x, y);
    case ElementwiseOp::kMod:
      return Modulo(x, y);
    case ElementwiseOp::kMaximum:
      return x > y || std::isnan(x) ? x : y;
    case ElementwiseOp::kMinimum:
      return x < y || std::isnan(x) ? x : y;
    case ElementwiseOp::kPow:
      return std::pow(x, y);
    case ElementwiseOp::kPrelu:
      return x < 0 ? y * x : x;
    case ElementwiseOp::kEqual:
      return x == y;
    case ElementwiseOp::kNotEqual:
      return x != y;
    case ElementwiseOp::kLess:
      return x < y;
    case ElementwiseOp::kLessEqual:
      return x <= y;
    case ElementwiseOp::kGreater:
      return x > y;
    case ElementwiseOp::kGreaterEqual:
      return x >= y;
    case ElementwiseOp::kLogicalAnd:
      return x != 0 && y != 0;
    case ElementwiseOp::kLogicalOr:
      return x != 0 || y != 0;
    case ElementwiseOp::kLogicalXor:
      return (x != 0) != (y != 0);
    default:
      return std::nan("");
  }
}

// Of each operand, as it is broadcast.
using Shapes = std::array<Shape, 3>;

int64_t At(const Shape& shape, const Index& index, const RunContext& run) {
  return Position(shape, index, run.out[0].view->shape.rank());
}

void RunSelect(const Shapes& shapes, const RunContext& run) {
  const TensorRef& out = run.out[0];
  Index index{};
  int64_t i = 0;
  do {
    const bool first = GetDouble(run.in[0], At(shapes[0], index, run)) != 0;
    const TensorRef& chosen = run.in[first ? 1 : 2];
    const int64_t at = At(shapes[first ? 1 : 2], index, run);
    if (HoldsFloats(chosen)) {
      PutDouble(out, i++, GetDouble(chosen, at));
    } else {
      PutInt(out, i++, GetInt(chosen, at));
    }
  } while (Advance(out.view->shape, index));
}

double Float(const Elementwise& what, double x, double y, double z) {
  if (what.op == ElementwiseOp::kSoftplusParametric) return y * Softplus(z * x);
  return what.operands == 1 ? Unary(what.op, x, what.params.a, what.params.b)
                            : Binary(what.op, x, y);
}

void RunNumbers(const Elementwise& what, const Shapes& shapes, const RunContext& run) {
  const TensorRef &out = run.out[0], &x = run.in[0];
  const TensorRef& y = run.in[run.in.size() > 1 ? 1 : 0];
  const TensorRef& z = run.in.back();
  const bool integers = !HoldsFloats(x) && !HoldsFloats(y);
  const bool is_unsigned = HoldsUint64(x);
  const size_t second = run.in.size() > 1 ? 1 : 0, third = run.in.size() - 1;
  Index index{};
  int64_t i = 0;
  do {
    const int64_t at_x = At(shapes[0], index, run), at_y = At(shapes[second], index, run);
    std::optional<int64_t> exact;
    if (integers) exact = IntegerResult(what, GetInt(x, at_x), GetInt(y, at_y), is_unsigned);
    if (exact.has_value()) {
      PutInt(out, i, *exact, is_unsigned);
    } else {
      const double last = GetDouble(z, At(shapes[third], index, run));
      PutDouble(out, i, Float(what, GetDouble(x, at_x), GetDouble(y, at_y), last));
    }
    ++i;
  } while (Advance(out.view->shape, index));
}

}  // namespace

MadeKernel MakeElementwise(OpSite& site) {
  absl::StatusOr<Elementwise> what = ReadElementwise(site);
  if (!what.ok()) return what.status();
  Shapes shapes;
  for (const std::string_view operand : OperandNames(*what)) {
    const size_t i = site.Use(operand);
    const int rank = site.ResultType().shape.rank();
    shapes[i] = BroadcastForm(*what, i, site.InputView(i), rank).shape;
  }
  if (what->op == ElementwiseOp::kSelect) {
    return MakeFunctionKernel([shapes](const RunContext& run) { RunSelect(shapes, run); });
  }
  return MakeFunctionKernel(
      [what = *what, shapes](const RunContext& run) { RunNumbers(what, shapes, run); });
}

}  // namespace anex::device::cpu::reference
