#include <cmath>
#include <vector>

#include "server/device/cpu/elementwise_op.h"
#include "server/device/cpu/function_kernel.h"
#include "server/device/cpu/reference/element.h"
#include "server/device/cpu/reference/reference.h"

namespace anex::device::cpu::reference {
namespace {

constexpr double kSqrtHalf = 0.70710678118654752440;
constexpr double kSqrtTwoOverPi = 0.79788456080286535588;

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double Unary(ElementwiseOp op, double x, double a, double b) {
  switch (op) {
    case ElementwiseOp::kCast:
      return x;
    case ElementwiseOp::kAbs:
      return std::fabs(x);
    case ElementwiseOp::kSign:
      return x > 0 ? 1 : x < 0 ? -1 : x;
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
    case ElementwiseOp::kErf:
      return std::erf(x);
    case ElementwiseOp::kFloor:
      return std::floor(x);
    case ElementwiseOp::kCeil:
      return std::ceil(x);
    case ElementwiseOp::kRound:
      return std::nearbyint(x);
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
      return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x)));
    case ElementwiseOp::kSigmoidHard:
      return std::fmin(std::fmax(a * x + b, 0), 1);
    case ElementwiseOp::kLinear:
      return a * x + b;
    case ElementwiseOp::kThreshold:
      return x < a ? a : x;
    case ElementwiseOp::kGeluExact:
      return 0.5 * x * std::erfc(-x * kSqrtHalf);
    case ElementwiseOp::kGeluTanh:
      // 0.5 (1 + tanh(u)) = sigmoid(2 u), without the cancellation at large negative x.
      return x * Sigmoid(2 * kSqrtTwoOverPi * (x + 0.044715 * x * x * x));
    case ElementwiseOp::kGeluSigmoid:
      return x * Sigmoid(1.702 * x);
    case ElementwiseOp::kClip:
      return x < a ? a : x > b ? b : x;
    case ElementwiseOp::kLogicalNot:
      return x == 0;
    default:
      return std::nan("");
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
      return std::floor(x / y);
    case ElementwiseOp::kMod:
      return x - std::floor(x / y) * y;
    case ElementwiseOp::kMaximum:
      return x > y || std::isnan(x) ? x : y;
    case ElementwiseOp::kMinimum:
      return x < y || std::isnan(x) ? x : y;
    case ElementwiseOp::kPow:
      return std::pow(x, y);
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

// Sums and products of 64-bit integers wrap around, as unsigned arithmetic does without asking.
int64_t Wrapped(uint64_t value) { return static_cast<int64_t>(value); }

// Those where 64 bits say more than a double; the others are exact in doubles too.
bool Integer(ElementwiseOp op, int64_t x, int64_t y, int64_t& result) {
  const auto ux = static_cast<uint64_t>(x), uy = static_cast<uint64_t>(y);
  switch (op) {
    case ElementwiseOp::kCast:
      result = x;
      return true;
    case ElementwiseOp::kSquare:
      result = Wrapped(ux * ux);
      return true;
    case ElementwiseOp::kAdd:
      result = Wrapped(ux + uy);
      return true;
    case ElementwiseOp::kSub:
      result = Wrapped(ux - uy);
      return true;
    case ElementwiseOp::kMul:
      result = Wrapped(ux * uy);
      return true;
    case ElementwiseOp::kMaximum:
      result = x > y ? x : y;
      return true;
    case ElementwiseOp::kMinimum:
      result = x < y ? x : y;
      return true;
    default:
      return false;
  }
}

// Where one operand's element for the result's element is.
int64_t At(const TensorRef& operand, const Index& index, const TensorRef& out) {
  return Position(operand.view->shape, index, out.view->shape.rank());
}

void RunSelect(const RunContext& run) {
  const TensorRef& out = run.out[0];
  Index index{};
  int64_t i = 0;
  do {
    const bool first = GetDouble(run.in[0], At(run.in[0], index, out)) != 0;
    const TensorRef& chosen = run.in[first ? 1 : 2];
    const int64_t at = At(chosen, index, out);
    if (HoldsFloats(chosen)) {
      PutDouble(out, i++, GetDouble(chosen, at));
    } else {
      PutInt(out, i++, GetInt(chosen, at));
    }
  } while (Advance(out.view->shape, index));
}

void RunNumbers(const Elementwise& what, const RunContext& run) {
  const TensorRef &out = run.out[0], &x = run.in[0], &y = run.in.back();
  const bool integers = !HoldsFloats(x) && !HoldsFloats(y);
  Index index{};
  int64_t i = 0;
  do {
    const int64_t at_x = At(x, index, out), at_y = At(y, index, out);
    int64_t exact = 0;
    if (integers && Integer(what.op, GetInt(x, at_x), GetInt(y, at_y), exact)) {
      PutInt(out, i, exact);
    } else if (what.operands == 1) {
      PutDouble(out, i, Unary(what.op, GetDouble(x, at_x), what.params.a, what.params.b));
    } else {
      PutDouble(out, i, Binary(what.op, GetDouble(x, at_x), GetDouble(y, at_y)));
    }
    ++i;
  } while (Advance(out.view->shape, index));
}

}  // namespace

MadeKernel MakeElementwise(OpSite& site) {
  absl::StatusOr<Elementwise> what = ReadElementwise(site);
  if (!what.ok()) return what.status();
  for (const std::string_view operand : OperandNames(*what)) site.Use(operand);
  if (what->op == ElementwiseOp::kSelect) return MakeFunctionKernel(RunSelect);
  return MakeFunctionKernel([what = *what](const RunContext& run) { RunNumbers(what, run); });
}

}  // namespace anex::device::cpu::reference
