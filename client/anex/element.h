// The C++ types of tensor elements: Half and Bf16 next to the language's own, which DType each is,
// and conversion between them in exactly one rounding. Pure values, any thread.
#ifndef ANEX_CLIENT_ANEX_ELEMENT_H_
#define ANEX_CLIENT_ANEX_ELEMENT_H_

#include <cstdint>
#include <type_traits>

#include "proto/wire/half.h"
#include "proto/wire/tensor_layout.h"

namespace anex {

// An fp16 number as it lies in memory. Arithmetic goes through float: float(h) is exact, Half(f)
// rounds once to nearest even.
struct Half {
  uint16_t bits = 0;
  Half() = default;
  explicit Half(float value) : bits(FloatToHalf(value)) {}
  explicit Half(double value) : bits(DoubleToHalf(value)) {}
  explicit operator float() const { return HalfToFloat(bits); }
  explicit operator double() const { return HalfToDouble(bits); }
  friend bool operator==(Half, Half) = default;  // of the bits: NaN equals itself, -0 is not 0
};
static_assert(sizeof(Half) == 2);

struct Bf16 {
  uint16_t bits = 0;
  Bf16() = default;
  explicit Bf16(float value) : bits(FloatToBf16(value)) {}
  explicit Bf16(double value) : bits(DoubleToBf16(value)) {}
  explicit operator float() const { return Bf16ToFloat(bits); }
  explicit operator double() const { return Bf16ToDouble(bits); }
  friend bool operator==(Bf16, Bf16) = default;
};
static_assert(sizeof(Bf16) == 2);

// DTypeOf<float>() is kFp32. Does not compile for a type that is no element.
template <typename T>
constexpr DType DTypeOf() {
  using U = std::remove_const_t<T>;
  if constexpr (std::is_same_v<U, Half>)
    return DType::kFp16;
  else if constexpr (std::is_same_v<U, Bf16>)
    return DType::kBf16;
  else if constexpr (std::is_same_v<U, float>)
    return DType::kFp32;
  else if constexpr (std::is_same_v<U, double>)
    return DType::kFp64;
  else if constexpr (std::is_same_v<U, int8_t>)
    return DType::kInt8;
  else if constexpr (std::is_same_v<U, int16_t>)
    return DType::kInt16;
  else if constexpr (std::is_same_v<U, int32_t>)
    return DType::kInt32;
  else if constexpr (std::is_same_v<U, int64_t>)
    return DType::kInt64;
  else if constexpr (std::is_same_v<U, uint8_t>)
    return DType::kUint8;
  else if constexpr (std::is_same_v<U, uint16_t>)
    return DType::kUint16;
  else if constexpr (std::is_same_v<U, uint32_t>)
    return DType::kUint32;
  else if constexpr (std::is_same_v<U, uint64_t>)
    return DType::kUint64;
  else if constexpr (std::is_same_v<U, bool>)
    return DType::kBool;
  else
    static_assert(sizeof(U) == 0, "not an element type of tensors");
}

template <typename T>
inline constexpr bool kIsFloatElement =
    std::is_same_v<std::remove_const_t<T>, Half> || std::is_same_v<std::remove_const_t<T>, Bf16> ||
    std::is_floating_point_v<T>;

// Between float types: one rounding. Between equal types: the value. Anything else does not
// compile, because a silent integer conversion is nearly always a wrong binding.
template <typename To, typename From>
To ConvertElement(From value) {
  if constexpr (std::is_same_v<To, From>) {
    return value;
  } else {
    static_assert(kIsFloatElement<To> && kIsFloatElement<From>, "only float types convert");
    if constexpr (sizeof(From) == 2 && sizeof(To) == 2)
      return To(static_cast<float>(value));
    else
      return static_cast<To>(value);
  }
}

}  // namespace anex

#endif  // ANEX_CLIENT_ANEX_ELEMENT_H_
