#include "server/mil/fold_arithmetic.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>

#include "server/mil/fold_index.h"

namespace anex::mil {
namespace {

using Ints = std::vector<int64_t>;
using Doubles = std::vector<double>;

// 64 bits leave no room to compute in.
bool IsNarrow(DType dtype) { return ElementSize(dtype) <= 4; }

const Constant& ConstantOf(const Function& function, const Operation& operation,
                           std::string_view argument) {
  return *function.value(operation.Single(argument)).constant;
}

const TensorType& TypeOf(const Constant& constant) { return constant.type().tensor; }

bool HoldsFloats(const Constant& constant) { return IsFloat(TypeOf(constant).dtype); }

// Integers keep their low bits, floats are rounded once.
Folded Made(const TensorType& type, const Ints& values) {
  return {Constant::OfInts(type.dtype, type.shape, values)};
}
Folded Made(const TensorType& type, const Doubles& values) {
  return {Constant::OfDoubles(type.dtype, type.shape, values)};
}

// What a float becomes as an integer or bool: truncated, stopped at the type's ends, NaN is 0.
int64_t Truncated(double value, DType dtype) {
  if (dtype == DType::kBool) return value != 0;
  if (std::isnan(value)) return 0;
  const int bits = static_cast<int>(8 * ElementSize(dtype));
  const bool has_sign = dtype == DType::kInt8 || dtype == DType::kInt16 || dtype == DType::kInt32;
  const double most = std::ldexp(1.0, has_sign ? bits - 1 : bits) - 1;
  const double least = has_sign ? -most - 1 : 0;
  return static_cast<int64_t>(std::clamp(value, least, most));
}

Folded FoldCast(const Function& function, const Operation& operation) {
  const Constant& x = ConstantOf(function, operation, "x");
  const TensorType& type = function.value(operation.results[0]).type.tensor;
  if (IsFloat(type.dtype)) return Made(type, *x.AsDoubles());
  Ints values;
  if (HoldsFloats(x)) {
    const Doubles floats = *x.AsDoubles();
    for (const double value : floats) values.push_back(Truncated(value, type.dtype));
    return Made(type, values);
  }
  values = *x.AsInts();
  if (type.dtype == DType::kBool) {
    for (int64_t& value : values) value = value != 0;
  }
  return Made(type, values);
}

// Floats only: integers have nothing to round.
std::optional<double> RoundedBy(std::string_view op, double x) {
  if (op == "floor") return std::floor(x);
  if (op == "ceil") return std::ceil(x);
  if (op == "round") return std::nearbyint(x);
  if (op == "sqrt" && x >= 0) return std::sqrt(x);
  if (op == "abs") return std::fabs(x);
  return std::nullopt;
}

Folded FoldUnary(const Function& function, const Operation& operation) {
  const Constant& x = ConstantOf(function, operation, "x");
  const TensorType& type = function.value(operation.results[0]).type.tensor;
  if (!HoldsFloats(x)) {
    Ints values = *x.AsInts();
    for (int64_t& value : values) {
      if (operation.op == "logical_not") {
        value = value == 0;
      } else if (operation.op == "abs") {
        value = std::abs(value);
      } else {
        return {};
      }
    }
    return Made(type, values);
  }
  Doubles values = *x.AsDoubles();
  for (double& value : values) {
    const std::optional<double> rounded = RoundedBy(operation.op, value);
    if (!rounded.has_value()) return {};
    value = *rounded;
  }
  return Made(type, values);
}

// Where x / y is far from what a double holds exactly, it may have been rounded to a whole number.
std::optional<double> FloorDiv(double x, double y) {
  constexpr double kMost = 1 << 20;
  const double quotient = x / y;
  if (std::isinf(y) || !(std::fabs(quotient) < kMost)) return std::nullopt;
  return std::floor(quotient);
}

int64_t FloorDiv(int64_t x, int64_t y) { return x / y - (x % y != 0 && (x < 0) != (y < 0)); }

// On numbers of 32 bits and less. nullopt: left to the device.
std::optional<int64_t> IntegerBinary(std::string_view op, int64_t x, int64_t y, DType result) {
  if (op == "add") return x + y;
  if (op == "sub") return x - y;
  if (op == "mul") {  // two of uint32 have 64 bits without a sign
    return static_cast<int64_t>(static_cast<uint64_t>(x) * static_cast<uint64_t>(y));
  }
  if (op == "maximum") return std::max(x, y);
  if (op == "minimum") return std::min(x, y);
  if (op == "logical_and") return x != 0 && y != 0;
  if (op == "logical_or") return x != 0 || y != 0;
  if (op == "logical_xor") return (x != 0) != (y != 0);
  if (y == 0) return std::nullopt;
  if (op == "floor_div") return FloorDiv(x, y);
  if (op == "mod") return x - FloorDiv(x, y) * y;
  if (op == "real_div") return Truncated(static_cast<double>(x) / static_cast<double>(y), result);
  return std::nullopt;
}

std::optional<double> FloatBinary(std::string_view op, double x, double y) {
  if (op == "add") return x + y;
  if (op == "sub") return x - y;
  if (op == "mul") return x * y;
  if (std::isnan(x) || std::isnan(y)) return std::nullopt;
  if (op == "maximum") return x > y ? x : y;  // of -0 and 0 the second one, as devices do
  if (op == "minimum") return x < y ? x : y;
  if (y == 0) return std::nullopt;
  if (op == "real_div") return x / y;
  if (op == "floor_div") return FloorDiv(x, y);
  return std::nullopt;
}

template <typename T>
std::optional<bool> Compared(std::string_view op, T x, T y) {
  if (op == "equal") return x == y;
  if (op == "not_equal") return x != y;
  if (op == "less") return x < y;
  if (op == "less_equal") return x <= y;
  if (op == "greater") return x > y;
  if (op == "greater_equal") return x >= y;
  return std::nullopt;
}

// Calls f(element of x, element of y) for each element of the result; false once it says so.
template <typename T, typename F>
bool ForBroadcast(const Shape& result, const Shape& x_shape, const std::vector<T>& x,
                  const Shape& y_shape, const std::vector<T>& y, F f) {
  FoldIndex index{};
  do {
    const auto at = static_cast<size_t>(BroadcastOffset(x_shape, index, result.rank()));
    const auto other = static_cast<size_t>(BroadcastOffset(y_shape, index, result.rank()));
    if (!f(x[at], y[other])) return false;
  } while (Advance(result, index));
  return true;
}

Folded FoldBinary(const Function& function, const Operation& operation) {
  const Constant& x = ConstantOf(function, operation, "x");
  const Constant& y = ConstantOf(function, operation, "y");
  const TensorType& type = function.value(operation.results[0]).type.tensor;
  const std::string_view op = operation.op;
  const Shape &x_shape = TypeOf(x).shape, &y_shape = TypeOf(y).shape;
  Ints ints;
  Doubles doubles;
  if (HoldsFloats(x) || HoldsFloats(y)) {
    const bool good = ForBroadcast(type.shape, x_shape, *x.AsDoubles(), y_shape, *y.AsDoubles(),
                                   [&](double a, double b) {
                                     const std::optional<bool> compared = Compared(op, a, b);
                                     const std::optional<double> value = FloatBinary(op, a, b);
                                     if (compared.has_value()) ints.push_back(*compared);
                                     if (value.has_value()) doubles.push_back(*value);
                                     return compared.has_value() || value.has_value();
                                   });
    if (!good) return {};
    return IsFloat(type.dtype) ? Made(type, doubles) : Made(type, ints);
  }
  const bool good = ForBroadcast(
      type.shape, x_shape, *x.AsInts(), y_shape, *y.AsInts(), [&](int64_t a, int64_t b) {
        const std::optional<bool> compared = Compared(op, a, b);
        const std::optional<int64_t> value =
            compared.has_value() ? *compared : IntegerBinary(op, a, b, type.dtype);
        if (value.has_value()) ints.push_back(*value);
        return value.has_value();
      });
  return good ? Made(type, ints) : Folded();
}

int64_t Combined(std::string_view op, int64_t a, int64_t b) {
  // Without a sign, so that what is too large wraps.
  const auto x = static_cast<uint64_t>(a), y = static_cast<uint64_t>(b);
  if (op == "reduce_sum") return static_cast<int64_t>(x + y);
  if (op == "reduce_prod") return static_cast<int64_t>(x * y);
  return op == "reduce_max" ? std::max(a, b) : std::min(a, b);
}

Folded FoldReduce(const Function& function, const Operation& operation) {
  const Constant& x = ConstantOf(function, operation, "x");
  if (HoldsFloats(x)) return {};
  const Shape& shape = TypeOf(x).shape;
  const TensorType& type = function.value(operation.results[0]).type.tensor;
  std::vector<bool> reduced(static_cast<size_t>(shape.rank()), false);
  for (const int64_t axis : function.Ints(operation, "axes")) {
    reduced[static_cast<size_t>(AxisFromZero(axis, shape.rank()))] = true;
  }
  const Ints values = *x.AsInts();
  std::vector<std::optional<int64_t>> results(static_cast<size_t>(type.shape.ElementCount()));
  FoldIndex index{};
  size_t at = 0;
  do {
    int64_t to = 0;  // row-major among the axes that stay
    for (int axis = 0; axis < shape.rank(); ++axis) {
      if (reduced[static_cast<size_t>(axis)]) continue;
      to = to * shape[axis] + index[static_cast<size_t>(axis)];
    }
    std::optional<int64_t>& result = results[static_cast<size_t>(to)];
    result = result.has_value() ? Combined(operation.op, *result, values[at]) : values[at];
    ++at;
  } while (Advance(shape, index));
  Ints all;
  for (const std::optional<int64_t>& result : results) all.push_back(result.value_or(0));
  return Made(type, all);
}

Folded FoldRange(const Function& function, const Operation& operation) {
  const TensorType& type = function.value(operation.results[0]).type.tensor;
  const double start = function.Double(operation, "start");
  const double step = function.Double(operation, "step");
  Ints ints;
  Doubles doubles;
  for (int64_t i = 0; i < type.shape.ElementCount(); ++i) {
    doubles.push_back(start + step * static_cast<double>(i));
    ints.push_back(Truncated(doubles.back(), type.dtype));
  }
  return IsFloat(type.dtype) ? Made(type, doubles) : Made(type, ints);
}

struct Row {
  std::string_view op;
  Folded (*fold)(const Function&, const Operation&);
};

constexpr Row kRows[] = {
    {"cast", FoldCast},          {"floor", FoldUnary},        {"ceil", FoldUnary},
    {"round", FoldUnary},        {"sqrt", FoldUnary},         {"abs", FoldUnary},
    {"logical_not", FoldUnary},  {"add", FoldBinary},         {"sub", FoldBinary},
    {"mul", FoldBinary},         {"real_div", FoldBinary},    {"floor_div", FoldBinary},
    {"mod", FoldBinary},         {"maximum", FoldBinary},     {"minimum", FoldBinary},
    {"equal", FoldBinary},       {"not_equal", FoldBinary},   {"less", FoldBinary},
    {"less_equal", FoldBinary},  {"greater", FoldBinary},     {"greater_equal", FoldBinary},
    {"logical_and", FoldBinary}, {"logical_or", FoldBinary},  {"logical_xor", FoldBinary},
    {"reduce_sum", FoldReduce},  {"reduce_prod", FoldReduce}, {"reduce_max", FoldReduce},
    {"reduce_min", FoldReduce},  {"range_1d", FoldRange},
};

const Row* FindRow(std::string_view op) {
  const auto* found = std::ranges::find(kRows, op, &Row::op);
  return found == std::end(kRows) ? nullptr : found;
}

}  // namespace

bool IsFoldableArithmetic(std::string_view op) { return FindRow(op) != nullptr; }

Folded FoldArithmetic(const Function& function, const Operation& operation) {
  for (const Argument& argument : operation.arguments) {
    for (const ValueId id : argument.values) {
      const Type& type = function.value(id).type;
      if (type.kind == TypeKind::kTensor && !IsNarrow(type.tensor.dtype)) return {};
    }
  }
  for (const ValueId id : operation.results) {
    if (!IsNarrow(function.value(id).type.tensor.dtype)) return {};
  }
  return FindRow(operation.op)->fold(function, operation);
}

}  // namespace anex::mil
