// Reads the elements of a constant where they lie: weights may be hundreds of MiB, and a copy of
// them as doubles would be four times that. Pure, any thread.
#ifndef ANEX_SERVER_MIL_ANE_CONSTANT_SCAN_H_
#define ANEX_SERVER_MIL_ANE_CONSTANT_SCAN_H_

#include <cstddef>
#include <cstring>
#include <span>

#include "proto/wire/half.h"
#include "server/mil/value.h"

namespace anex::mil {

template <typename T, typename Convert>
void VisitAs(std::span<const std::byte> bytes, const Convert& convert, auto&& visit) {
  const size_t count = bytes.size() / sizeof(T);
  for (size_t i = 0; i < count; ++i) {
    T element;
    std::memcpy(&element, bytes.data() + i * sizeof(T), sizeof(T));
    visit(i, convert(element));
  }
}

// Calls visit(index, element) for every element of a tensor constant.
inline void ForEachElement(const Constant& constant, auto&& visit) {
  const std::span<const std::byte> bytes = constant.bytes();
  const auto plain = [](auto element) { return static_cast<double>(element); };
  switch (constant.type().tensor.dtype) {
    case DType::kFp16:
      return VisitAs<uint16_t>(bytes, HalfToDouble, visit);
    case DType::kBf16:
      return VisitAs<uint16_t>(bytes, Bf16ToDouble, visit);
    case DType::kFp32:
      return VisitAs<float>(bytes, plain, visit);
    case DType::kFp64:
      return VisitAs<double>(bytes, plain, visit);
    case DType::kInt8:
      return VisitAs<int8_t>(bytes, plain, visit);
    case DType::kInt16:
      return VisitAs<int16_t>(bytes, plain, visit);
    case DType::kInt32:
      return VisitAs<int32_t>(bytes, plain, visit);
    case DType::kInt64:
      return VisitAs<int64_t>(bytes, plain, visit);
    case DType::kUint8:
    case DType::kBool:
      return VisitAs<uint8_t>(bytes, plain, visit);
    case DType::kUint16:
      return VisitAs<uint16_t>(bytes, plain, visit);
    case DType::kUint32:
      return VisitAs<uint32_t>(bytes, plain, visit);
    case DType::kUint64:
      return VisitAs<uint64_t>(bytes, plain, visit);
    case DType::kInvalid:
      return;
  }
}

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_ANE_CONSTANT_SCAN_H_
