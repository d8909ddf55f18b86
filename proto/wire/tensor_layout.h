// What a block of memory holds: dtype, shape, strides and allocation of one tensor, with the one
// copy of the overflow-checked size arithmetic. Pure values: no OS call, no allocation, any thread.
//
// Invariant of a layout that came out of Make* or Check: rank <= kMaxRank, every dimension >= 1,
// every stride > 0 and a multiple of the element size, no two elements overlap, and
// last element + element size <= allocation_bytes <= kMaxAllocation.
#ifndef ANEX_PROTO_WIRE_TENSOR_LAYOUT_H_
#define ANEX_PROTO_WIRE_TENSOR_LAYOUT_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace anex {

// Element types of tensors in surfaces and constants. Values are part of the wire contract
// (anex.v1.DType): never renumber. bool is one byte, 0 or 1.
enum class DType : uint8_t {
  kInvalid = 0,
  kFp16 = 1,
  kFp32 = 2,
  kFp64 = 3,
  kBf16 = 4,
  kInt8 = 5,
  kInt16 = 6,
  kInt32 = 7,
  kInt64 = 8,
  kUint8 = 9,
  kUint16 = 10,
  kUint32 = 11,
  kUint64 = 12,
  kBool = 13,
};

// Bytes per element; 0 for kInvalid.
size_t ElementSize(DType dtype);
// MIL's spelling: "fp16", "int32", "bool". "invalid" for kInvalid.
std::string_view DTypeName(DType dtype);
std::optional<DType> DTypeFromName(std::string_view name);
bool IsFloat(DType dtype);    // fp16, fp32, fp64, bf16
bool IsInteger(DType dtype);  // signed and unsigned; bool is neither

inline constexpr int kMaxRank = 8;
// 64 GiB: above any surface that a machine with an ANE can hold, far below overflow.
inline constexpr uint64_t kMaxAllocation = uint64_t{1} << 36;

// A shape of at most kMaxRank dimensions, kept inline. Rank 0 is a scalar.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> dims);  // REQUIRES: size <= kMaxRank
  // INVALID_ARGUMENT for more than kMaxRank dims, a dim < 1, or more than 2^47 elements.
  static absl::StatusOr<Shape> Make(std::span<const int64_t> dims);

  int rank() const { return rank_; }
  int64_t operator[](int axis) const { return dims_[axis]; }
  std::span<const int64_t> dims() const { return {dims_.data(), static_cast<size_t>(rank_)}; }
  int64_t ElementCount() const;  // 1 for a scalar
  std::string ToString() const;  // "[1, 64, 1, 32]"
  friend bool operator==(const Shape& a, const Shape& b);

 private:
  std::array<int64_t, kMaxRank> dims_{};
  uint8_t rank_ = 0;
};

struct TensorLayout {
  DType dtype = DType::kInvalid;
  Shape shape;
  std::array<int64_t, kMaxRank> strides{};  // bytes; first shape.rank() are used
  uint64_t allocation_bytes = 0;            // of the whole surface

  std::span<const int64_t> stride_span() const {
    return {strides.data(), static_cast<size_t>(shape.rank())};
  }
  friend bool operator==(const TensorLayout&, const TensorLayout&);
  std::string ToString() const;  // "fp16 [1, 64, 1, 32] strides [..] 4096 B"
};

// Row-major without gaps. `allocation_bytes` = payload.
absl::StatusOr<TensorLayout> MakePackedLayout(DType dtype, const Shape& shape);
// Row-major, the innermost dimension's run padded to `row_alignment` bytes (a power of two), and
// the allocation rounded up to `allocation_alignment` and at least `minimum_allocation`.
absl::StatusOr<TensorLayout> MakePaddedLayout(DType dtype, const Shape& shape,
                                              uint64_t row_alignment, uint64_t allocation_alignment,
                                              uint64_t minimum_allocation);
// OK if `layout_untrusted` has the invariant above. INVALID_ARGUMENT says what is wrong.
absl::Status CheckLayout(const TensorLayout& layout_untrusted);
bool IsPacked(const TensorLayout& layout);
// Bytes of the elements alone, without padding.
uint64_t PayloadBytes(const TensorLayout& layout);
// The first byte past the last element.
uint64_t SpanBytes(const TensorLayout& layout);
// True if both name the same elements at the same bytes: equal dtype, and equal shape and strides
// once dimensions of size 1 are dropped. [1, N, M] and [1, N, 1, M] packed are the same elements.
bool SameElements(const TensorLayout& a, const TensorLayout& b);

}  // namespace anex

#endif  // ANEX_PROTO_WIRE_TENSOR_LAYOUT_H_
