#include "proto/wire/tensor_layout.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace anex {
namespace {

struct DTypeRow {
  DType dtype;
  std::string_view name;
  size_t bytes;
};

constexpr DTypeRow kDTypes[] = {
    {DType::kInvalid, "invalid", 0}, {DType::kFp16, "fp16", 2},     {DType::kFp32, "fp32", 4},
    {DType::kFp64, "fp64", 8},       {DType::kBf16, "bf16", 2},     {DType::kInt8, "int8", 1},
    {DType::kInt16, "int16", 2},     {DType::kInt32, "int32", 4},   {DType::kInt64, "int64", 8},
    {DType::kUint8, "uint8", 1},     {DType::kUint16, "uint16", 2}, {DType::kUint32, "uint32", 4},
    {DType::kUint64, "uint64", 8},   {DType::kBool, "bool", 1},
};

const DTypeRow& Row(DType dtype) {
  const size_t index = static_cast<size_t>(dtype);
  return index < std::size(kDTypes) ? kDTypes[index] : kDTypes[0];
}

// Largest element count of a Shape: an element of 8 bytes still fits any byte count in 50 bits.
constexpr int64_t kMaxElements = int64_t{1} << 47;

std::string Joined(std::span<const int64_t> numbers) {
  return absl::StrCat("[", absl::StrJoin(numbers.begin(), numbers.end(), ", "), "]");
}

// `value` rounded up to a power of two; nullopt where that would pass kMaxAllocation.
std::optional<uint64_t> RoundUp(uint64_t value, uint64_t alignment) {
  if (value > kMaxAllocation || alignment > kMaxAllocation) return std::nullopt;
  const uint64_t rounded = (value + alignment - 1) & ~(alignment - 1);
  if (rounded > kMaxAllocation) return std::nullopt;
  return rounded;
}

absl::Status TooLarge(DType dtype, const Shape& shape) {
  return absl::InvalidArgumentError(absl::StrCat("a tensor ", std::string(DTypeName(dtype)), " ",
                                                 shape.ToString(), " needs more than the ",
                                                 kMaxAllocation, " bytes that a surface may have"));
}

absl::Status CheckElementType(DType dtype, const Shape& shape) {
  if (ElementSize(dtype) == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("dtype ", static_cast<int>(dtype), " is not an element type"));
  }
  for (int64_t dim : shape.dims()) {
    if (dim < 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("shape ", shape.ToString(), " has a dimension below 1"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckStrides(const TensorLayout& layout, int64_t element) {
  for (int axis = 0; axis < layout.shape.rank(); ++axis) {
    const int64_t stride = layout.strides[axis];
    if (stride <= 0 || stride % element != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("stride ", stride, " of axis ", axis,
                       " is not a positive multiple of the element size ", element));
    }
  }
  return absl::OkStatus();
}

// The axes with more than one element, the smallest stride first.
std::span<const int> AxesByStride(const TensorLayout& layout, std::array<int, kMaxRank>& axes) {
  int count = 0;
  for (int axis = 0; axis < layout.shape.rank(); ++axis) {
    if (layout.shape[axis] > 1) axes[count++] = axis;
  }
  std::sort(axes.begin(), axes.begin() + count,
            [&](int a, int b) { return layout.strides[a] < layout.strides[b]; });
  return {axes.data(), static_cast<size_t>(count)};
}

TensorLayout RowMajor(DType dtype, const Shape& shape, int64_t row_bytes) {
  TensorLayout layout{.dtype = dtype, .shape = shape};
  int64_t stride = static_cast<int64_t>(ElementSize(dtype));
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    layout.strides[axis] = stride;
    stride = axis == shape.rank() - 1 ? row_bytes : stride * shape[axis];
  }
  return layout;
}

}  // namespace

size_t ElementSize(DType dtype) { return Row(dtype).bytes; }

std::string_view DTypeName(DType dtype) { return Row(dtype).name; }

std::optional<DType> DTypeFromName(std::string_view name) {
  for (const DTypeRow& row : kDTypes) {
    if (row.bytes != 0 && row.name == name) return row.dtype;
  }
  return std::nullopt;
}

bool IsFloat(DType dtype) {
  return dtype == DType::kFp16 || dtype == DType::kFp32 || dtype == DType::kFp64 ||
         dtype == DType::kBf16;
}

bool IsInteger(DType dtype) {
  return ElementSize(dtype) != 0 && !IsFloat(dtype) && dtype != DType::kBool;
}

Shape::Shape(std::initializer_list<int64_t> dims) : rank_(static_cast<uint8_t>(dims.size())) {
  assert(dims.size() <= kMaxRank);
  std::copy(dims.begin(), dims.end(), dims_.begin());
}

absl::StatusOr<Shape> Shape::Make(std::span<const int64_t> dims) {
  if (dims.size() > kMaxRank) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a shape of ", dims.size(), " dimensions; at most ", kMaxRank, " are possible"));
  }
  Shape shape;
  shape.rank_ = static_cast<uint8_t>(dims.size());
  int64_t elements = 1;
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    if (dims[axis] < 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("shape ", Joined(dims), " has a dimension below 1"));
    }
    if (dims[axis] > kMaxElements / elements) {
      return absl::InvalidArgumentError(
          absl::StrCat("shape ", Joined(dims), " has more than 2^47 elements"));
    }
    elements *= dims[axis];
    shape.dims_[axis] = dims[axis];
  }
  return shape;
}

int64_t Shape::ElementCount() const {
  int64_t count = 1;
  for (int64_t dim : dims()) count *= dim;
  return count;
}

std::string Shape::ToString() const { return Joined(dims()); }

bool operator==(const Shape& a, const Shape& b) { return std::ranges::equal(a.dims(), b.dims()); }

bool operator==(const TensorLayout& a, const TensorLayout& b) {
  return a.dtype == b.dtype && a.shape == b.shape && a.allocation_bytes == b.allocation_bytes &&
         std::ranges::equal(a.stride_span(), b.stride_span());
}

std::string TensorLayout::ToString() const {
  return absl::StrCat(std::string(DTypeName(dtype)), " ", shape.ToString(), " strides ",
                      Joined(stride_span()), " ", allocation_bytes, " B");
}

absl::StatusOr<TensorLayout> MakePackedLayout(DType dtype, const Shape& shape) {
  return MakePaddedLayout(dtype, shape, 1, 1, 0);
}

absl::StatusOr<TensorLayout> MakePaddedLayout(DType dtype, const Shape& shape,
                                              uint64_t row_alignment, uint64_t allocation_alignment,
                                              uint64_t minimum_allocation) {
  if (!std::has_single_bit(row_alignment) || !std::has_single_bit(allocation_alignment)) {
    return absl::InvalidArgumentError(absl::StrCat("alignments ", row_alignment, " and ",
                                                   allocation_alignment, " must be powers of two"));
  }
  if (absl::Status status = CheckElementType(dtype, shape); !status.ok()) return status;
  const uint64_t element = ElementSize(dtype);
  const uint64_t limit = kMaxAllocation / element;
  uint64_t rows = 1;  // runs of the innermost dimension
  for (int axis = 0; axis + 1 < shape.rank(); ++axis) {
    if (static_cast<uint64_t>(shape[axis]) > limit / rows) return TooLarge(dtype, shape);
    rows *= static_cast<uint64_t>(shape[axis]);
  }
  const uint64_t columns = shape.rank() == 0 ? 1 : static_cast<uint64_t>(shape[shape.rank() - 1]);
  if (columns > limit) return TooLarge(dtype, shape);
  const std::optional<uint64_t> row = RoundUp(columns * element, row_alignment);
  if (!row.has_value() || *row > kMaxAllocation / rows) return TooLarge(dtype, shape);
  const std::optional<uint64_t> allocation =
      RoundUp(std::max(*row * rows, minimum_allocation), allocation_alignment);
  if (!allocation.has_value()) return TooLarge(dtype, shape);
  TensorLayout layout = RowMajor(dtype, shape, static_cast<int64_t>(*row));
  layout.allocation_bytes = *allocation;
  return layout;
}

absl::Status CheckLayout(const TensorLayout& layout_untrusted) {
  const TensorLayout& layout = layout_untrusted;
  if (absl::Status status = CheckElementType(layout.dtype, layout.shape); !status.ok()) {
    return status;
  }
  if (layout.allocation_bytes > kMaxAllocation) {
    return absl::InvalidArgumentError(absl::StrCat("allocation of ", layout.allocation_bytes,
                                                   " bytes; at most ", kMaxAllocation,
                                                   " are possible"));
  }
  const int64_t element = static_cast<int64_t>(ElementSize(layout.dtype));
  if (absl::Status status = CheckStrides(layout, element); !status.ok()) return status;
  std::array<int, kMaxRank> storage;
  uint64_t span = static_cast<uint64_t>(element);
  for (int axis : AxesByStride(layout, storage)) {
    const uint64_t stride = static_cast<uint64_t>(layout.strides[axis]);
    const uint64_t steps = static_cast<uint64_t>(layout.shape[axis] - 1);
    if (stride < span) {
      return absl::InvalidArgumentError(absl::StrCat("stride ", stride, " of axis ", axis,
                                                     " makes elements overlap: at least ", span,
                                                     " is needed"));
    }
    if (stride > kMaxAllocation || steps > (kMaxAllocation - span) / stride) {
      return TooLarge(layout.dtype, layout.shape);
    }
    span += steps * stride;
  }
  if (span > layout.allocation_bytes) {
    return absl::InvalidArgumentError(absl::StrCat("the elements end at byte ", span,
                                                   ", past the allocation of ",
                                                   layout.allocation_bytes, " bytes"));
  }
  return absl::OkStatus();
}

bool IsPacked(const TensorLayout& layout) {
  int64_t stride = static_cast<int64_t>(ElementSize(layout.dtype));
  for (int axis = layout.shape.rank() - 1; axis >= 0; --axis) {
    if (layout.shape[axis] > 1 && layout.strides[axis] != stride) return false;
    stride *= layout.shape[axis];
  }
  return true;
}

uint64_t PayloadBytes(const TensorLayout& layout) {
  return static_cast<uint64_t>(layout.shape.ElementCount()) * ElementSize(layout.dtype);
}

uint64_t SpanBytes(const TensorLayout& layout) {
  uint64_t span = ElementSize(layout.dtype);
  for (int axis = 0; axis < layout.shape.rank(); ++axis) {
    span +=
        static_cast<uint64_t>(layout.shape[axis] - 1) * static_cast<uint64_t>(layout.strides[axis]);
  }
  return span;
}

bool SameElements(const TensorLayout& a, const TensorLayout& b) {
  if (a.dtype != b.dtype) return false;
  const auto next = [](const TensorLayout& layout, int axis) {
    while (axis < layout.shape.rank() && layout.shape[axis] == 1) ++axis;
    return axis;
  };
  int i = next(a, 0), j = next(b, 0);
  for (; i < a.shape.rank() && j < b.shape.rank(); i = next(a, i + 1), j = next(b, j + 1)) {
    if (a.shape[i] != b.shape[j] || a.strides[i] != b.strides[j]) return false;
  }
  return i == a.shape.rank() && j == b.shape.rank();
}

}  // namespace anex
