#include "server/device/cpu/reference/element.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "proto/wire/half.h"
#include "server/device/cpu/call_scope.h"

namespace anex::device::cpu {
namespace {

template <typename T>
T Load(const TensorRef& tensor, int64_t i) {
  T value;
  std::memcpy(&value, tensor.data + i * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return value;
}

template <typename T>
void Store(const TensorRef& tensor, int64_t i, T value) {
  std::memcpy(tensor.data + i * static_cast<int64_t>(sizeof(T)), &value, sizeof(T));
}

template <typename T>
T Saturated(double value) {
  if (std::isnan(value)) return 0;
  // Both limits are exact as doubles for 32 bits and less; for 64 the upper one rounds up to the
  // first number that does not fit, which >= catches as well.
  if (value >= static_cast<double>(std::numeric_limits<T>::max())) {
    return std::numeric_limits<T>::max();
  }
  if (value <= static_cast<double>(std::numeric_limits<T>::min())) {
    return std::numeric_limits<T>::min();
  }
  return static_cast<T>(value);
}

// Calls `f` with a value of the C++ type that holds `dtype`. REQUIRES: an integer type.
template <typename F>
void WithInteger(DType dtype, F f) {
  switch (dtype) {
    case DType::kInt8:
      return f(int8_t{});
    case DType::kInt16:
      return f(int16_t{});
    case DType::kInt32:
      return f(int32_t{});
    case DType::kInt64:
      return f(int64_t{});
    case DType::kUint8:
      return f(uint8_t{});
    case DType::kUint16:
      return f(uint16_t{});
    case DType::kUint32:
      return f(uint32_t{});
    case DType::kUint64:
      return f(uint64_t{});
    default:
      return;
  }
}

// A double that rounds to every shorter float as the integer itself does: what is cut off leaves
// its mark in the lowest bit, so that a number just beside a tie does not become the tie.
double RoundedToOdd(uint64_t magnitude) {
  const int cut = std::max(0, 64 - std::countl_zero(magnitude) - 53);
  uint64_t kept = magnitude >> cut;
  if (kept << cut != magnitude) kept |= 1;
  return std::ldexp(static_cast<double>(kept), cut);
}

void PutIntAsFloat(const TensorRef& tensor, int64_t i, int64_t value, bool is_unsigned) {
  const auto bits = static_cast<uint64_t>(value);
  if (tensor.view->dtype == DType::kFp64) {
    return Store(tensor, i, is_unsigned ? static_cast<double>(bits) : static_cast<double>(value));
  }
  const bool negative = !is_unsigned && value < 0;
  const double magnitude = RoundedToOdd(negative ? 0 - bits : bits);
  PutDouble(tensor, i, negative ? -magnitude : magnitude);
}

}  // namespace

double GetDouble(const TensorRef& tensor, int64_t i) {
  CallScope::Poll();
  switch (tensor.view->dtype) {
    case DType::kFp16:
      return HalfToDouble(Load<uint16_t>(tensor, i));
    case DType::kBf16:
      return Bf16ToDouble(Load<uint16_t>(tensor, i));
    case DType::kFp32:
      return double{Load<float>(tensor, i)};
    case DType::kFp64:
      return Load<double>(tensor, i);
    case DType::kUint64:
      return static_cast<double>(Load<uint64_t>(tensor, i));
    default:
      return static_cast<double>(GetInt(tensor, i));
  }
}

int64_t GetInt(const TensorRef& tensor, int64_t i) {
  CallScope::Poll();
  const DType dtype = tensor.view->dtype;
  if (dtype == DType::kBool) return Load<uint8_t>(tensor, i) != 0 ? 1 : 0;
  if (IsFloat(dtype)) return Saturated<int64_t>(GetDouble(tensor, i));
  int64_t value = 0;
  WithInteger(dtype,
              [&](auto kind) { value = static_cast<int64_t>(Load<decltype(kind)>(tensor, i)); });
  return value;
}

void PutDouble(const TensorRef& tensor, int64_t i, double value) {
  CallScope::Poll();
  switch (tensor.view->dtype) {
    case DType::kFp16:
      return Store(tensor, i, DoubleToHalf(value));
    case DType::kBf16:
      return Store(tensor, i, DoubleToBf16(value));
    case DType::kFp32:
      return Store(tensor, i, static_cast<float>(value));
    case DType::kFp64:
      return Store(tensor, i, value);
    case DType::kBool:
      return Store(tensor, i, uint8_t{value != 0});
    default:
      WithInteger(tensor.view->dtype,
                  [&](auto kind) { Store(tensor, i, Saturated<decltype(kind)>(value)); });
  }
}

void PutInt(const TensorRef& tensor, int64_t i, int64_t value, bool is_unsigned) {
  CallScope::Poll();
  const DType dtype = tensor.view->dtype;
  if (dtype == DType::kBool) return Store(tensor, i, uint8_t{value != 0});
  if (IsFloat(dtype)) return PutIntAsFloat(tensor, i, value, is_unsigned);
  WithInteger(dtype, [&](auto kind) { Store(tensor, i, static_cast<decltype(kind)>(value)); });
}

bool Advance(const Shape& shape, Index& index) {
  CallScope::Poll();
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    if (++index[axis] < shape[axis]) return true;
    index[axis] = 0;
  }
  return false;
}

int64_t Position(const Shape& shape, const Index& index, int rank) {
  int64_t position = 0;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const int64_t at = shape[axis] == 1 ? 0 : index[axis + rank - shape.rank()];
    position = position * shape[axis] + at;
  }
  return position;
}

}  // namespace anex::device::cpu
