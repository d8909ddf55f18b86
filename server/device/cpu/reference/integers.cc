#include "server/device/cpu/reference/integers.h"

namespace anex::device::cpu::reference {
namespace {

// Two's complement comes back from unsigned arithmetic, which wraps around without asking.
int64_t Wrapped(uint64_t value) { return static_cast<int64_t>(value); }

int64_t Power(uint64_t base, uint64_t exponent) {
  uint64_t result = 1;
  for (; exponent != 0; exponent >>= 1) {
    if (exponent & 1) result *= base;
    base *= base;
  }
  return Wrapped(result);
}

// Toward minus infinity. REQUIRES: y is not 0.
int64_t FloorDivide(int64_t x, int64_t y) {
  if (y == -1) return Wrapped(0 - static_cast<uint64_t>(x));  // the lowest number has no opposite
  const int64_t quotient = x / y;
  return x % y != 0 && (x < 0) != (y < 0) ? quotient - 1 : quotient;
}

bool Less(int64_t x, int64_t y, bool is_unsigned) {
  return is_unsigned ? static_cast<uint64_t>(x) < static_cast<uint64_t>(y) : x < y;
}

int64_t Larger(int64_t x, int64_t y, bool is_unsigned) { return Less(x, y, is_unsigned) ? y : x; }

int64_t Clipped(int64_t x, int64_t low, int64_t high, bool is_unsigned) {
  if (Less(x, low, is_unsigned)) return low;
  return Less(high, x, is_unsigned) ? high : x;
}

std::optional<int64_t> Compared(ElementwiseOp op, bool less, bool equal) {
  switch (op) {
    case ElementwiseOp::kEqual:
      return equal;
    case ElementwiseOp::kNotEqual:
      return !equal;
    case ElementwiseOp::kLess:
      return less;
    case ElementwiseOp::kLessEqual:
      return less || equal;
    case ElementwiseOp::kGreater:
      return !less && !equal;
    case ElementwiseOp::kGreaterEqual:
      return !less;
    default:
      return std::nullopt;
  }
}

std::optional<int64_t> Divided(ElementwiseOp op, int64_t x, int64_t y, bool is_unsigned) {
  if (y == 0) return std::nullopt;
  const auto ux = static_cast<uint64_t>(x), uy = static_cast<uint64_t>(y);
  if (is_unsigned) return Wrapped(op == ElementwiseOp::kMod ? ux % uy : ux / uy);
  const int64_t quotient = FloorDivide(x, y);
  if (op == ElementwiseOp::kFloorDiv) return quotient;
  return Wrapped(ux - static_cast<uint64_t>(quotient) * uy);
}

}  // namespace

std::optional<int64_t> IntegerResult(const Elementwise& what, int64_t x, int64_t y,
                                     bool is_unsigned) {
  const ElementwiseOp op = what.op;
  const auto ux = static_cast<uint64_t>(x), uy = static_cast<uint64_t>(y);
  const bool less = Less(x, y, is_unsigned);
  switch (op) {
    case ElementwiseOp::kCast:
    case ElementwiseOp::kFloor:
    case ElementwiseOp::kCeil:
    case ElementwiseOp::kRound:
      return x;
    case ElementwiseOp::kSign:
      return x == 0 ? 0 : is_unsigned || x > 0 ? 1 : -1;
    case ElementwiseOp::kThreshold:
      return Larger(x, what.params.whole_a, is_unsigned);
    case ElementwiseOp::kClip:
      return Clipped(x, what.params.whole_a, what.params.whole_b, is_unsigned);
    case ElementwiseOp::kAbs:
      return is_unsigned || x >= 0 ? x : Wrapped(0 - ux);
    case ElementwiseOp::kSquare:
      return Wrapped(ux * ux);
    case ElementwiseOp::kAdd:
      return Wrapped(ux + uy);
    case ElementwiseOp::kSub:
      return Wrapped(ux - uy);
    case ElementwiseOp::kMul:
      return Wrapped(ux * uy);
    case ElementwiseOp::kMaximum:
      return less ? y : x;
    case ElementwiseOp::kMinimum:
      return less ? x : y;
    case ElementwiseOp::kFloorDiv:
    case ElementwiseOp::kMod:
      return Divided(op, x, y, is_unsigned);
    case ElementwiseOp::kPow:
      if (!is_unsigned && y < 0) return std::nullopt;
      return Power(ux, uy);
    default:
      return Compared(op, less, x == y);
  }
}

}  // namespace anex::device::cpu::reference
