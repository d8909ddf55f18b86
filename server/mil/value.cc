#include "server/mil/value.h"

#include <cassert>
#include <cstring>
#include <utility>

#include "proto/wire/half.h"

namespace anex::mil {
namespace {

template <typename T>
T Load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

int64_t LoadInt(DType dtype, const std::byte* at) {
  switch (dtype) {
    case DType::kInt8:
      return Load<int8_t>(at);
    case DType::kInt16:
      return Load<int16_t>(at);
    case DType::kInt32:
      return Load<int32_t>(at);
    case DType::kInt64:
      return Load<int64_t>(at);
    case DType::kUint8:
      return Load<uint8_t>(at);
    case DType::kUint16:
      return Load<uint16_t>(at);
    case DType::kUint32:
      return Load<uint32_t>(at);
    case DType::kUint64:
      return static_cast<int64_t>(Load<uint64_t>(at));
    case DType::kBool:
      return Load<uint8_t>(at) != 0;
    default:
      return 0;
  }
}

double LoadDouble(DType dtype, const std::byte* at) {
  switch (dtype) {
    case DType::kFp16:
      return HalfToDouble(Load<uint16_t>(at));
    case DType::kBf16:
      return Bf16ToDouble(Load<uint16_t>(at));
    case DType::kFp32:
      return double{Load<float>(at)};
    case DType::kFp64:
      return Load<double>(at);
    case DType::kUint64:
      return static_cast<double>(Load<uint64_t>(at));
    default:
      return static_cast<double>(LoadInt(dtype, at));
  }
}

void StoreDouble(DType dtype, double value, std::byte* at) {
  const auto put = [at](auto stored) { std::memcpy(at, &stored, sizeof stored); };
  switch (dtype) {
    case DType::kFp16:
      return put(DoubleToHalf(value));
    case DType::kBf16:
      return put(DoubleToBf16(value));
    case DType::kFp32:
      return put(static_cast<float>(value));
    default:
      return put(value);
  }
}

// Fills a constant element by element with `store(index, where)`.
template <typename Store>
std::shared_ptr<const Constant> Build(DType dtype, const Shape& shape, size_t count, Store store) {
  assert(static_cast<int64_t>(count) == shape.ElementCount());
  const size_t element = ElementSize(dtype);
  auto bytes = std::make_shared<std::vector<std::byte>>(count * element);
  for (size_t i = 0; i < count; ++i) store(i, bytes->data() + i * element);
  const std::span<const std::byte> view(*bytes);
  return std::make_shared<Constant>(TensorType{dtype, shape}, view, std::move(bytes));
}

}  // namespace

Constant::Constant(TensorType type, std::span<const std::byte> bytes,
                   std::shared_ptr<const void> owner, int bits, bool made_up)
    : type_{TypeKind::kTensor, type},
      bytes_(bytes),
      owner_(std::move(owner)),
      packed_bits_(bits < 8 ? bits : 0),
      made_up_(made_up) {
  assert(bytes_.size() == static_cast<size_t>(type.shape.ElementCount()) * ElementSize(type.dtype));
}

int Constant::bits() const {
  return packed_bits_ != 0 ? packed_bits_ : static_cast<int>(8 * ElementSize(type_.tensor.dtype));
}

std::shared_ptr<const Constant> Constant::OfString(std::string text) {
  return std::make_shared<Constant>(std::move(text));
}

std::shared_ptr<const Constant> Constant::OfInts(DType dtype, const Shape& shape,
                                                 std::span<const int64_t> values) {
  assert(IsInteger(dtype) || dtype == DType::kBool);
  return Build(dtype, shape, values.size(), [&](size_t i, std::byte* at) {
    std::memcpy(at, &values[i], ElementSize(dtype));  // little endian
  });
}

std::shared_ptr<const Constant> Constant::OfDoubles(DType dtype, const Shape& shape,
                                                    std::span<const double> values) {
  assert(IsFloat(dtype));
  return Build(dtype, shape, values.size(),
               [&](size_t i, std::byte* at) { StoreDouble(dtype, values[i], at); });
}

std::optional<std::vector<int64_t>> Constant::AsInts() const {
  const DType dtype = type_.tensor.dtype;
  if (type_.kind != TypeKind::kTensor || !(IsInteger(dtype) || dtype == DType::kBool)) {
    return std::nullopt;
  }
  const size_t element = ElementSize(dtype);
  std::vector<int64_t> values(bytes_.size() / element);
  for (size_t i = 0; i < values.size(); ++i) values[i] = LoadInt(dtype, &bytes_[i * element]);
  return values;
}

std::optional<std::vector<double>> Constant::AsDoubles() const {
  const DType dtype = type_.tensor.dtype;
  if (type_.kind != TypeKind::kTensor || ElementSize(dtype) == 0) return std::nullopt;
  const size_t element = ElementSize(dtype);
  std::vector<double> values(bytes_.size() / element);
  for (size_t i = 0; i < values.size(); ++i) values[i] = LoadDouble(dtype, &bytes_[i * element]);
  return values;
}

}  // namespace anex::mil
